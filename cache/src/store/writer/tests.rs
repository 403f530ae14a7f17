#![expect(clippy::unwrap_used, reason = "a test may fail by panic")]

use super::*;
use crate::counters::Counter;
use crate::store::faulty::{SlowStore, on_full_disk};
use crate::store::pending::MAX_ENTRIES;
use crate::store::redb::RedbStore;
use crate::testing::{entry, id};
use std::sync::atomic::AtomicBool;

fn put(writer: &Writer, n: u64) {
    writer.put(Arc::new(entry(n)), None);
}

fn stored(store: &dyn Store) -> Vec<EntryId> {
    let mut ids = Vec::new();
    store
        .entries(&mut |id, entry| ids.extend(entry.ok().map(|_| id)))
        .unwrap();
    ids
}

#[test]
fn writes_are_grouped_and_a_flush_makes_them_durable() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(directory.path()).unwrap());
    let counters = Arc::new(Counters::default());
    let writer = Writer::start(Arc::clone(&store), Arc::clone(&counters)).unwrap();
    for n in 0..500 {
        put(&writer, n);
    }
    writer.remove(id(3));
    counters.add(Counter::ExactHits, 9);
    writer.flush().unwrap();
    assert_eq!(stored(&*store).len(), 499);
    assert_eq!(store.counters().unwrap()["exact_hits"], 9);
    let stats = writer.stats();
    assert!(stats.commits < 20, "{stats:?}");
    assert_eq!(
        (stats.pending_writes, stats.dropped_writes, stats.errors),
        (0, 0, 0)
    );
}

#[test]
fn dropping_the_writer_writes_what_is_pending() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(directory.path()).unwrap());
    let writer = Writer::start(Arc::clone(&store), Arc::default()).unwrap();
    put(&writer, 1);
    drop(writer);
    assert_eq!(stored(&*store), [id(1)]);
}

/// Waits for a condition that the writer thread brings about.
fn wait_until(writer: &Writer, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "{:?}", writer.stats());
        std::thread::yield_now();
    }
}

#[test]
fn writes_and_totals_reach_the_store_without_a_flush() {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(RedbStore::open(directory.path()).unwrap());
    let counters = Arc::new(Counters::default());
    let writer = Writer::start(Arc::clone(&store), Arc::clone(&counters)).unwrap();
    put(&writer, 1);
    wait_until(&writer, || stored(&*store) == [id(1)]);
    counters.add(Counter::Misses, 2);
    wait_until(&writer, || {
        store.counters().unwrap().get("misses") == Some(&2)
    });
}

#[test]
fn a_slow_disk_never_holds_up_callers_and_what_does_not_fit_is_counted() {
    let store = Arc::new(SlowStore::default());
    let writer = Writer::start(store.clone(), Arc::default()).unwrap();
    put(&writer, 0);
    store.wait_for_commit();
    let waiting = MAX_ENTRIES as u64;
    for n in 1..=waiting + 10 {
        put(&writer, n);
    }
    // A removal always fits, and makes the entry's own write unnecessary.
    writer.remove(id(1));
    put(&writer, waiting + 11);
    let stats = writer.stats();
    assert_eq!((stats.dropped_writes, stats.commits), (10, 0));
    store.let_go();
    writer.flush().unwrap();
    let puts = store.puts.lock();
    assert_eq!(puts.len() as u64, 1 + waiting);
    assert!(
        !puts.contains(&id(1))
            && puts.contains(&id(waiting + 11))
            && !puts.contains(&id(waiting + 1))
    );
    assert_eq!(*store.removes.lock(), [id(1)]);
}

#[test]
fn a_full_disk_loses_nothing_and_is_reported_until_there_is_room_again() {
    let directory = tempfile::tempdir().unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let store: Arc<dyn Store> = Arc::new(on_full_disk(directory.path(), &full).unwrap());
    let counters = Arc::new(Counters::default());
    let writer = Writer::start(Arc::clone(&store), Arc::clone(&counters)).unwrap();
    put(&writer, 1);
    writer.flush().unwrap();
    full.store(true, Ordering::SeqCst);
    put(&writer, 2);
    counters.add(Counter::Misses, 1);
    let error = writer.flush().unwrap_err();
    assert!(
        matches!(&error, Error::Flush { reason } if reason.contains("write a group")),
        "{error:?}"
    );
    put(&writer, 3);
    writer.remove(id(1));
    assert!(writer.flush().is_err());
    let stats = writer.stats();
    assert!(stats.errors >= 2 && stats.last_error.is_some(), "{stats:?}");
    assert_eq!((stats.pending_writes, stats.dropped_writes), (3, 0));
    full.store(false, Ordering::SeqCst);
    writer.flush().unwrap();
    assert_eq!(stored(&*store), [id(2), id(3)]);
    assert_eq!(store.counters().unwrap()["misses"], 1);
}
