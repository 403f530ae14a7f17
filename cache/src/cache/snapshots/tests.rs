#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::cache::{Cache, CacheOptions, OpenReport};
use crate::contributor::Contributor;
use crate::entry::{Answer, EntryId, Finish, NewEntry, Usage, Vector};
use crate::key::{CompatibilityKey, ExactKey};
use crate::language::Language;
use crate::namespace::Namespace;
use crate::semantic::partitions::Limits;
use crate::semantic::snapshot::FILE_NAME;
use crate::testing::Clusters;

const NOW: u64 = 1_700_000_000_000;
const LIMITS: Limits = Limits {
    flat_max: 50,
    hnsw_max: 100,
    sketches_max: 50,
    snapshot_min: 10,
};

fn open(directory: &Path) -> (Cache, OpenReport) {
    let options = CacheOptions {
        max_entries: 100_000,
        max_answer_bytes: 1_000,
        ttl_jitter: 0.0,
        refuse_pii: true,
        ttl: Duration::from_secs(60),
        stale_while_revalidate: Duration::ZERO,
        model: Some("m".into()),
    };
    Cache::open_store(directory, options, LIMITS, NOW).unwrap()
}

fn partition_key() -> CompatibilityKey {
    CompatibilityKey::from_bytes([1; 32])
}

fn vectors() -> Vec<Vec<f32>> {
    let mut clusters = Clusters::new(61, 16, 8);
    (0..400).map(|_| clusters.vector()).collect()
}

fn admit(cache: &Cache, vectors: &[Vec<f32>], numbers: std::ops::Range<usize>) -> Vec<EntryId> {
    let new = |n: usize| {
        let mut exact = [0; 32];
        exact[..8].copy_from_slice(&(n as u64).to_be_bytes());
        NewEntry {
            namespace: Namespace::anonymous(),
            exact: ExactKey::from_bytes(exact),
            compatibility: partition_key(),
            goal: format!("goal {n}"),
            answer: Answer {
                text: "answer".into(),
                finish: Finish::Stop,
                usage: Usage::default(),
                model: "real".into(),
            },
            upstream: "up".into(),
            model_requested: "asked".into(),
            language: Language::new("en"),
            contributor: Contributor::UNKNOWN,
            quarantine: false,
            ttl: None,
            vector: Some(Vector::new("m", vectors[n].clone()).unwrap()),
            sketch: None,
        }
    };
    numbers.map(|n| cache.admit(new(n), NOW).unwrap()).collect()
}

/// How many of these entries are found by their own vectors.
fn num_found(cache: &Cache, vectors: &[Vec<f32>], numbers: std::ops::Range<usize>) -> usize {
    let found = |n: &usize| {
        let candidates = cache.candidates(&partition_key(), &vectors[*n], 1, NOW);
        candidates.first().map(|it| it.entry.goal.clone()) == Some(format!("goal {n}"))
    };
    numbers.filter(found).count()
}

/// Makes a vector in the store unreadable: whoever reads the vectors from there notices.
fn spoil_stored_vector(directory: &Path, id: EntryId) {
    let database = redb::Database::open(directory.join("cache.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<u64, &[u8]>::new("vectors");
    transaction
        .open_table(table)
        .unwrap()
        .insert(id.as_u64(), &b"rubbish"[..])
        .unwrap();
    transaction.commit().unwrap();
}

#[test]
fn a_clean_restart_takes_the_index_from_the_snapshot() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let (cache, _) = open(directory.path());
    let ids = admit(&cache, &vectors, 0..300);
    cache.wait_for_builds();
    let bytes = cache.stats().bytes;
    drop(cache);
    spoil_stored_vector(directory.path(), ids[5]);
    let (cache, report) = open(directory.path());
    assert_eq!(
        (report.entries, report.indexed, report.dropped_corrupt),
        (300, 300, 0)
    );
    assert!(num_found(&cache, &vectors, 0..300) >= 299);
    assert_eq!(cache.stats().bytes, bytes);
    drop(cache);
    // Without the snapshot the spoilt vector is noticed: the test above can tell.
    fs::remove_file(directory.path().join(FILE_NAME)).unwrap();
    let (_, report) = open(directory.path());
    assert_eq!(
        (report.entries, report.indexed, report.dropped_corrupt),
        (300, 299, 1)
    );
}

#[test]
fn what_changed_since_an_older_snapshot_is_made_up_for_from_the_store() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    let ids = admit(&cache, &vectors, 0..300);
    drop(cache);
    let older = fs::read(&path).unwrap();
    let (cache, _) = open(directory.path());
    admit(&cache, &vectors, 300..400);
    for id in &ids[..40] {
        assert!(cache.remove(*id));
    }
    drop(cache);
    // As after a kill: the store has moved on, the snapshot has not.
    fs::write(&path, older).unwrap();
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, report.indexed), (360, 360));
    assert_eq!(num_found(&cache, &vectors, 0..40), 0);
    assert!(num_found(&cache, &vectors, 40..400) >= 358);
    cache.wait_for_builds();
    assert!(num_found(&cache, &vectors, 40..400) >= 358);
}

