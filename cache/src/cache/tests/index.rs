//! Large partitions, and many threads at once.

use super::*;

#[test]
fn a_large_partition_finds_the_same_before_during_and_after_it_becomes_a_graph() {
    let many = CacheOptions {
        max_entries: 1_000,
        ..options()
    };
    let cache = Cache::with_limits(
        many,
        Limits {
            flat_max: 200,
            hnsw_max: 400,
            sketches_max: 200,
            snapshot_min: 0,
        },
    );
    let mut clusters = Clusters::new(31, 32, 20);
    let vectors: Vec<Vec<f32>> = (0..600).map(|_| clusters.vector()).collect();
    let nearest = |n: usize| {
        let candidates = cache.candidates(&partition_key(1), &vectors[n], 1, NOW);
        candidates.first().map(|candidate| candidate.entry.exact)
    };
    for (n, vector) in vectors.iter().enumerate() {
        cache
            .admit(new_entry(n as u64, Some(vector.clone())), NOW)
            .unwrap();
        assert_eq!(nearest(n), Some(exact_key(n as u64)));
    }
    cache.wait_for_builds();
    assert_eq!(cache.stats().graph_partitions, 1);
    for n in 0..600 {
        assert_eq!(nearest(n), Some(exact_key(n as u64)));
    }
}

#[test]
fn readers_and_writers_in_parallel_leave_maps_and_index_of_one_mind() {
    let cache = Cache::in_memory(options());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let cache = &cache;
            scope.spawn(move || {
                for n in 0..500 {
                    let n = (n * 7 + thread) % 150;
                    let id = cache.admit(new_entry(n, Some(at(n as f32))), NOW).unwrap();
                    cache.candidates(&partition_key(1), &at(n as f32), 3, NOW);
                    if n % 3 == 0 {
                        cache.remove(id);
                    }
                    cache.exact(&exact_key(n), NOW);
                }
            });
        }
    });
    let entries = cache.entries();
    let stats = cache.stats();
    assert_eq!(
        (stats.entries, stats.indexed),
        (entries.len(), entries.len())
    );
    assert!(entries.len() <= 100);
    for entry in &entries {
        assert_eq!(cache.exact(&entry.exact, NOW).as_ref(), Some(entry));
    }
    for entry in entries {
        assert!(cache.remove(entry.id));
    }
    assert_eq!((cache.stats().bytes, cache.stats().partitions), (0, 0));
}
