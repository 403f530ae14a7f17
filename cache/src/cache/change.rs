//! Taking entries in and out: one change at a time, in memory first, then in the index, then towards the store.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::Cache;
use crate::counters::Counter;
use crate::entry::{Embedding, Entry, EntryId, NewEntry};
use crate::error::{Error, Result};
use crate::key::ExactKey;
use crate::pii;
use crate::resident::Resident;

/// Expired entries cleared away with each admission: enough to keep up, too few to be felt.
const SWEPT_PER_ADMISSION: usize = 64;

/// Why an entry goes.
#[derive(Clone, Copy)]
pub(super) enum Reason {
    Capacity,
    Expired,
    Replaced,
    Removed,
}

impl Cache {
    /// Takes an answer in, in place of one with the same exact key, and evicts another one if there is no room.
    ///
    /// It is found at once and durable within a second. A vector of a model other than the current one is stored
    /// but not searched. Where the entry asks for quarantine, only its contributor finds it until a second one
    /// brings the same answer to the same request, or votes for it ([`Cache::vote`]).
    ///
    /// # Errors
    /// [`Error::AnswerTooLarge`] above the configured limit, [`Error::Pii`] where personal data or a secret is
    /// found and refused. Costs one pass over goal and answer.
    pub fn admit(&self, new: NewEntry, now_ms: u64) -> Result<EntryId> {
        self.admit_until(new, now_ms, None)
    }

    /// As [`Self::admit`], for an entry of another store: it keeps its age and its end, which was spread there.
    ///
    /// # Errors
    /// Those of [`Self::admit`].
    pub fn readmit(
        &self,
        new: NewEntry,
        created_at_ms: u64,
        expires_at_ms: u64,
    ) -> Result<EntryId> {
        self.admit_until(new, created_at_ms, Some(expires_at_ms))
    }

    fn admit_until(
        &self,
        mut new: NewEntry,
        now_ms: u64,
        expires_at_ms: Option<u64>,
    ) -> Result<EntryId> {
        let (bytes, limit) = (new.answer.text.len(), self.options.max_answer_bytes);
        if bytes > limit {
            return Err(Error::AnswerTooLarge { bytes, limit });
        }
        if self.options.refuse_pii
            && let Some(kind) = pii::find(&new.goal).or_else(|| pii::find(&new.answer.text))
        {
            return Err(Error::Pii { kind });
        }
        let _changing = self.changing.lock();
        self.evict_expired(now_ms, SWEPT_PER_ADMISSION);
        let quarantine = self.place(&mut new, now_ms);
        let replaced = self
            .exact
            .get(&new.exact)
            .map(|resident| resident.entry().id);
        if replaced.is_none() {
            self.make_room();
        }
        let id = self.fresh_id(&new.exact, now_ms);
        let expires_at_ms = expires_at_ms.unwrap_or_else(|| {
            let ttl_ms = self.ttl_ms(new.ttl.unwrap_or(self.options.ttl), id);
            now_ms.saturating_add(ttl_ms)
        });
        let embedding = new
            .vector
            .map(|vector| Arc::new(Embedding::new(vector, new.sketch)));
        let entry = Arc::new(Entry {
            id,
            namespace: new.namespace,
            exact: new.exact,
            compatibility: new.compatibility,
            goal: new.goal,
            answer: new.answer,
            upstream: new.upstream,
            model_requested: new.model_requested,
            created_at_ms: now_ms,
            expires_at_ms,
            language: new.language,
            contributor: new.contributor,
            quarantine,
        });
        let resident = Arc::new(Resident::new(Arc::clone(&entry)));
        self.residents.read().note_admission(&entry);
        // The new entry is there before the old one goes: no moment without an answer.
        self.take_in(&resident);
        if let Some(id) = replaced {
            self.evict(id, Reason::Replaced);
        }
        self.index_current(&resident, embedding.as_deref());
        self.counters.add(Counter::Admissions, 1);
        if let Some(writer) = &self.writer {
            writer.put(entry, embedding);
        }
        Ok(id)
    }

    /// Indexes the vector of an entry just taken in, if it is of the current model.
    pub(super) fn index_current(&self, resident: &Arc<Resident>, embedding: Option<&Embedding>) {
        let searched =
            embedding.filter(|it| self.model.read().as_deref() == Some(it.vector.model()));
        if let Some(embedding) = searched {
            self.index(resident, embedding);
            self.partitions.maintain(&resident.entry().compatibility);
            self.note_index_change();
        }
    }

