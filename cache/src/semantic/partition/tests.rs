#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::entry::Vector;
use crate::testing::id;

const LIMITS: Limits = Limits {
    flat_max: 50,
    hnsw_max: 200,
    sketches_max: 0,
    snapshot_min: 0,
};

fn at(n: u16) -> Embedding {
    let angle = f32::from(n) / 100.0;
    Embedding::new(
        Vector::new("m", vec![angle.cos(), angle.sin()]).unwrap(),
        None,
    )
}

#[test]
fn changes_made_while_an_index_is_built_are_in_it() {
    let partition = Partition::new(2);
    for n in 0..60 {
        partition.insert(id(n.into()), &at(n), 0).unwrap();
    }
    let work = Some(Work::Build(Kind::Hnsw));
    assert_eq!(partition.claim(LIMITS), work);
    assert_eq!(partition.claim(LIMITS), None, "it is claimed");
    partition.state.write().journal = Some(Mutex::default());
    // One change before the walk over the vectors, which sees it too, and the others after.
    partition.insert(id(60), &at(60), 0).unwrap();
    let target = partition.fill(Kind::Hnsw, 1).unwrap();
    for n in 61..120 {
        partition.insert(id(n.into()), &at(n), 0).unwrap();
    }
    for n in (0..30).chain(90..100) {
        partition.remove(id(n));
    }
    partition.swap_in(Kind::Hnsw, target, 1).unwrap();
    assert_eq!((partition.kind(), partition.len()), (Kind::Hnsw, 80));
    for n in (30..90).chain(100..120) {
        let found = partition.search(at(n).vector.values(), 1);
        assert_eq!(found.first().map(|found| found.0), Some(id(n.into())));
    }
    partition.release();
    assert_eq!(
        partition.claim(LIMITS),
        work,
        "the claim is over, and the tombstones call for a fresh graph"
    );
}

#[test]
fn what_comes_in_during_a_long_build_is_linked_by_the_time_of_the_swap() {
    let partition = Partition::new(2);
    for n in 0..60 {
        partition.insert(id(n.into()), &at(n), 0).unwrap();
    }
    partition.state.write().journal = Some(Mutex::default());
    let target = partition.fill(Kind::Compact, 1).unwrap();
    for n in 60..300 {
        partition.insert(id(n.into()), &at(n), 0).unwrap();
    }
    partition.swap_in(Kind::Compact, target, 1).unwrap();
    let index = Arc::clone(&partition.state.read().index);
    assert_eq!((index.len(), index.num_unlinked()), (300, 0));
    for n in 0..300 {
        let found = partition.search(at(n).vector.values(), 1);
        assert_eq!(found.first().map(|found| found.0), Some(id(n.into())));
    }
}

#[test]
fn after_a_failed_build_the_present_index_goes_on() {
    let partition = Partition::new(2);
    let vector = Vector::new("m", vec![1.0, 0.0]).unwrap();
    partition
        .insert(id(1), &Embedding::new(vector, None), 0)
        .unwrap();
    let none_flat = Limits {
        flat_max: 0,
        ..LIMITS
    };
    assert_eq!(partition.claim(none_flat), Some(Work::Build(Kind::Hnsw)));
    partition.abandon();
    partition.release();
    assert_eq!(partition.wanted(none_flat), None);
    assert_eq!(partition.search(&[1.0, 0.0], 1).len(), 1);
}
