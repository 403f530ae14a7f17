//! The entries in memory: by id, by time of expiry, and in no order at all for sampling a victim.

use std::cmp::Ordering::{Greater, Less};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::entry::{Entry, EntryId};
use crate::eviction::{Window, Worth};

/// How many entries compete for eviction. Sixteen random ones come close to the true least of all (Redis samples
/// five to ten) and need no list that every hit would have to lock.
const SAMPLE: usize = 16;

/// An entry in memory with what only memory knows of it.
pub(crate) struct Resident {
    entry: Arc<Entry>,
    last_used_ms: AtomicU64,
    /// What its last hit saved, in millionths of a dollar; 0 before the first, and where no price is known.
    saved_micro_usd: AtomicU64,
    /// Whether it still is among the newest. Changed under the lock of [`Residents`] only.
    is_new: AtomicBool,
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
            saved_micro_usd: AtomicU64::new(0),
            is_new: AtomicBool::new(false),
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
    window: Window,
    worth: Worth,
    bytes: usize,
    random: u64,
    /// The latest time anything was used or taken in.
    latest_ms: AtomicU64,
}

impl Residents {
    /// Makes room for so many entries; whoever inserts keeps to it.
    pub(crate) fn new(max_entries: usize) -> Self {
        // Any odd seed does: sampling must be spread, not unpredictable.
        Self {
            all: Vec::new(),
            places: HashMap::new(),
            by_expiry: BTreeSet::new(),
            window: Window::new(max_entries),
            worth: Worth::new(max_entries),
            bytes: 0,
            random: 0x9E37_79B9_7F4A_7C15,
            latest_ms: AtomicU64::new(0),
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
        resident.is_new.store(true, Ordering::Relaxed);
        self.latest_ms
            .fetch_max(resident.last_used_ms(), Ordering::Relaxed);
        self.all.push(resident);
        self.window.push(id);
        while let Some(id) = self.window.pop_surplus() {
            self.settle(id);
        }
    }

    /// Notes that an entry left the window and stays; says whether it was there at all.
    fn settle(&self, id: EntryId) -> bool {
        self.get(id)
            .is_some_and(|resident| resident.is_new.swap(false, Ordering::Relaxed))
    }

    /// Notes that an entry was asked for in vain, and is taken in for it.
    pub(crate) fn note_admission(&self, entry: &Entry) {
        self.worth.note_use(entry);
    }

    /// Notes that an entry was served and what that saved, 0 where no price is known.
    pub(crate) fn note_hit(&self, id: EntryId, saved_micro_usd: u64, now_ms: u64) {
        if let Some(resident) = self.get(id) {
            resident.touch(now_ms);
            self.latest_ms.fetch_max(now_ms, Ordering::Relaxed);
            self.worth.note_use(&resident.entry);
            self.worth.note_saving(&resident.entry, saved_micro_usd);
            if saved_micro_usd > 0 {
                resident
                    .saved_micro_usd
                    .store(saved_micro_usd, Ordering::Relaxed);
            }
        }
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

    /// Returns the entry to drop so that one more fits: the lesser of the one that has to leave the window and
    /// the least of a random sample of the others.
    pub(crate) fn victim(&mut self) -> Option<EntryId> {
        let leaving = loop {
            let Some(id) = self.window.pop_if_full() else {
                break None;
            };
            // One that is gone already has left its name behind.
            if self.settle(id) {
                break Some(id);
            }
        };
        let leaving = leaving.and_then(|id| self.get(id)).cloned();
        let settled = self.least_of_sample(leaving.as_ref().map(|resident| resident.entry.id));
        match (leaving, settled) {
            (Some(leaving), Some(settled)) => {
                Some(if self.compare(&leaving, &settled) == Greater {
                    settled.entry.id
                } else {
                    leaving.entry.id
                })
            }
            (one, other) => one.or(other).map(|resident| resident.entry.id),
        }
    }

    /// Returns the least worth of a random sample of those outside the window, except one.
    fn least_of_sample(&mut self, except: Option<EntryId>) -> Option<Arc<Resident>> {
        let mut least: Option<Arc<Resident>> = None;
        for _ in 0..SAMPLE {
            let place = self.random_place();
            let candidate = self.all.get(place)?;
            if candidate.is_new.load(Ordering::Relaxed) || Some(candidate.entry.id) == except {
                continue;
            }
            if least
                .as_ref()
                .is_none_or(|least| self.compare(candidate, least) == Less)
            {
                least = Some(Arc::clone(candidate));
            }
        }
        least
    }

    fn random_place(&mut self) -> usize {
        // xorshift64: three shifts are random enough to spread over places.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % (self.all.len().max(1) as u64)) as usize
    }

    /// Orders by worth, then by time of the last use.
    fn compare(&self, a: &Resident, b: &Resident) -> std::cmp::Ordering {
        let latest_ms = self.latest_ms.load(Ordering::Relaxed);
        let worth = |resident: &Resident| {
            let saved = resident.saved_micro_usd.load(Ordering::Relaxed);
            let idle_ms = latest_ms.saturating_sub(resident.last_used_ms());
            self.worth.of(&resident.entry, saved, idle_ms)
        };
        worth(a)
            .total_cmp(&worth(b))
            .then_with(|| a.last_used_ms().cmp(&b.last_used_ms()))
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
        let mut residents = Residents::new(1_000);
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
        let mut residents = Residents::new(1_000);
        for n in [5, 2, 9] {
            residents.insert(resident(n));
        }
        let expiry = |n: u64| entry(n).expires_at_ms;
        assert_eq!(residents.expired(expiry(2) - 1), None);
        assert_eq!(residents.expired(expiry(9)), Some(id(2)));
        residents.remove(id(2));
        assert_eq!(residents.expired(expiry(9)), Some(id(5)));
    }

    /// Fills with entries used once, the first `in_use` of them twice more.
    fn full_of(max: u64, in_use: u64) -> Residents {
        let mut residents = Residents::new(max as usize);
        for n in 0..max {
            let resident = resident(n);
            residents.note_admission(resident.entry());
            residents.insert(resident);
            if n < in_use {
                residents.note_hit(id(n), 0, 2_000);
                residents.note_hit(id(n), 0, 2_001);
            }
        }
        residents
    }

    /// Takes a stream of entries that are used once in, with the eviction that makes room for each.
    fn wash_through(residents: &mut Residents, numbers: std::ops::Range<u64>) {
        for n in numbers {
            let victim = residents.victim();
            assert!(victim.is_some_and(|id| residents.remove(id).is_some()));
            let resident = resident(n);
            residents.note_admission(resident.entry());
            residents.insert(resident);
        }
    }

    #[test]
    fn a_stream_of_entries_used_once_leaves_those_in_use_alone() {
        let mut residents = full_of(1_000, 500);
        wash_through(&mut residents, 1_000..4_000);
        assert_eq!(residents.len(), 1_000);
        let kept = (0..500).filter(|n| residents.contains(id(*n))).count();
        assert!(kept >= 475, "{kept} of 500");
    }

    #[test]
    fn a_new_entry_stays_for_a_while_and_for_long_once_it_is_used() {
        let mut residents = full_of(1_000, 1_000);
        wash_through(&mut residents, 1_000..1_001);
        wash_through(&mut residents, 1_001..1_015);
        assert!(residents.contains(id(1_000)), "the window holds 20");
        for at in 0..4 {
            residents.note_hit(id(1_000), 0, 3_000 + at);
        }
        wash_through(&mut residents, 1_015..2_000);
        assert!(residents.contains(id(1_000)));
        let unused = (1_100..1_900).filter(|n| residents.contains(id(*n)));
        assert_eq!(unused.count(), 0, "those used once have gone");
    }

    #[test]
    fn of_two_entries_used_alike_the_dearer_one_stays() {
        let mut residents = full_of(1_000, 0);
        for n in 0..1_000 {
            residents.note_hit(id(n), if n % 2 == 0 { 1_000 } else { 10 }, 2_000);
        }
        let mut dear = 0;
        for _ in 0..200 {
            let victim = residents.victim();
            dear += u32::from(victim.is_some_and(|id| id.as_u64() % 2 == 0));
            victim.map(|id| residents.remove(id));
        }
        assert!(dear < 30, "{dear} of 200 victims were the dear ones");
    }

    #[test]
    fn among_equals_the_least_recently_used_go() {
        let mut residents = Residents::new(1_000);
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
        assert_eq!(Residents::new(1).victim(), None);
    }
}
