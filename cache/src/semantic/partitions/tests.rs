#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::entry::Vector;
use crate::testing::{Clusters, id};

const DIMENSIONS: usize = 16;
const FLAT_MAX: usize = 100;
const LIMITS: Limits = Limits {
    flat_max: FLAT_MAX,
    sketches_max: 3,
};

fn key(byte: u8) -> CompatibilityKey {
    CompatibilityKey::from_bytes([byte; 32])
}

fn embedding(values: Vec<f32>, sketch: Option<Vec<f32>>) -> Embedding {
    Embedding::new(Vector::new("m", values).unwrap(), sketch)
}

fn insert(partitions: &Partitions, n: u64, values: &[f32]) {
    partitions
        .insert(key(1), id(n), &embedding(values.to_vec(), None))
        .unwrap();
    partitions.maintain(&key(1));
}

fn nearest(partitions: &Partitions, goal: &[f32]) -> Option<EntryId> {
    Some(partitions.get(&key(1))?.search(goal, 1).first()?.0)
}

#[test]
fn partitions_never_answer_for_each_other_and_vanish_with_their_last_entry() {
    let partitions = Partitions::new(LIMITS);
    partitions
        .insert(key(1), id(1), &embedding(vec![1.0, 0.0], None))
        .unwrap();
    partitions
        .insert(key(2), id(2), &embedding(vec![1.0, 0.0], None))
        .unwrap();
    assert_eq!(nearest(&partitions, &[1.0, 0.0]), Some(id(1)));
    assert!(partitions.get(&key(3)).is_none());
    partitions.remove(&key(1), id(2));
    assert_eq!(
        partitions.counts(),
        PartitionCounts {
            partitions: 2,
            graphs: 0,
            vectors: 2
        }
    );
    partitions.remove(&key(1), id(1));
    assert!(partitions.get(&key(1)).is_none());
}

#[test]
fn a_grown_partition_moves_into_a_graph_and_a_shrunk_one_back() {
    let partitions = Partitions::new(LIMITS);
    let mut clusters = Clusters::new(21, DIMENSIONS, 10);
    let vectors: Vec<Vec<f32>> = (0..300).map(|_| clusters.vector()).collect();
    let graphs = || partitions.counts().graphs;
    for (n, vector) in vectors.iter().enumerate() {
        if n == FLAT_MAX {
            partitions.wait_for_builds();
            assert_eq!(graphs(), 0);
        }
        insert(&partitions, n as u64, vector);
    }
    partitions.wait_for_builds();
    assert_eq!(
        partitions.counts(),
        PartitionCounts {
            partitions: 1,
            graphs: 1,
            vectors: 300
        }
    );
    for (n, vector) in vectors.iter().enumerate() {
        assert_eq!(nearest(&partitions, vector), Some(id(n as u64)));
    }
    for n in 40..300 {
        partitions.remove(&key(1), id(n));
    }
    partitions.wait_for_builds();
    assert_eq!(
        partitions.counts(),
        PartitionCounts {
            partitions: 1,
            graphs: 0,
            vectors: 40
        }
    );
    for (n, vector) in vectors.iter().take(40).enumerate() {
        assert_eq!(nearest(&partitions, vector), Some(id(n as u64)));
    }
}

#[test]
fn a_graph_with_many_dead_points_is_built_anew() {
    let partitions = Partitions::new(LIMITS);
    let mut clusters = Clusters::new(22, DIMENSIONS, 10);
    let vectors: Vec<Vec<f32>> = (0..400).map(|_| clusters.vector()).collect();
    for (n, vector) in vectors.iter().enumerate() {
        insert(&partitions, n as u64, vector);
    }
    partitions.wait_for_builds();
    let partition = partitions.get(&key(1)).unwrap();
    for n in 0..101 {
        partition.remove(id(n));
    }
    assert_eq!(partition.wanted(FLAT_MAX), Some(Kind::Hnsw));
    partitions.maintain(&key(1));
    partitions.wait_for_builds();
    assert_eq!(partition.wanted(FLAT_MAX), None);
    assert_eq!(partition.len(), 299);
    for (n, vector) in vectors.iter().enumerate().skip(101) {
        assert_eq!(nearest(&partitions, vector), Some(id(n as u64)));
    }
}

#[test]
fn sketches_speak_only_when_every_entry_has_one_and_the_partition_is_small() {
    let partitions = Partitions::new(LIMITS);
    let add = |n: u16, sketch: Option<Vec<f32>>| {
        let angle = f32::from(n);
        partitions
            .insert(
                key(1),
                id(n.into()),
                &embedding(vec![angle.cos(), angle.sin()], sketch),
            )
            .unwrap();
    };
    let best = || {
        partitions
            .get(&key(1))
            .unwrap()
            .best_sketch_similarity(&[0.0, 1.0])
    };
    add(1, Some(vec![0.6, 0.8]));
    assert!(best().is_some_and(|best| (best - 0.8).abs() < 1e-6));
    // A zero sketch, as of a text of unknown words, counts as none.
    add(2, Some(vec![0.0, 0.0]));
    assert_eq!(best(), None);
    partitions.remove(&key(1), id(2));
    assert!(best().is_some());
    for n in 3..6 {
        add(n, Some(vec![0.0, 1.0]));
    }
    assert_eq!(best(), None);
}
