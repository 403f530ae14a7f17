#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::entry::Vector;
use crate::store::faulty::on_full_disk;
use crate::testing::{entry, id};

fn embedding(n: u64) -> Embedding {
    let angle = n as f32;
    Embedding::new(
        Vector::new("m", vec![angle.cos(), angle.sin()]).unwrap(),
        Some(vec![0.6, 0.8]),
    )
}

fn batch_of(numbers: impl IntoIterator<Item = u64>) -> Batch {
    let mut batch = Batch::default();
    for n in numbers {
        assert!(batch.put(Arc::new(entry(n)), Some(Arc::new(embedding(n)))));
    }
    batch
}

/// Ids of the entries and vectors that can be read, and how many values of either kind cannot.
fn contents(store: &RedbStore) -> (Vec<EntryId>, Vec<EntryId>, usize) {
    let (mut entries, mut vectors, mut corrupt) = (Vec::new(), Vec::new(), 0);
    store
        .entries(&mut |id, it| match it {
            Ok(it) => {
                assert_eq!(it, entry(id.as_u64()));
                entries.push(id);
            }
            Err(_) => corrupt += 1,
        })
        .unwrap();
    store
        .embeddings(&mut |id, it| match it {
            Ok(it) => {
                assert_eq!(it, embedding(id.as_u64()));
                vectors.push(id);
            }
            Err(_) => corrupt += 1,
        })
        .unwrap();
    (entries, vectors, corrupt)
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let key = PhrasingKey::new("m", "learn {language}");
    {
        let store = RedbStore::open(directory.path()).unwrap();
        assert_eq!(contents(&store), (vec![], vec![], 0));
        let mut batch = batch_of(1..=3);
        assert!(batch.phrasing(key, vec![0.25, -1.5]));
        batch.totals = Some([("exact_hits", 7)].into());
        store.commit(&batch).unwrap();
        let mut batch = Batch::default();
        batch.remove(id(2));
        assert!(batch.put(Arc::new(entry(3)), None));
        store.commit(&batch).unwrap();
    }
    let store = RedbStore::open(directory.path()).unwrap();
    assert_eq!(contents(&store), (vec![id(1), id(3)], vec![id(1)], 0));
    assert_eq!(store.phrasing(&key).unwrap(), Some(vec![0.25, -1.5]));
    assert_eq!(
        store
            .phrasing(&PhrasingKey::new("m2", "learn {language}"))
            .unwrap(),
        None
    );
    assert_eq!(
        store.counters().unwrap(),
        [("exact_hits".to_owned(), 7)].into()
    );
    assert!(store.file_bytes() > 0);
}

#[test]
fn a_second_opener_is_told_that_the_store_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let first = RedbStore::open(directory.path()).unwrap();
    assert!(
        matches!(RedbStore::open(directory.path()), Err(Error::Locked { path }) if path.ends_with(FILE_NAME))
    );
    drop(first);
    assert!(RedbStore::open(directory.path()).is_ok());
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    RedbStore::open(directory.path())
        .unwrap()
        .commit(&batch_of([1]))
        .unwrap();
    let path = directory.path().join(FILE_NAME);
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(META)
            .unwrap()
            .insert("format", FORMAT + 1)
            .unwrap();
        transaction.commit().unwrap();
    }
    assert!(matches!(
        RedbStore::open(directory.path()),
        Err(Error::Format {
            found: 3,
            supported: FORMAT
        })
    ));
    assert!(path.exists());
}

#[test]
fn garbage_is_damage_and_can_be_moved_aside_any_number_of_times() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE_NAME);
    for name in [
        "cache.redb.corrupt-1700000000",
        "cache.redb.corrupt-1700000000-1",
    ] {
        std::fs::write(&path, [7; 10_000]).unwrap();
        let error = RedbStore::open(directory.path()).err().unwrap();
        assert!(error.is_damage(), "{error}");
        assert_eq!(
            RedbStore::move_aside(directory.path(), 1_700_000_000_123).unwrap(),
            directory.path().join(name)
        );
    }
    assert!(RedbStore::open(directory.path()).is_ok());
}

/// Whatever a flipped bit hits, opening and reading give an error or fewer entries, never a wrong one or a panic.
#[test]
fn no_flipped_byte_makes_up_an_entry() {
    let directory = tempfile::tempdir().unwrap();
    RedbStore::open(directory.path())
        .unwrap()
        .commit(&batch_of(0..40))
        .unwrap();
    let path = directory.path().join(FILE_NAME);
    let sound = std::fs::read(&path).unwrap();
    let used: Vec<usize> = (0..sound.len()).filter(|at| sound[*at] != 0).collect();
    let (mut whole, mut fewer, mut damaged) = (0, 0, 0);
    for at in used.iter().step_by(used.len() / 150) {
        let mut bytes = sound.clone();
        bytes[*at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        let read = RedbStore::open(directory.path()).and_then(|store| {
            let mut sound = 0;
            store.entries(&mut |id, it| {
                if let Ok(it) = it {
                    assert_eq!(it, entry(id.as_u64()));
                    sound += 1;
                }
            })?;
            // The next group meets the damage at the latest, and fails or succeeds as a whole.
            let _ = store.commit(&batch_of(40..60));
            Ok(sound)
        });
        match read {
            Ok(40) => whole += 1,
            Ok(_) => fewer += 1,
            Err(_) => damaged += 1,
        }
    }
    assert!(
        whole > 0 && damaged > 0,
        "whole {whole}, fewer {fewer}, damaged {damaged}"
    );
}

#[test]
fn a_full_disk_fails_the_commit_and_the_same_group_succeeds_later() {
    let directory = tempfile::tempdir().unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let store = on_full_disk(directory.path(), &full).unwrap();
    store.commit(&batch_of(0..10)).unwrap();
    full.store(true, Ordering::SeqCst);
    let group = batch_of(10..20);
    for _ in 0..3 {
        assert!(matches!(store.commit(&group), Err(Error::Store { .. })));
    }
    full.store(false, Ordering::SeqCst);
    store.commit(&group).unwrap();
    drop(store);
    let store = RedbStore::open(directory.path()).unwrap();
    assert_eq!(contents(&store).0, (0..20).map(id).collect::<Vec<_>>());
}