    /// Takes an entry out; says whether it was there.
    pub fn remove(&self, id: EntryId) -> bool {
        let _changing = self.changing.lock();
        self.evict(id, Reason::Removed)
    }

    /// Takes out every entry that a predicate accepts and returns how many went.
    ///
    /// The predicate sees id, namespace, times and goal, and runs while admissions wait; lookups go on. What it
    /// accepts is gone from the store within a second.
    pub fn remove_where(&self, condemned: impl Fn(&Entry) -> bool) -> usize {
        let _changing = self.changing.lock();
        let condemned: Vec<EntryId> = self
            .entries()
            .iter()
            .filter(|entry| condemned(entry))
            .map(|entry| entry.id)
            .collect();
        condemned
            .into_iter()
            .filter(|id| self.evict(*id, Reason::Removed))
            .count()
    }

    /// Clears away entries whose time is over and returns how many. Admissions do it too, a few at a time.
    pub fn sweep(&self, now_ms: u64) -> usize {
        let _changing = self.changing.lock();
        self.evict_expired(now_ms, usize::MAX)
    }

    /// Shortens a time to live by up to the configured part, by a share that follows from the id.
    fn ttl_ms(&self, ttl: Duration, id: EntryId) -> u64 {
        // An id is a digest: as a fraction of its range it is evenly spread over [0, 1).
        let share = id.as_u64() as f64 / (u64::MAX as f64 + 1.0);
        let earlier = ttl.mul_f64(self.options.ttl_jitter.clamp(0.0, 1.0) * share.min(1.0));
        u64::try_from(ttl.saturating_sub(earlier).as_millis()).unwrap_or(u64::MAX)
    }

    fn fresh_id(&self, exact: &ExactKey, now_ms: u64) -> EntryId {
        let residents = self.residents.read();
        let mut nonce = 0;
        loop {
            let id = EntryId::derive(exact, now_ms, nonce);
            if !residents.contains(id) {
                return id;
            }
            nonce += 1;
        }
    }

    pub(super) fn take_in(&self, resident: &Arc<Resident>) {
        self.residents.write().insert(Arc::clone(resident));
        self.exact.insert(resident);
        self.waiting.lock().add(resident.entry());
    }

    /// Takes an entry out of memory.
    pub(super) fn forget(&self, id: EntryId) -> bool {
        let Some(resident) = self.residents.write().remove(id) else {
            return false;
        };
        let entry = resident.entry();
        self.exact.remove(&entry.exact, id);
        self.partitions.remove(&entry.compatibility, id);
        self.bound.forget(id);
        self.note_index_change();
        self.waiting.lock().remove(entry);
        true
    }

    /// Takes an entry out of memory and store.
    pub(super) fn evict(&self, id: EntryId, reason: Reason) -> bool {
        let there = self.forget(id);
        if there {
            if let Some(writer) = &self.writer {
                writer.remove(id);
            }
            let mut evictions = self.evictions.lock();
            match reason {
                Reason::Capacity => evictions.capacity += 1,
                Reason::Expired => evictions.expired += 1,
                Reason::Replaced => evictions.replaced += 1,
                Reason::Removed => evictions.removed += 1,
            }
        }
        there
    }

    /// Returns the time before which an entry has to have expired to be dropped.
    pub(super) fn kept_since(&self, now_ms: u64) -> u64 {
        let kept_for = self.options.stale_while_revalidate.as_millis();
        now_ms.saturating_sub(u64::try_from(kept_for).unwrap_or(u64::MAX))
    }

    fn evict_expired(&self, now_ms: u64, at_most: usize) -> usize {
        let now_ms = self.kept_since(now_ms);
        let mut evicted = 0;
        while evicted < at_most {
            let expired = self.residents.read().expired(now_ms);
            let Some(id) = expired else { break };
            self.evict(id, Reason::Expired);
            evicted += 1;
        }
        evicted
    }

    /// Evicts until one more entry fits.
    fn make_room(&self) {
        while self.residents.read().len() >= self.options.max_entries.max(1) {
            let victim = self.residents.write().victim();
            let Some(id) = victim else { break };
            self.evict(id, Reason::Capacity);
        }
    }

    /// Returns an entry to drop while there are more than allowed.
    pub(super) fn surplus(&self) -> Option<EntryId> {
        let mut residents = self.residents.write();
        if residents.len() > self.options.max_entries.max(1) {
            residents.victim()
        } else {
            None
        }
    }
}
