//! How often a key was used of late, in a few bytes for each entry that fits into the cache.
//!
//! A count-min sketch of four rows of counters up to 15 behind a doorkeeper, a Bloom filter that catches keys
//! seen once: most are never seen again and would only crowd the counters. After so many uses all counters are
//! halved and the doorkeeper is emptied, so that yesterday's favourites fade. Eight counters share a word, which
//! makes that a pass of half a millisecond even for a million entries. Adding takes no lock; uses that race may
//! be lost, which an estimate can bear.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::key::ExactKey;

/// Rows of counters; a key has one counter in each.
const ROWS: usize = 4;

/// The greatest count. More would tell apart what is in use in any case.
const MAX_COUNT: u8 = 15;

/// Counters in a word, and the bits of one.
const PER_WORD: usize = 8;
const COUNTER_BITS: usize = 8;

/// Clears in every counter of a word the bit that a shift brought over from its neighbour.
const WITHOUT_CARRY: u64 = 0x7F7F_7F7F_7F7F_7F7F;

/// Bits of the doorkeeper for each entry that fits: with two for a key, about one in twenty unseen keys passes.
const DOOR_BITS: usize = 8;

/// All counts are halved after so many uses for each entry that fits.
const HALVED_AFTER: usize = 20;

/// Smallest number of counters in a row: small caches have few entries and many keys.
const MIN_WIDTH: usize = 256;

/// An estimate of recent uses by key.
pub(crate) struct Sketch {
    /// Row after row, each of `width` counters.
    counters: Box<[AtomicU64]>,
    width: usize,
    door: Box<[AtomicU64]>,
    uses: AtomicUsize,
    period: usize,
}

impl Sketch {
    /// Makes an empty sketch for a cache of so many entries. It takes four to eight bytes for each, and one to
    /// two for the doorkeeper.
    pub(crate) fn new(max_entries: usize) -> Self {
        let width = max_entries.max(MIN_WIDTH).next_power_of_two();
        let words = |num: usize| (0..num).map(|_| AtomicU64::new(0)).collect();
        Self {
            counters: words(ROWS * width / PER_WORD),
            width,
            door: words(width * DOOR_BITS / 64),
            uses: AtomicUsize::new(0),
            period: max_entries.max(MIN_WIDTH) * HALVED_AFTER,
        }
    }

    /// Counts a use.
    pub(crate) fn add(&self, key: &ExactKey) {
        let hashes = hashes(key);
        if self.enter(&hashes) {
            // Only the least of the four grows: the others count other keys too.
            let least = self.least(&hashes);
            if least < MAX_COUNT {
                for (word, shift) in self.counters_of(&hashes) {
                    let counts = word.load(Ordering::Relaxed);
                    if count(counts, shift) == least {
                        let raised = counts + (1 << shift);
                        // Fails where another thread was quicker: that use is lost.
                        let _ = word.compare_exchange(
                            counts,
                            raised,
                            Ordering::Relaxed,
                            Ordering::Relaxed,
                        );
                    }
                }
            }
        }
        let uses = self.uses.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        if uses.is_multiple_of(self.period) {
            self.age();
        }
    }

    /// Returns about how often a key was used of late, at most 16.
    pub(crate) fn estimate(&self, key: &ExactKey) -> u8 {
        let hashes = hashes(key);
        self.least(&hashes) + u8::from(self.is_known(&hashes))
    }

    fn least(&self, hashes: &[u64; ROWS]) -> u8 {
        self.counters_of(hashes)
            .map(|(word, shift)| count(word.load(Ordering::Relaxed), shift))
            .min()
            .unwrap_or(0)
    }

    /// The counter of a key in each row: its word, and where in the word it lies.
    fn counters_of(&self, hashes: &[u64; ROWS]) -> impl Iterator<Item = (&AtomicU64, usize)> {
        let width = self.width;
        hashes.iter().enumerate().filter_map(move |(row, hash)| {
            let place = row * width + scale(*hash, width);
            let word = self.counters.get(place / PER_WORD)?;
            Some((word, place % PER_WORD * COUNTER_BITS))
        })
    }

