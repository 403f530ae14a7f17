//! The entries in memory: by id, by time of expiry, and in no order at all for sampling a victim.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::entry::{Entry, EntryId};

/// How many entries compete for eviction. Sixteen random ones come close to true least-recently-used (Redis
/// samples five to ten) and need no list that every hit would have to lock.
const SAMPLE: usize = 16;

/// An entry in memory with what only memory knows of it.
pub(crate) struct Resident {
    entry: Arc<Entry>,
    last_used_ms: AtomicU64,
    /// What its rows in the index take. Changed under the lock of [`Residents`] only.
    vector_bytes: AtomicUsize,
}

impl Resident {
    /// Takes an entry in that is not indexed yet.
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        let last_used_ms = AtomicU64::new(entry.created_at_ms);
        Self {
            entry,
            last_used_ms,
            vector_bytes: AtomicUsize::new(0),
        }
    }

    pub(crate) fn entry(&self) -> &Arc<Entry> {
        &self.entry
    }

    /// Notes that the entry was served. Never moves back, so that late writers do no harm.
    pub(crate) fn touch(&self, now_ms: u64) {
        self.last_used_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.entry.bytes() + self.vector_bytes.load(Ordering::Relaxed)
    }

    fn last_used_ms(&self) -> u64 {
        self.last_used_ms.load(Ordering::Relaxed)
    }
}

/// All entries in memory.
pub(crate) struct Residents {
    /// Dense, so that a random one is found by its place.
    all: Vec<Arc<Resident>>,
    places: HashMap<EntryId, usize>,
    by_expiry: BTreeSet<(u64, EntryId)>,
    bytes: usize,
    random: u64,
}

impl Residents {
    pub(crate) fn new() -> Self {
        // Any odd seed does: sampling must be spread, not unpredictable.
        Self {
            all: Vec::new(),
            places: HashMap::new(),
            by_expiry: BTreeSet::new(),
            bytes: 0,
            random: 0x9E37_79B9_7F4A_7C15,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Estimated bytes of all entries and their vectors.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn contains(&self, id: EntryId) -> bool {
        self.places.contains_key(&id)
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&Arc<Resident>> {
        self.all.get(*self.places.get(&id)?)
    }

    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        self.all
            .iter()
            .map(|resident| Arc::clone(&resident.entry))
            .collect()
    }

    /// Takes an entry in, in place of one with the same id.
    pub(crate) fn insert(&mut self, resident: Arc<Resident>) {
        let id = resident.entry.id;
        self.remove(id);
        self.bytes += resident.bytes();
        self.by_expiry.insert((resident.entry.expires_at_ms, id));
        self.places.insert(id, self.all.len());
        self.all.push(resident);
    }

    pub(crate) fn remove(&mut self, id: EntryId) -> Option<Arc<Resident>> {
        let place = self.places.remove(&id)?;
        let resident = self.all.swap_remove(place);
        if let Some(moved) = self.all.get(place) {
            self.places.insert(moved.entry.id, place);
        }
        self.by_expiry.remove(&(resident.entry.expires_at_ms, id));
        self.bytes -= resident.bytes();
        Some(resident)
    }

    /// Notes what an entry's rows in the index take.
    pub(crate) fn set_vector_bytes(&mut self, id: EntryId, bytes: usize) {
        let Some(place) = self.places.get(&id) else {
            return;
        };
        if let Some(resident) = self.all.get(*place) {
            let before = resident.vector_bytes.swap(bytes, Ordering::Relaxed);
            self.bytes = self.bytes - before + bytes;
        }
    }

    /// Returns the entries that have no rows in the index.
    pub(crate) fn without_vector(&self) -> Vec<Arc<Resident>> {
        let all = self.all.iter();
        all.filter(|resident| resident.vector_bytes.load(Ordering::Relaxed) == 0)
            .cloned()
            .collect()
    }

    /// Notes that no entry is indexed any more.
    pub(crate) fn clear_vector_bytes(&mut self) {
        for resident in &self.all {
            self.bytes -= resident.vector_bytes.swap(0, Ordering::Relaxed);
        }
    }

    /// Returns an entry that may no longer be served, the longest expired first.
    pub(crate) fn expired(&self, now_ms: u64) -> Option<EntryId> {
        let (expires_at_ms, id) = self.by_expiry.first()?;
        (*expires_at_ms <= now_ms).then_some(*id)
    }

    /// Returns the least recently used of a random sample.
    pub(crate) fn victim(&mut self) -> Option<EntryId> {
        let mut oldest: Option<&Arc<Resident>> = None;
        for _ in 0..SAMPLE {
            // xorshift64: three shifts are random enough to spread over places.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let place = (self.random % (self.all.len().max(1) as u64)) as usize;
            let candidate = self.all.get(place)?;
            if oldest.is_none_or(|oldest| candidate.last_used_ms() < oldest.last_used_ms()) {
                oldest = Some(candidate);
            }
        }
        oldest.map(|resident| resident.entry.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, id};

    fn resident(n: u64) -> Arc<Resident> {
        Arc::new(Resident::new(Arc::new(entry(n))))
    }

    #[test]
    fn bytes_return_to_zero_with_the_last_entry() {
        let mut residents = Residents::new();
        for n in 0..10 {
            residents.insert(resident(n));
            residents.set_vector_bytes(id(n), 100);
        }
        residents.insert(resident(3));
        assert_eq!(residents.len(), 10);
        let bare = resident(3).bytes();
        assert_eq!(residents.bytes(), 10 * bare + 900);
        residents.clear_vector_bytes();
        assert_eq!(residents.bytes(), 10 * bare);
        for n in 0..10 {
            assert!(residents.remove(id(n)).is_some());
            assert!(residents.remove(id(n)).is_none());
        }
        assert_eq!((residents.len(), residents.bytes()), (0, 0));
    }

    #[test]
    fn the_longest_expired_entry_is_named_first() {
        let mut residents = Residents::new();
        for n in [5, 2, 9] {
            residents.insert(resident(n));
        }
        let expiry = |n: u64| entry(n).expires_at_ms;
        assert_eq!(residents.expired(expiry(2) - 1), None);
        assert_eq!(residents.expired(expiry(9)), Some(id(2)));
        residents.remove(id(2));
        assert_eq!(residents.expired(expiry(9)), Some(id(5)));
    }

    #[test]
    fn victims_are_mostly_from_the_least_recently_used() {
        let mut residents = Residents::new();
        for n in 0..1_000 {
            residents.insert(resident(n));
        }
        for n in 100..1_000 {
            if let Some(resident) = residents.get(id(n)) {
                resident.touch(1_000_000 + n);
            }
        }
        let mut cold = 0;
        for _ in 0..100 {
            let victim = residents.victim();
            cold += u32::from(victim.is_some_and(|id| id.as_u64() < 100));
            victim.map(|id| residents.remove(id));
        }
        // Sixteen of a thousand miss a cold tenth in about a fifth of all draws, more as the tenth thins out.
        assert!(cold >= 50, "{cold} of 100 victims were cold");
        assert_eq!(Residents::new().victim(), None);
    }
}
