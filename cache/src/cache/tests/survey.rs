//! Pages of entries, and entries near a text.

use super::*;

#[test]
fn pages_hold_every_wanted_entry_once_in_order_of_id() {
    let cache = Cache::in_memory(options());
    for n in 0..25 {
        cache.admit(new_entry(n, None), NOW).unwrap();
    }
    let wanted = |entry: &Entry| entry.goal != "goal 7";
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = cache.page(after, 10, wanted);
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|entry| entry.id));
    }
    assert_eq!(seen.len(), 24);
    assert!(seen.is_sorted_by(|a, b| a < b));
}

#[test]
fn similar_entries_are_found_in_every_partition_and_only_near_ones() {
    let cache = Cache::in_memory(CacheOptions {
        max_entries: 2_000,
        ..options()
    });
    // More near ones than are asked for at first, in two partitions, and some far ones.
    for n in 0..700 {
        let angle = if n < 600 { n as f32 * 1e-4 } else { 2.0 };
        let new = NewEntry {
            compatibility: partition_key((n % 2) as u8),
            ..new_entry(n, Some(at(angle)))
        };
        cache.admit(new, NOW).unwrap();
    }
    cache.admit(new_entry(999, None), NOW).unwrap();
    let similar = cache.similar(&at(0.0), 0.99);
    assert_eq!(similar.len(), 600);
    assert!(
        similar
            .iter()
            .all(|(entry, similarity)| *similarity >= 0.99 && cache.is_indexed(entry))
    );
    let bare = cache.exact(&exact_key(999), NOW).unwrap();
    assert!(!cache.is_indexed(&bare));
}