#[test]
fn a_damaged_snapshot_costs_nothing_but_a_rebuild_and_is_replaced() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    let ids = admit(&cache, &vectors, 0..300);
    drop(cache);
    let mut damaged = fs::read(&path).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let (cache, report) = open(directory.path());
    // Searched at once, whatever is still being built.
    assert!(num_found(&cache, &vectors, 0..300) >= 299);
    assert_eq!(
        (report.entries, report.indexed, report.dropped_corrupt),
        (300, 300, 0)
    );
    cache.wait_for_builds();
    assert_eq!(cache.stats().graph_partitions, 1);
    // Nothing was admitted or removed, and yet closing writes a sound one, which the next start uses.
    drop(cache);
    assert_ne!(fs::read(&path).unwrap(), damaged);
    spoil_stored_vector(directory.path(), ids[5]);
    let (cache, report) = open(directory.path());
    assert_eq!((report.indexed, report.dropped_corrupt), (300, 0));
    assert!(num_found(&cache, &vectors, 0..300) >= 299);
}

#[test]
fn a_refused_snapshot_is_replaced_though_no_entry_changes_and_nothing_is_built() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    // Few enough to be scanned.
    let ids = admit(&cache, &vectors, 0..40);
    drop(cache);
    fs::write(&path, b"not a snapshot").unwrap();
    let (cache, report) = open(directory.path());
    assert_eq!(report.indexed, 40);
    cache.wait_for_snapshot();
    let kept = fs::read(&path).unwrap();
    drop(cache);
    spoil_stored_vector(directory.path(), ids[5]);
    fs::write(&path, kept).unwrap();
    let (cache, report) = open(directory.path());
    assert_eq!((report.indexed, report.dropped_corrupt), (40, 0));
    assert_eq!(num_found(&cache, &vectors, 0..40), 40);
}

#[test]
fn a_graph_built_after_opening_is_kept_before_any_entry_changes() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    admit(&cache, &vectors, 0..300);
    drop(cache);
    fs::remove_file(&path).unwrap();
    let (cache, _) = open(directory.path());
    cache.wait_for_builds();
    cache.wait_for_snapshot();
    // As a kill would leave it.
    let kept = fs::read(&path).unwrap();
    drop(cache);
    fs::write(&path, kept).unwrap();
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, report.indexed), (300, 300));
    cache.wait_for_builds();
    assert_eq!(cache.partitions.num_graphs_built(), 0, "it was all there");
    assert!(num_found(&cache, &vectors, 0..300) >= 299);
}

#[test]
fn a_graph_built_anew_without_its_tombstones_is_kept_before_any_other_entry_changes() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    let ids = admit(&cache, &vectors, 0..300);
    drop(cache);
    let (cache, _) = open(directory.path());
    for id in &ids[..110] {
        assert!(cache.remove(*id));
    }
    cache.wait_for_builds();
    cache.wait_for_snapshot();
    let kept = fs::read(&path).unwrap();
    drop(cache);
    fs::write(&path, kept).unwrap();
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, report.indexed), (190, 190));
    cache.wait_for_builds();
    assert_eq!(cache.partitions.num_graphs_built(), 0, "once is enough");
    assert!(num_found(&cache, &vectors, 110..300) >= 189);
}

#[test]
fn a_snapshot_that_could_not_be_written_is_written_at_the_end() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let path = directory.path().join(FILE_NAME);
    let (cache, _) = open(directory.path());
    admit(&cache, &vectors, 0..300);
    drop(cache);
    fs::remove_file(&path).unwrap();
    // Where the unfinished file should be there is a folder.
    let obstacle = path.with_extension("unfinished");
    fs::create_dir(&obstacle).unwrap();
    let (cache, _) = open(directory.path());
    cache.wait_for_builds();
    cache.wait_for_snapshot();
    assert!(!path.exists());
    fs::remove_dir(&obstacle).unwrap();
    drop(cache);
    assert!(path.exists());
}

#[test]
fn the_snapshot_of_another_store_is_left_aside() {
    let (one, other, vectors) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        vectors(),
    );
    let (cache, _) = open(one.path());
    admit(&cache, &vectors, 0..200);
    drop(cache);
    let (cache, _) = open(other.path());
    admit(&cache, &vectors, 100..300);
    drop(cache);
    fs::copy(one.path().join(FILE_NAME), other.path().join(FILE_NAME)).unwrap();
    let (cache, report) = open(other.path());
    assert_eq!((report.entries, report.indexed), (200, 200));
    assert!(num_found(&cache, &vectors, 100..300) >= 199);
    assert_eq!(num_found(&cache, &vectors, 0..100), 0);
}

#[test]
fn a_model_named_after_opening_takes_its_index_from_the_snapshot_too() {
    let (directory, vectors) = (tempfile::tempdir().unwrap(), vectors());
    let (cache, _) = open(directory.path());
    let ids = admit(&cache, &vectors, 0..300);
    drop(cache);
    spoil_stored_vector(directory.path(), ids[5]);
    let unknown = CacheOptions {
        max_entries: 100_000,
        max_answer_bytes: 1_000,
        ttl_jitter: 0.0,
        refuse_pii: true,
        ttl: Duration::from_secs(60),
        stale_while_revalidate: Duration::ZERO,
        model: None,
    };
    let (cache, report) = Cache::open_store(directory.path(), unknown, LIMITS, NOW).unwrap();
    assert_eq!(report.indexed, 0);
    assert_eq!(cache.use_model("m").unwrap(), 300);
    assert_eq!(cache.use_model("other").unwrap(), 0);
}
