#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::entry::Vector;
use crate::testing::{Clusters, id};

const DIMENSIONS: usize = 16;
const FLAT_MAX: usize = 100;
const LIMITS: Limits = Limits {
    flat_max: FLAT_MAX,
    hnsw_max: 400,
    sketches_max: 3,
    snapshot_min: 0,
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
    assert_eq!(partition.wanted(LIMITS), Some(Work::Build(Kind::Hnsw)));
    partitions.maintain(&key(1));
    partitions.wait_for_builds();
    assert_eq!(partition.wanted(LIMITS), None);
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

/// What is checked while a partition is filled, emptied and searched, all at the same time.
struct History {
    partitions: Partitions,
    vectors: Vec<Vec<f32>>,
}

impl History {
    /// Says whether an entry is found by its own vector.
    fn finds(&self, n: usize) -> bool {
        nearest(&self.partitions, &self.vectors[n]) == Some(id(n as u64))
    }
}

#[test]
fn no_acknowledged_insert_is_lost_and_none_removed_returns_over_all_swaps() {
    let mut clusters = Clusters::new(23, DIMENSIONS, 10);
    let history = History {
        partitions: Partitions::new(LIMITS),
        vectors: (0..1_500).map(|_| clusters.vector()).collect(),
    };
    let acknowledged = std::sync::atomic::AtomicUsize::new(0);
    let (missed, returned) = std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let mut missed = 0;
            for round in 0_usize.. {
                let inserted = acknowledged.load(std::sync::atomic::Ordering::Acquire);
                if inserted == history.vectors.len() {
                    return missed;
                }
                // Every third entry is removed by and by; the others stay for good.
                let n = round * 7 % inserted.max(1);
                if inserted > 0 && !n.is_multiple_of(3) {
                    missed += usize::from(!history.finds(n));
                }
            }
            missed
        });
        let mut returned = 0;
        for (n, vector) in history.vectors.iter().enumerate() {
            insert(&history.partitions, n as u64, vector);
            acknowledged.store(n + 1, std::sync::atomic::Ordering::Release);
            if n >= 300 && n % 3 == 0 {
                history.partitions.remove(&key(1), id(n as u64 - 300));
                returned += usize::from(history.finds(n - 300));
            }
        }
        (searching.join().unwrap(), returned)
    });
    assert_eq!(returned, 0);
    // Walks are approximate: the bound is far below what one lost journal would cost.
    assert!(
        missed < 20,
        "{missed} searches missed an acknowledged entry"
    );
    history.partitions.wait_for_builds();
    let partition = history.partitions.get(&key(1)).unwrap();
    assert_eq!(partition.kind(), Kind::Compact);
    assert_eq!(partition.wanted(LIMITS), None);
    let there = |n: usize| !n.is_multiple_of(3) || n + 300 >= 1_500;
    assert_eq!(partition.len(), (0..1_500).filter(|n| there(*n)).count());
    let wrong = (0..1_500)
        .filter(|n| history.finds(*n) != there(*n))
        .count();
    assert!(wrong <= 3, "{wrong} entries are not as they were left");
}

#[test]
fn a_compact_graph_shrinks_back_and_drops_its_tombstones() {
    let partitions = Partitions::new(LIMITS);
    let mut clusters = Clusters::new(24, DIMENSIONS, 10);
    let vectors: Vec<Vec<f32>> = (0..900).map(|_| clusters.vector()).collect();
    for (n, vector) in vectors.iter().enumerate() {
        insert(&partitions, n as u64, vector);
    }
    partitions.wait_for_builds();
    let partition = partitions.get(&key(1)).unwrap();
    assert_eq!((partition.kind(), partition.len()), (Kind::Compact, 900));
    for n in 0..300 {
        partitions.remove(&key(1), id(n));
    }
    partitions.wait_for_builds();
    assert_eq!((partition.kind(), partition.len()), (Kind::Compact, 600));
    assert!(partition.num_dead() < 200);
    for n in 300..850 {
        partitions.remove(&key(1), id(n));
    }
    partitions.wait_for_builds();
    assert_eq!((partition.kind(), partition.len()), (Kind::Flat, 50));
    for (n, vector) in vectors.iter().enumerate().skip(850) {
        assert_eq!(nearest(&partitions, vector), Some(id(n as u64)));
    }
}
