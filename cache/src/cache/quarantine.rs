//! Answers that one contributor brought and nobody else has confirmed.
//!
//! In a namespace that many share, whoever can bring an upstream to a wrong answer could plant it for all. An
//! entry in quarantine lies under keys that only its contributor's lookups make, by exact key and by meaning, so
//! it cannot reach anybody else. It is moved to the keys of all when a second credential's upstream gives the
//! same answer to the same request, or a second credential votes for it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cache::Cache;
use crate::cache::change::Reason;
use crate::contributor::Contributor;
use crate::entry::{Embedding, Entry, EntryId, NewEntry, Quarantine};
use crate::key::ExactKey;
use crate::resident::Resident;

/// What became of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// The entry is now found by all.
    Shared,
    /// The voter is the contributor itself, or nobody who can be told apart: it does not count.
    NotIndependent,
    /// No such entry is in quarantine.
    NotWaiting,
}

/// The entries in quarantine, by the request they answer.
#[derive(Default)]
pub(super) struct Waiting(HashMap<ExactKey, Vec<EntryId>>);

impl Waiting {
    pub(super) fn add(&mut self, entry: &Entry) {
        if let Some(keys) = &entry.quarantine {
            let ids = self.0.entry(keys.exact).or_default();
            if !ids.contains(&entry.id) {
                ids.push(entry.id);
            }
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry) {
        if let Some(keys) = &entry.quarantine
            && let Some(ids) = self.0.get_mut(&keys.exact)
        {
            ids.retain(|id| *id != entry.id);
            if ids.is_empty() {
                self.0.remove(&keys.exact);
            }
        }
    }

    fn of(&self, key: &ExactKey) -> Vec<EntryId> {
        self.0.get(key).cloned().unwrap_or_default()
    }
}

impl Cache {
    /// Counts the word of a second contributor for an entry in quarantine.
    ///
    /// The entry keeps its id. Blocks until its vector is read back from the store, so it is not for the way of a
    /// request; in a cache without a store, others find it by its exact key only. It takes the place of an entry
    /// that all find already for the same request.
    pub fn vote(&self, id: EntryId, voter: Contributor) -> Vote {
        let _changing = self.changing.lock();
        let Some(entry) = self.get(id) else {
            return Vote::NotWaiting;
        };
        let Some(keys) = entry.quarantine.as_deref().copied() else {
            return Vote::NotWaiting;
        };
        if !is_independent(&entry, voter) {
            return Vote::NotIndependent;
        }
        let embedding = self.stored_embedding(id).map(Arc::new);
        let shared = Arc::new(Entry {
            exact: keys.exact,
            compatibility: keys.compatibility,
            quarantine: None,
            ..Entry::clone(&entry)
        });
        self.forget(id);
        if let Some(replaced) = self.exact.get(&keys.exact) {
            self.evict(replaced.entry().id, Reason::Replaced);
        }
        let resident = Arc::new(Resident::new(Arc::clone(&shared)));
        self.take_in(&resident);
        self.index_current(&resident, embedding.as_deref());
        if let Some(writer) = &self.writer {
            writer.put(shared, embedding);
        }
        Vote::Shared
    }

    /// Returns how many entries only their contributors find.
    pub fn quarantined(&self) -> usize {
        self.waiting.lock().0.values().map(Vec::len).sum()
    }

    /// Gives a new entry the keys of its contributor, unless an equal answer of another one waits already: then
    /// both have confirmed each other, and the new one goes to all in the place of the other.
    pub(super) fn place(&self, new: &mut NewEntry, now_ms: u64) -> Option<Box<Quarantine>> {
        if !new.quarantine || new.contributor == Contributor::OPERATOR {
            return None;
        }
        let shared = self.exact.get(&new.exact);
        if shared.is_some_and(|shared| agree(&shared.entry().answer.text, &new.answer.text)) {
            // What all are told already needs no second word; it may come again with its vector.
            return None;
        }
        let ids = self.waiting.lock().of(&new.exact);
        let waiting: Vec<Arc<Entry>> = ids
            .into_iter()
            .filter_map(|id| self.get(id))
            .filter(|entry| !entry.is_expired(now_ms))
            .collect();
        let agreeing = waiting.iter().find(|entry| {
            is_independent(entry, new.contributor) && agree(&entry.answer.text, &new.answer.text)
        });
        if let Some(agreeing) = agreeing {
            self.evict(agreeing.id, Reason::Replaced);
            // What the contributor had before would hide the shared answer from it.
            for own in waiting
                .iter()
                .filter(|entry| entry.contributor == new.contributor)
            {
                self.evict(own.id, Reason::Replaced);
            }
            return None;
        }
        let keys = Quarantine {
            exact: new.exact,
            compatibility: new.compatibility,
        };
        new.exact = keys.exact.private_to(new.contributor);
        new.compatibility = keys.compatibility.private_to(new.contributor);
        Some(Box::new(keys))
    }

    fn stored_embedding(&self, id: EntryId) -> Option<Embedding> {
        let writer = self.writer.as_ref()?;
        // What is still queued could not be read back.
        let read = writer.flush().and_then(|()| writer.store().embedding(id));
        read.unwrap_or_else(|error| {
            tracing::warn!(%id, %error, "entry is shared without its vector");
            None
        })
    }
}

/// Whether somebody's word counts beside that of an entry's contributor.
///
/// Callers without a credential cannot be told apart, so their word confirms nothing, and nothing confirms theirs
/// but the operator's: somebody with one credential could always be the one who came without it, too.
fn is_independent(entry: &Entry, voter: Contributor) -> bool {
    let tenants = voter.is_credential() && entry.contributor.is_credential();
    voter == Contributor::OPERATOR || (tenants && voter != entry.contributor)
}

/// Whether two answers are the same but for white space. Anything looser would let a planted half-sentence pass
/// on the back of an honest answer.
fn agree(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}