    /// Lets a key through the doorkeeper; says whether it knew it already.
    fn enter(&self, hashes: &[u64; ROWS]) -> bool {
        let mut known = true;
        for (word, bit) in self.door_bits(hashes) {
            known &= word.fetch_or(bit, Ordering::Relaxed) & bit != 0;
        }
        known
    }

    fn is_known(&self, hashes: &[u64; ROWS]) -> bool {
        self.door_bits(hashes)
            .all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    /// Two bits in different halves of the doorkeeper.
    fn door_bits(&self, hashes: &[u64; ROWS]) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let half = self.door.len() / 2;
        // The counters use the high bits of a hash, the doorkeeper those of its mirror image.
        let [first, second, ..] = *hashes;
        [first.swap_bytes(), second.swap_bytes()]
            .into_iter()
            .zip([0, half])
            .filter_map(move |(hash, from)| {
                let bit = scale(hash, half * 64);
                Some((self.door.get(from + bit / 64)?, 1 << (bit % 64)))
            })
    }

    /// Halves all counters and empties the doorkeeper.
    fn age(&self) {
        for word in &self.counters {
            let counts = word.load(Ordering::Relaxed);
            word.store(counts >> 1 & WITHOUT_CARRY, Ordering::Relaxed);
        }
        for word in &self.door {
            word.store(0, Ordering::Relaxed);
        }
    }
}

/// The counter that lies in a word at a place.
fn count(word: u64, shift: usize) -> u8 {
    word.to_le_bytes()
        .get(shift / COUNTER_BITS)
        .copied()
        .unwrap_or(0)
}

/// Four hashes of a key, which is a digest already: each is eight of its bytes, spread by a multiplication.
fn hashes(key: &ExactKey) -> [u64; ROWS] {
    let (words, _) = key.as_bytes().as_chunks::<8>();
    let mut hashes = [0; ROWS];
    for (hash, word) in hashes.iter_mut().zip(words) {
        *hash = u64::from_be_bytes(*word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    hashes
}

/// Maps a hash to a place below `len`, by its high bits.
fn scale(hash: u64, len: usize) -> usize {
    ((u128::from(hash) * len as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(n: u64) -> ExactKey {
        ExactKey::from_bytes(*blake3::hash(&n.to_le_bytes()).as_bytes())
    }

    proptest! {
        #[test]
        fn counters_never_overflow(keys in prop::collection::vec(0u64..20, 0..5_000), max_entries in 0usize..300) {
            let sketch = Sketch::new(max_entries);
            for n in &keys {
                sketch.add(&key(*n));
            }
            let greatest = sketch.counters.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).max();
            prop_assert!(greatest <= Some(MAX_COUNT));
            prop_assert!((0..20).all(|n| sketch.estimate(&key(n)) <= MAX_COUNT + 1));
        }
    }

    #[test]
    fn an_estimate_is_close_for_few_keys_and_zero_for_unseen_ones() {
        let sketch = Sketch::new(1_000);
        for n in 0..10 {
            for _ in 0..n {
                sketch.add(&key(n));
            }
        }
        for n in 0..10 {
            assert_eq!(u64::from(sketch.estimate(&key(n))), n, "key {n}");
        }
        assert_eq!(sketch.estimate(&key(11)), 0);
    }

    #[test]
    fn a_key_that_is_no_longer_used_fades() {
        let sketch = Sketch::new(256);
        for _ in 0..100 {
            sketch.add(&key(0));
        }
        assert_eq!(sketch.estimate(&key(0)), MAX_COUNT + 1);
        // Five times the period after which every counter is halved.
        for n in 0..5 * 256 * HALVED_AFTER as u64 {
            sketch.add(&key(1 + n % 100));
        }
        assert!(
            sketch.estimate(&key(0)) <= 2,
            "{}",
            sketch.estimate(&key(0))
        );
        let in_use = (1..101).filter(|n| sketch.estimate(&key(*n)) >= 5).count();
        assert!(in_use >= 95, "{in_use} of 100 in use are known");
    }

    #[test]
    fn few_unseen_keys_pass_for_seen_ones_in_a_full_sketch() {
        let sketch = Sketch::new(1_024);
        for n in 0..1_024 {
            sketch.add(&key(n));
        }
        let known = (10_000..20_000)
            .filter(|n| sketch.estimate(&key(*n)) > 0)
            .count();
        assert!(known < 1_500, "{known} of 10000");
    }
}
