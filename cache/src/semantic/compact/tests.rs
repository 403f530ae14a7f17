#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::*;
use crate::semantic::dot::dot;
use crate::semantic::flat::FlatIndex;
use crate::testing::{Clusters, id};

const DIMENSIONS: usize = 64;

fn filled(num: u64, clusters: &mut Clusters) -> (CompactIndex, FlatIndex) {
    let (compact, flat) = (CompactIndex::new(DIMENSIONS), FlatIndex::new());
    for n in 0..num {
        let vector = clusters.vector();
        compact.insert(id(n), &vector).unwrap();
        flat.insert(id(n), &vector).unwrap();
    }
    compact.link(2);
    assert_eq!(compact.num_unlinked(), 0);
    (compact, flat)
}

/// Share of goals for which both indexes name a nearest vector of the same similarity, within a tolerance.
fn recall(
    compact: &CompactIndex,
    flat: &FlatIndex,
    clusters: &mut Clusters,
    num: u16,
    tolerance: f32,
) -> f32 {
    let mut right = 0_u16;
    for _ in 0..num {
        let goal = clusters.vector();
        let found = compact
            .search(&goal, 1)
            .first()
            .map_or(-1.0, |found| found.1);
        let exact = flat.search(&goal, 1).first().map_or(-1.0, |found| found.1);
        right += u16::from(found >= exact - tolerance);
    }
    f32::from(right) / f32::from(num)
}

#[test]
fn the_nearest_vector_is_found_in_98_of_100_searches() {
    let mut clusters = Clusters::new(11, DIMENSIONS, 100);
    let (compact, flat) = filled(6_000, &mut clusters);
    let recall = recall(&compact, &flat, &mut clusters, 500, 1e-5);
    assert!(recall >= 0.98, "recall@1 is {recall}");
}

#[test]
fn recall_holds_with_a_quarter_of_the_points_dead() {
    let mut clusters = Clusters::new(12, DIMENSIONS, 100);
    let (compact, flat) = filled(4_000, &mut clusters);
    for n in 0..1_000 {
        assert!(compact.remove(id(n * 4)));
        assert!(flat.remove(id(n * 4)));
    }
    assert_eq!((compact.len(), compact.num_dead()), (3_000, 1_000));
    let recall = recall(&compact, &flat, &mut clusters, 300, 1e-5);
    assert!(recall >= 0.98, "recall@1 is {recall}");
}

#[test]
fn near_and_exact_duplicates_do_not_hide_other_vectors() {
    // Two hundred vectors of a cosine above 0.999 to each other are alike to the high bytes that steer a walk: one of
    // them is found, not always the nearest.
    for (spread, tolerance) in [(0.2, 1e-5), (0.03, 2e-3), (0.001, 2e-3), (0.0, 1e-5)] {
        let mut clusters = Clusters::new(14, DIMENSIONS, 20).spread(spread);
        let (compact, flat) = filled(4_000, &mut clusters);
        let recall = recall(&compact, &flat, &mut clusters, 300, tolerance);
        assert!(recall >= 0.98, "recall@1 is {recall} at spread {spread}");
    }
}

#[test]
fn equal_vectors_share_a_point_and_are_all_found() {
    let index = CompactIndex::new(2);
    for n in 0..5 {
        index.insert(id(n), &[0.6, 0.8]).unwrap();
    }
    index.link(1);
    assert_eq!((index.len(), index.num_dead()), (5, 0));
    assert_eq!(index.graph.read().rows.len(), 1);
    let found = |k| {
        let mut ids: Vec<u64> = index
            .search(&[0.6, 0.8], k)
            .iter()
            .map(|found| found.0.as_u64())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(9), [0, 1, 2, 3, 4]);
    assert_eq!(found(2).len(), 2);
    for n in 0..4 {
        assert!(index.remove(id(n)));
    }
    assert_eq!(found(9), [4]);
    assert!(index.remove(id(4)));
    assert_eq!((found(9).len(), index.num_dead()), (0, 1));
    // An equal vector brings the dead point back.
    index.insert(id(7), &[0.6, 0.8]).unwrap();
    assert_eq!((found(9), index.num_dead()), (vec![7], 0));
}

