#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::entry::{Embedding, Vector};
use crate::semantic::partition::Kind;
use crate::semantic::partitions::{Limits, Partitions};
use crate::testing::{Clusters, id};

const DIMENSIONS: usize = 16;
const LIMITS: Limits = Limits {
    flat_max: 50,
    hnsw_max: 150,
    sketches_max: 50,
    snapshot_min: 0,
};
const STAMP: Stamp = Stamp {
    identity: 7,
    generation: 40,
};

fn key(byte: u8) -> CompatibilityKey {
    CompatibilityKey::from_bytes([byte; 32])
}

/// Three partitions, one of each kind, in a folder.
struct Fixture {
    _folder: tempfile::TempDir,
    path: PathBuf,
    partitions: Partitions,
    vectors: Vec<Vec<f32>>,
}

/// The partition of an entry: 30 entries in the first, 90 in the second, 400 in the third.
fn partition_of(n: usize) -> CompatibilityKey {
    key(match n {
        0..30 => 1,
        30..120 => 2,
        _ => 3,
    })
}

impl Fixture {
    fn new() -> Self {
        let mut clusters = Clusters::new(51, DIMENSIONS, 8);
        let vectors: Vec<Vec<f32>> = (0..520).map(|_| clusters.vector()).collect();
        let partitions = Partitions::new(LIMITS);
        for (n, vector) in vectors.iter().enumerate() {
            let vector = Vector::new("m", vector.clone()).unwrap();
            let embedding = Embedding::new(vector, Some(vec![0.6, 0.8]));
            let key = partition_of(n);
            partitions.insert(key, id(n as u64), &embedding).unwrap();
            partitions.maintain(&key);
        }
        partitions.wait_for_builds();
        for n in (130..190).step_by(2) {
            partitions.remove(&key(3), id(n));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        Self {
            _folder: folder,
            path,
            partitions,
            vectors,
        }
    }

    fn write(&self) {
        write(&self.path, STAMP, "m", &self.partitions.all()).unwrap();
    }

    fn read(&self, stamp: Stamp, model: &str) -> Result<Option<Restored>> {
        read(&self.path, stamp, model, &|_, _| true)
    }
}

#[test]
fn what_was_written_finds_the_same_as_before() {
    let fixture = Fixture::new();
    fixture.write();
    let restored = fixture.read(STAMP, "m").unwrap().unwrap();
    assert_eq!(restored.generation, STAMP.generation);
    let again = Partitions::new(LIMITS);
    again.adopt(restored.partitions);
    // The graph of hnsw_rs is not kept: its vectors are scanned until it is built again.
    let kinds = [(1, Kind::Flat), (2, Kind::Flat), (3, Kind::Compact)];
    for (byte, kind) in kinds {
        assert_eq!(again.get(&key(byte)).unwrap().kind(), kind, "{byte}");
    }
    assert_eq!(again.counts().vectors, fixture.partitions.counts().vectors);
    for (n, vector) in fixture.vectors.iter().enumerate() {
        let search = |partitions: &Partitions| {
            let partition = partitions.get(&partition_of(n)).unwrap();
            partition.search(vector, 3)
        };
        let (found, before) = (search(&again)[0], search(&fixture.partitions)[0]);
        assert_eq!(found.0, before.0, "{n}");
        assert!((found.1 - before.1).abs() < 2e-5, "{n}");
    }
    let sketch = |partitions: &Partitions, byte| {
        let partition = partitions.get(&key(byte)).unwrap();
        partition.best_sketch_similarity(&[0.6, 0.8])
    };
    assert!(sketch(&again, 1).is_some_and(|best| best > 0.99));
    assert_eq!(sketch(&again, 3), None);
    again.maintain_all();
    again.wait_for_builds();
    assert_eq!(again.get(&key(2)).unwrap().kind(), Kind::Hnsw);
}

#[test]
fn a_restored_graph_takes_further_inserts() {
    let fixture = Fixture::new();
    fixture.write();
    let again = Partitions::new(LIMITS);
    again.adopt(fixture.read(STAMP, "m").unwrap().unwrap().partitions);
    let mut clusters = Clusters::new(52, DIMENSIONS, 8);
    let more: Vec<Vec<f32>> = (0..300).map(|_| clusters.vector()).collect();
    for (n, vector) in more.iter().enumerate() {
        let embedding = Embedding::new(Vector::new("m", vector.clone()).unwrap(), None);
        again
            .insert(key(3), id(1_000 + n as u64), &embedding)
            .unwrap();
        again.maintain(&key(3));
    }
    again.wait_for_builds();
    let partition = again.get(&key(3)).unwrap();
    let found = |n: usize, vector: &[f32]| {
        let nearest = partition.search(vector, 1);
        nearest.first().map(|found| found.0) == Some(id(n as u64))
    };
    let missed = (0..300)
        .filter(|n| !found(1_000 + n, &more[*n]))
        .chain((200..520).filter(|n| !found(*n, &fixture.vectors[*n])))
        .count();
    assert!(missed <= 3, "{missed} entries not found");
}

#[test]
fn entries_that_are_not_kept_are_never_found() {
    let fixture = Fixture::new();
    fixture.write();
    let restored = read(&fixture.path, STAMP, "m", &|_, id| id.as_u64() % 2 == 1);
    let again = Partitions::new(LIMITS);
    again.adopt(restored.unwrap().unwrap().partitions);
    let mut found = BTreeSet::new();
    for (n, vector) in fixture.vectors.iter().enumerate() {
        let partition = again.get(&partition_of(n)).unwrap();
        found.extend(partition.search(vector, 5).into_iter().map(|it| it.0));
    }
    assert!(found.len() > 200);
    assert!(found.iter().all(|id| id.as_u64() % 2 == 1));
}

#[test]
fn one_changed_byte_or_a_missing_end_is_noticed() {
    let fixture = Fixture::new();
    fixture.write();
    let good = fs::read(&fixture.path).unwrap();
    // Every byte of the head, and of the rest one in so many.
    let places = (0..120)
        .chain((120..good.len()).step_by(211))
        .chain([good.len() - 1]);
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 0x41;
        fs::write(&fixture.path, &bad).unwrap();
        assert!(fixture.read(STAMP, "m").is_err(), "byte {place}");
    }
    for length in (0..good.len()).step_by(307) {
        fs::write(&fixture.path, &good[..length]).unwrap();
        assert!(fixture.read(STAMP, "m").is_err(), "length {length}");
    }
    fs::write(&fixture.path, [good.as_slice(), &[0]].concat()).unwrap();
    assert!(fixture.read(STAMP, "m").is_err());
    fs::write(&fixture.path, &good).unwrap();
    assert!(fixture.read(STAMP, "m").is_ok());
}

#[test]
fn a_snapshot_of_another_store_model_or_a_later_time_does_not_fit() {
    let fixture = Fixture::new();
    assert!(fixture.read(STAMP, "m").unwrap().is_none());
    fixture.write();
    assert!(fixture.read(STAMP, "other").is_err());
    let stamp = |identity, generation| Stamp {
        identity,
        generation,
    };
    assert!(fixture.read(stamp(8, 40), "m").is_err());
    // The store was put back to an earlier state.
    assert!(fixture.read(stamp(7, 39), "m").is_err());
    assert!(fixture.read(stamp(7, 41), "m").unwrap().is_some());
}

#[test]
fn a_snapshot_that_cannot_be_written_leaves_the_earlier_one() {
    let fixture = Fixture::new();
    fixture.write();
    let before = fs::read(&fixture.path).unwrap();
    // Where the unfinished file should be there is a folder.
    fs::create_dir(fixture.path.with_extension("unfinished")).unwrap();
    let failed = write(&fixture.path, STAMP, "m", &fixture.partitions.all());
    assert!(matches!(failed, Err(Error::Io { .. })));
    assert_eq!(fs::read(&fixture.path).unwrap(), before);
}
