//! A store of an older version keeps its entries, one of a newer version is left alone.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, TableDefinition};
use tollfree_cache::cache::Cache;
use tollfree_cache::contributor::Contributor;
use tollfree_cache::error::Error;

use super::*;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");

/// Written by the last program of format 1, with the entries of [`new_entry`], and left behind by a kill.
fn of_format_1(directory: &Path) -> PathBuf {
    let path = directory.join("cache.redb");
    std::fs::copy("tests/fixtures/format-1.redb", &path).unwrap();
    path
}

/// How many entries there are of each version.
fn versions(path: &Path) -> (u64, usize, usize) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_read().unwrap();
    let meta = transaction.open_table(META).unwrap();
    let entries = transaction.open_table(ENTRIES).unwrap();
    let count = |version: u8| {
        let rows = entries.range::<u64>(..).unwrap();
        rows.filter(|row| row.as_ref().unwrap().1.value()[0] == version)
            .count()
    };
    let format = meta.get("format").unwrap().unwrap().value();
    (format, count(1), count(2))
}

#[test]
fn a_store_of_the_first_format_opens_and_keeps_its_entries() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_format_1(directory.path());
    let (format, rows, _) = versions(&path);
    assert!(format == 1 && rows >= 6, "{format} {rows}");
    for opening in 0..2 {
        let (cache, report) = open(directory.path());
        assert_eq!(
            (report.entries, report.indexed),
            (rows, rows),
            "opening {opening}"
        );
        assert_eq!((report.dropped_corrupt, report.corrupt_moved_to), (0, None));
        for n in 0..rows as u64 {
            let entry = cache.exact(&exact_key(n), NOW).unwrap();
            assert_eq!(
                (&entry.goal, &entry.answer.text),
                (&format!("goal {n}"), &answer_text(n))
            );
            assert_eq!(
                (entry.contributor, &entry.quarantine),
                (Contributor::UNKNOWN, &None)
            );
            let candidates = cache.candidates(&partition(), &vector(n), 1, NOW);
            assert!(candidates[0].similarity > 0.999);
        }
        drop(cache);
        assert_eq!(versions(&path), (2, 0, rows));
    }
}

#[test]
fn a_migration_that_was_interrupted_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_format_1(directory.path());
    let (_, rows, _) = versions(&path);
    {
        // As it is left by a kill after the version was raised.
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(META)
            .unwrap()
            .insert("format", 2)
            .unwrap();
        transaction.commit().unwrap();
    }
    assert_eq!(versions(&path), (2, rows, 0));
    assert_eq!(open(directory.path()).1.entries, rows);
    assert_eq!(versions(&path), (2, 0, rows));
}

#[test]
fn a_damaged_row_does_not_keep_the_others_from_being_migrated() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_format_1(directory.path());
    let (_, rows, _) = versions(&path);
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(ENTRIES)
            .unwrap()
            .insert(7, &b"\x01rubbish"[..])
            .unwrap();
        transaction.commit().unwrap();
    }
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, report.dropped_corrupt), (rows, 1));
    drop(cache);
    assert_eq!(open(directory.path()).1.dropped_corrupt, 0);
}

#[test]
fn a_newer_store_is_refused_with_what_to_do_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = of_format_1(directory.path());
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(META)
            .unwrap()
            .insert("format", 99)
            .unwrap();
        transaction.commit().unwrap();
    }
    let before = versions(&path);
    let refused = Cache::open(directory.path(), options(), NOW).err().unwrap();
    assert!(matches!(
        refused,
        Error::Format {
            found: 99,
            supported: 2
        }
    ));
    let text = refused.to_string();
    assert!(
        text.contains("newer version again") && text.contains("cache.redb"),
        "{text}"
    );
    assert_eq!(versions(&path), before);
}