#[test]
fn a_removed_vector_is_never_found_and_hides_no_living_one() {
    let index = CompactIndex::new(2);
    // Points on a half circle; the one that stays is the farthest of all from the goal.
    let at = |n: u16| {
        let angle = std::f32::consts::PI * (1.0 - f32::from(n) / 1_000.0);
        [angle.cos(), angle.sin()]
    };
    for n in 0..1_000 {
        index.insert(id(n.into()), &at(n)).unwrap();
    }
    index.link(2);
    for n in 1..1_000 {
        assert!(index.remove(id(n)));
        assert!(!index.remove(id(n)));
    }
    let found: Vec<EntryId> = index
        .search(&[1.0, 0.0], 3)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(found, [id(0)]);
}

#[test]
fn an_empty_index_and_foreign_dimensions_find_nothing() {
    let index = CompactIndex::new(2);
    assert!(index.search(&[1.0, 0.0], 5).is_empty());
    assert_eq!(index.rows().count(), 0);
    index.link(2);
    assert!(matches!(
        index.insert(id(1), &[1.0]),
        Err(Error::Dimensions {
            actual: 1,
            expected: 2
        })
    ));
    assert!(index.search(&[1.0], 5).is_empty());
}

#[test]
fn every_acknowledged_insert_is_found_while_others_link_insert_and_search() {
    let mut clusters = Clusters::new(13, 16, 10);
    let index = CompactIndex::new(16);
    let vectors: Vec<Vec<f32>> = (0..4_000).map(|_| clusters.vector()).collect();
    let over = AtomicBool::new(false);
    let missed = std::thread::scope(|scope| {
        let linker = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                index.link(2);
            }
        });
        let halves = [0, 1].map(|half| {
            let (index, vectors) = (&index, &vectors);
            scope.spawn(move || {
                let mut missed = 0;
                for (n, vector) in vectors.iter().enumerate().skip(half).step_by(2) {
                    index.insert(id(n as u64), vector).unwrap();
                    let found = index.search(vector, 1);
                    missed += usize::from(found.first().map(|found| found.0) != Some(id(n as u64)));
                }
                missed
            })
        });
        let missed: usize = halves.into_iter().map(|half| half.join().unwrap()).sum();
        over.store(true, Ordering::Relaxed);
        linker.join().unwrap();
        missed
    });
    assert_eq!(index.len(), 4_000);
    // The walk is approximate; a lost insert would be missed for good.
    assert!(missed <= 8, "{missed} inserts not found at once");
    index.link(1);
    let lost = vectors.iter().enumerate().filter(|(n, vector)| {
        index.search(vector, 1).first().map(|found| found.0) != Some(id(*n as u64))
    });
    assert!(lost.count() <= 8);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Insert(u64, usize),
    Remove(u64),
    Link,
    Search(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..40, 0_usize..60).prop_map(|(id, vector)| Step::Insert(id, vector)),
        2 => (0_u64..40).prop_map(Step::Remove),
        1 => Just(Step::Link),
        3 => (0_usize..60, 0_usize..12).prop_map(|(vector, k)| Step::Search(vector, k)),
    ]
}

proptest! {
    /// Any history leaves what a map and a comparison with all of it would find.
    #[test]
    fn searches_agree_with_a_map_that_is_compared_as_a_whole(steps in prop::collection::vec(step(), 0..120), seed in any::<u64>()) {
        let mut clusters = Clusters::new(seed, 16, 5);
        let vectors: Vec<Vec<f32>> = (0..60).map(|_| clusters.vector()).collect();
        let (index, mut model) = (CompactIndex::new(16), BTreeMap::new());
        for step in steps {
            match step {
                Step::Insert(n, vector) => {
                    index.insert(id(n), &vectors[vector]).unwrap();
                    model.insert(n, vector);
                }
                Step::Remove(n) => prop_assert_eq!(index.remove(id(n)), model.remove(&n).is_some()),
                Step::Link => index.link(1),
                Step::Search(goal, k) => {
                    let goal = &vectors[goal];
                    let found = index.search(goal, k);
                    prop_assert_eq!(found.len(), k.min(model.len()));
                    let mut exact: Vec<f32> = model.values().map(|vector| dot(goal, &vectors[*vector])).collect();
                    exact.sort_by(|a, b| b.total_cmp(a));
                    for ((id, similarity), exact) in found.iter().zip(&exact) {
                        let vector = model.get(&id.as_u64());
                        prop_assert!(vector.is_some(), "a removed entry was found");
                        prop_assert!((dot(goal, &vectors[*vector.unwrap()]) - similarity).abs() < 1e-4);
                        prop_assert!((exact - similarity).abs() < 1e-4, "{} instead of {}", similarity, exact);
                    }
                }
            }
            prop_assert_eq!(index.len(), model.len());
            prop_assert_eq!(index.rows().count(), model.len());
        }
    }
}
