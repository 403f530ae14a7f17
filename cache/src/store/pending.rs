//! The writes that wait for the next group.
//!
//! Writes to one entry replace each other, so that a store that cannot be written to costs bounded memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::counters::Totals;
use crate::entry::{Embedding, Entry, EntryId};
use crate::store::PhrasingKey;

/// Entries that may wait: a quarter of a second at a rate no upstream reaches.
pub(crate) const MAX_ENTRIES: usize = 8192;

/// Bytes that may wait, entries and vectors together.
pub(crate) const MAX_BYTES: usize = 256 << 20;

/// Phrasings that may wait; a library of a thousand templates has fewer.
const MAX_PHRASINGS: usize = 65_536;

/// What is to happen to one entry.
pub(crate) enum Change {
    /// It is stored, with its vectors if it has some.
    Put(Arc<Entry>, Option<Arc<Embedding>>),
    /// It and its vectors are deleted.
    Remove,
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Self::Remove => 0,
            Self::Put(entry, embedding) => {
                entry.bytes()
                    + embedding
                        .as_ref()
                        .map_or(0, |embedding| embedding_bytes(embedding))
            }
        }
    }
}

/// Bytes the values of an embedding take.
pub(crate) fn embedding_bytes(embedding: &Embedding) -> usize {
    let sketch = embedding.sketch.as_ref().map_or(0, Vec::len);
    (embedding.vector.values().len() + sketch) * size_of::<f32>()
}

/// One group of writes.
#[derive(Default)]
pub(crate) struct Batch {
    /// By id, which is also the order they are written in.
    pub(crate) changes: BTreeMap<EntryId, Change>,
    /// Vectors of template phrasings.
    pub(crate) phrasings: BTreeMap<PhrasingKey, Vec<f32>>,
    /// Labels of entries, sealed.
    pub(crate) labels: BTreeMap<EntryId, Vec<u8>>,
    /// The curve of all labels, sealed, when it changed.
    pub(crate) curve: Option<Vec<u8>>,
    /// The totals, when they changed.
    pub(crate) totals: Option<Totals>,
    puts: usize,
    bytes: usize,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.phrasings.is_empty()
            && self.labels.is_empty()
            && self.curve.is_none()
            && self.totals.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        self.changes.len() + self.phrasings.len() + self.labels.len()
    }

    /// Queues an entry; `false` when too much is waiting already.
    pub(crate) fn put(&mut self, entry: Arc<Entry>, embedding: Option<Arc<Embedding>>) -> bool {
        let id = entry.id;
        let change = Change::Put(entry, embedding);
        let fits = self.puts < MAX_ENTRIES && self.bytes + change.bytes() <= MAX_BYTES;
        if fits {
            self.set(id, change);
        }
        fits
    }

    /// Queues a deletion. It always fits: it is small, and takes the place of the entry.
    pub(crate) fn remove(&mut self, id: EntryId) {
        self.labels.remove(&id);
        self.set(id, Change::Remove);
    }

    /// Queues the labels of an entry and the curve; `false` when too much is waiting already.
    pub(crate) fn labels(&mut self, id: EntryId, labels: Vec<u8>, curve: Vec<u8>) -> bool {
        self.curve = Some(curve);
        let fits = self.labels.len() < MAX_ENTRIES || self.labels.contains_key(&id);
        if fits {
            self.labels.insert(id, labels);
        }
        fits
    }

    /// Queues the vector of a phrasing; `false` when too much is waiting already.
    pub(crate) fn phrasing(&mut self, key: PhrasingKey, values: Vec<f32>) -> bool {
        let fits = self.phrasings.len() < MAX_PHRASINGS;
        if fits {
            self.phrasings.insert(key, values);
        }
        fits
    }

    /// Puts back a group that could not be written, under what was queued since.
    pub(crate) fn restore(&mut self, older: Batch) {
        for (id, change) in older.changes {
            if !self.changes.contains_key(&id) {
                self.set(id, change);
            }
        }
        for (key, values) in older.phrasings {
            self.phrasings.entry(key).or_insert(values);
        }
        for (id, labels) in older.labels {
            if !matches!(self.changes.get(&id), Some(Change::Remove)) {
                self.labels.entry(id).or_insert(labels);
            }
        }
        self.curve = self.curve.take().or(older.curve);
        // Totals only grow; the next group takes them afresh.
    }

    fn set(&mut self, id: EntryId, change: Change) {
        let added = (
            usize::from(matches!(change, Change::Put(..))),
            change.bytes(),
        );
        if let Some(replaced) = self.changes.insert(id, change) {
            self.puts -= usize::from(matches!(replaced, Change::Put(..)));
            self.bytes -= replaced.bytes();
        }
        self.puts += added.0;
        self.bytes += added.1;
    }
}
