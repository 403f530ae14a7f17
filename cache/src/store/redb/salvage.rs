//! Carrying over what can still be read of a damaged store.
//!
//! Rows are read from the front until the damage stops it, and then from the back. Each has a digest of its own,
//! so that what is carried over is what was stored.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use redb::{ReadableDatabase, TableDefinition};

use super::{CURVE, CURVES, ENTRIES, LABELS, VECTORS, caught, frozen, table};
use crate::bound::curve::Curve;
use crate::bound::entry::Labels;
use crate::entry::{Embedding, Entry, EntryId};
use crate::error::Result;
use crate::store::Store;
use crate::store::pending::Batch;

/// Entries carried over in one commit.
const ENTRIES_PER_COMMIT: usize = 128;

/// Copies the entries that can be read in a damaged file, with their vectors and labels, and returns how many.
///
/// # Errors
/// [`crate::error::Error::Store`] when they cannot be written. Whatever cannot be read is left out.
pub(crate) fn copy(damaged: &Path, to: &dyn Store) -> Result<usize> {
    let opened = caught(|| {
        frozen::open(damaged)
            .map_err(|error| super::classify("open the damaged file", error.into()))
    });
    let database = match opened {
        Ok(database) => database,
        Err(error) => {
            tracing::warn!(%error, "nothing can be carried over");
            return Ok(0);
        }
    };
    let mut entries = Vec::new();
    read(&database, ENTRIES, &mut |id, value| {
        entries.extend(Entry::decode(id, value));
    });
    let mut embeddings = HashMap::new();
    read(&database, VECTORS, &mut |id, value| {
        if let Ok(embedding) = Embedding::decode(id, value) {
            embeddings.insert(id, Arc::new(embedding));
        }
    });
    let mut labels = HashMap::new();
    read(&database, LABELS, &mut |id, value| {
        if Labels::decode(id, value).is_ok() {
            labels.insert(id, value.to_vec());
        }
    });
    let curve = curve(&database);
    // Closing may meet the damage.
    let closed = caught(|| {
        drop(database);
        Ok(())
    });
    if let Err(error) = closed {
        tracing::warn!(%error, "damaged file not closed cleanly");
    }
    let num_entries = entries.len();
    let mut batch = Batch::default();
    batch.curve = curve;
    for entry in entries {
        let embedding = embeddings.remove(&entry.id);
        if let Some(labels) = labels.remove(&entry.id) {
            batch.labels.insert(entry.id, labels);
        }
        batch.put(Arc::new(entry), embedding);
        if batch.len() >= ENTRIES_PER_COMMIT {
            to.commit(&std::mem::take(&mut batch))?;
        }
    }
    to.commit(&batch)?;
    Ok(num_entries)
}

/// The curve that all entries share, if it can be read.
fn curve(database: &impl ReadableDatabase) -> Option<Vec<u8>> {
    let read = || -> Result<Option<Vec<u8>>, redb::Error> {
        let Some(table) = table(database, CURVES)? else {
            return Ok(None);
        };
        Ok(table.get(CURVE)?.map(|value| value.value().to_vec()))
    };
    let sealed = caught(|| read().map_err(|error| super::classify("read the curve", error)));
    sealed.ok().flatten().filter(|it| Curve::decode(it).is_ok())
}

/// Visits the rows of a table that can be reached from either end, each once.
fn read(
    database: &impl ReadableDatabase,
    definition: TableDefinition<'static, u64, &'static [u8]>,
    visit: &mut dyn FnMut(EntryId, &[u8]),
) {
    let mut seen = HashSet::new();
    for backwards in [false, true] {
        let pass = caught(|| {
            let mut read = || -> Result<(), redb::Error> {
                let Some(table) = table(database, definition)? else {
                    return Ok(());
                };
                let mut rows = table.range::<u64>(..)?;
                while let Some(row) = if backwards {
                    rows.next_back()
                } else {
                    rows.next()
                } {
                    let (id, value) = row?;
                    if !seen.insert(id.value()) {
                        break;
                    }
                    visit(EntryId::from_u64(id.value()), value.value());
                }
                Ok(())
            };
            read().map_err(|error| super::classify("read the damaged file", error))
        });
        match pass {
            Ok(()) if !backwards => return,
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, backwards, "the rest cannot be read from here"),
        }
    }
}
