//! The exact tier: one look-up by digest.
//!
//! The map is split into shards so that a hit takes a read lock that a writer elsewhere does not hold up.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::entry::EntryId;
use crate::key::ExactKey;
use crate::resident::Resident;

/// Enough for the cores of one machine; a power of two, so that one byte of the key spreads evenly.
const SHARDS: usize = 64;

type Shard = RwLock<HashMap<ExactKey, Arc<Resident>>>;

/// The entries by exact key.
pub(crate) struct ExactMap {
    shards: Box<[Shard]>,
}

impl ExactMap {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }

    pub(crate) fn get(&self, key: &ExactKey) -> Option<Arc<Resident>> {
        self.shard(key)?.read().get(key).cloned()
    }

    /// Puts an entry under its key and returns the one that was there.
    pub(crate) fn insert(&self, resident: &Arc<Resident>) -> Option<Arc<Resident>> {
        let key = resident.entry().exact;
        self.shard(&key)?.write().insert(key, Arc::clone(resident))
    }

    /// Takes an entry away, unless its key leads to a newer one by now.
    pub(crate) fn remove(&self, key: &ExactKey, id: EntryId) {
        if let Some(shard) = self.shard(key) {
            let mut shard = shard.write();
            if shard
                .get(key)
                .is_some_and(|resident| resident.entry().id == id)
            {
                shard.remove(key);
            }
        }
    }

    fn shard(&self, key: &ExactKey) -> Option<&Shard> {
        let [first, ..] = key.as_bytes();
        self.shards.get(usize::from(*first) % SHARDS)
    }
}
