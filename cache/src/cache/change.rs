//! Taking entries in and out: one change at a time, in memory first, then in the index, then towards the store.

use std::sync::Arc;

use crate::cache::Cache;
use crate::counters::Counter;
use crate::entry::{Embedding, Entry, EntryId, NewEntry};
use crate::error::{Error, Result};
use crate::key::ExactKey;
use crate::resident::Resident;

/// Expired entries cleared away with each admission: enough to keep up, too few to be felt.
const SWEPT_PER_ADMISSION: usize = 64;

/// Why an entry goes.
#[derive(Clone, Copy)]
enum Reason {
    Capacity,
    Expired,
    Replaced,
    Removed,
}

impl Cache {
    /// Takes an answer in, in place of one with the same exact key, and evicts another one if there is no room.
    ///
    /// It is found at once and durable within a second. A vector of a model other than the current one is stored
    /// but not searched.
    ///
    /// # Errors
    /// [`Error::AnswerTooLarge`] above the configured limit.
    pub fn admit(&self, new: NewEntry, now_ms: u64) -> Result<EntryId> {
        let (bytes, limit) = (new.answer.text.len(), self.options.max_answer_bytes);
        if bytes > limit {
            return Err(Error::AnswerTooLarge { bytes, limit });
        }
        let _changing = self.changing.lock();
        self.evict_expired(now_ms, SWEPT_PER_ADMISSION);
        let replaced = self
            .exact
            .get(&new.exact)
            .map(|resident| resident.entry().id);
        if replaced.is_none() {
            self.make_room();
        }
        let ttl = new.ttl.unwrap_or(self.options.ttl);
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let embedding = new
            .vector
            .map(|vector| Arc::new(Embedding::new(vector, new.sketch)));
        let entry = Arc::new(Entry {
            id: self.fresh_id(&new.exact, now_ms),
            namespace: new.namespace,
            exact: new.exact,
            compatibility: new.compatibility,
            goal: new.goal,
            answer: new.answer,
            upstream: new.upstream,
            model_requested: new.model_requested,
            created_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(ttl_ms),
            language: new.language,
        });
        let resident = Arc::new(Resident::new(Arc::clone(&entry)));
        // The new entry is there before the old one goes: no moment without an answer.
        self.take_in(&resident);
        if let Some(id) = replaced {
            self.evict(id, Reason::Replaced);
        }
        let searched = embedding
            .as_ref()
            .filter(|it| self.model.read().as_deref() == Some(it.vector.model()));
        if let Some(embedding) = searched {
            self.index(&resident, embedding);
            self.partitions.maintain(&entry.compatibility);
            self.note_index_change();
        }
        self.counters.add(Counter::Admissions, 1);
        let id = entry.id;
        if let Some(writer) = &self.writer {
            writer.put(entry, embedding);
        }
        Ok(id)
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
        true
    }

    /// Takes an entry out of memory and store.
    fn evict(&self, id: EntryId, reason: Reason) -> bool {
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
