#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::semantic::flat::FlatIndex;
use crate::testing::{Clusters, id};

const DIMENSIONS: usize = 64;

fn filled(num: u64, clusters: &mut Clusters) -> (HnswIndex, FlatIndex) {
    let (hnsw, flat) = (HnswIndex::new(DIMENSIONS, 16), FlatIndex::new());
    for n in 0..num {
        let vector = clusters.vector();
        hnsw.insert(id(n), &vector).unwrap();
        flat.insert(id(n), &vector).unwrap();
    }
    (hnsw, flat)
}

/// Share of goals for which both indexes name a nearest vector of the same similarity.
fn recall(hnsw: &HnswIndex, flat: &FlatIndex, clusters: &mut Clusters, num: u16) -> f32 {
    let mut right = 0_u16;
    for _ in 0..num {
        let goal = clusters.vector();
        let found = hnsw.search(&goal, 1).first().map_or(-1.0, |found| found.1);
        let exact = flat.search(&goal, 1).first().map_or(-1.0, |found| found.1);
        right += u16::from(found >= exact - 1e-5);
    }
    f32::from(right) / f32::from(num)
}

#[test]
fn the_nearest_vector_is_found_in_98_of_100_searches() {
    let mut clusters = Clusters::new(11, DIMENSIONS, 100);
    let (hnsw, flat) = filled(3_000, &mut clusters);
    let recall = recall(&hnsw, &flat, &mut clusters, 500);
    assert!(recall >= 0.98, "recall@1 is {recall}");
}

#[test]
fn recall_holds_with_a_quarter_of_the_points_dead() {
    let mut clusters = Clusters::new(12, DIMENSIONS, 100);
    let (hnsw, flat) = filled(2_000, &mut clusters);
    for n in 0..500 {
        assert!(hnsw.remove(id(n * 4)));
        assert!(flat.remove(id(n * 4)));
    }
    assert_eq!((hnsw.len(), hnsw.num_dead()), (1_500, 500));
    let recall = recall(&hnsw, &flat, &mut clusters, 300);
    assert!(recall >= 0.98, "recall@1 is {recall}");
}

#[test]
fn near_and_exact_duplicates_do_not_hide_other_vectors() {
    for spread in [0.03, 0.001, 0.0] {
        let mut clusters = Clusters::new(14, DIMENSIONS, 20).spread(spread);
        let (hnsw, flat) = filled(2_000, &mut clusters);
        let recall = recall(&hnsw, &flat, &mut clusters, 300);
        assert!(recall >= 0.98, "recall@1 is {recall} at spread {spread}");
    }
}

#[test]
fn a_removed_vector_is_never_found_and_hides_no_living_one() {
    let index = HnswIndex::new(2, 16);
    // Points on a half circle; the one that stays is the farthest of all from the goal.
    let at = |n: u16| {
        let angle = std::f32::consts::PI * (1.0 - f32::from(n) / 1_000.0);
        [angle.cos(), angle.sin()]
    };
    for n in 0..1_000 {
        index.insert(id(n.into()), &at(n)).unwrap();
    }
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
fn inserting_a_known_id_replaces_its_vector() {
    let index = HnswIndex::new(2, 16);
    index.insert(id(1), &[1.0, 0.0]).unwrap();
    index.insert(id(1), &[0.0, 1.0]).unwrap();
    assert_eq!((index.len(), index.num_dead()), (1, 1));
    assert!(
        index
            .search(&[1.0, 0.0], 1)
            .first()
            .is_some_and(|found| found.1 < 0.1)
    );
    assert_eq!(index.rows().collect::<Vec<_>>(), [(id(1), vec![0.0, 1.0])]);
}

#[test]
fn an_empty_index_and_foreign_dimensions_find_nothing() {
    let index = HnswIndex::new(2, 16);
    assert!(index.search(&[1.0, 0.0], 5).is_empty());
    assert_eq!(index.rows().count(), 0);
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
fn searches_and_walks_go_on_beside_inserts() {
    let mut clusters = Clusters::new(13, 16, 10);
    let index = HnswIndex::new(16, 16);
    let vectors: Vec<Vec<f32>> = (0..1_000).map(|_| clusters.vector()).collect();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (index, vectors) = (&index, &vectors);
            scope.spawn(move || {
                for (n, vector) in vectors.iter().enumerate().skip(half).step_by(2) {
                    index.insert(id(n as u64), vector).unwrap();
                }
            });
        }
        for vector in &vectors {
            index.search(vector, 3);
            index.rows().take(3).count();
        }
    });
    assert_eq!(index.len(), 1_000);
    assert_eq!(index.rows().count(), 1_000);
}
