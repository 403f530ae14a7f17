//! The index on disk, so that a start need not build it again: `index.snapshot`, beside the store.
//!
//! The store stays the truth. A snapshot names the store and its generation: one of the same store and no later
//! generation fits, and what changed since is made up for entry by entry. It is written to another name, synced and
//! renamed, and ends in a digest of all of it; one that does not fit or is damaged is not used, and the index is built
//! from the store.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::entry::EntryId;
use crate::error::{Error, Result};
use crate::key::CompatibilityKey;
use crate::semantic::partition::Partition;
use crate::semantic::snapshot::stream::{Sink, Source};

pub(crate) mod stream;

/// Name of the file inside the data directory.
pub(crate) const FILE_NAME: &str = "index.snapshot";

const MAGIC: u64 = u64::from_le_bytes(*b"tf-index");

/// Raised with every change to the form: a snapshot of another version is no loss, it is built anew.
const VERSION: u32 = 1;

/// Longest vector read back: bounds what a damaged length can ask for.
pub(super) const MAX_DIMENSIONS: u32 = 65_536;

/// Which state of which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Drawn when the store was begun.
    pub(crate) identity: u64,
    /// Raised by every group of changes to entries.
    pub(crate) generation: u64,
}

/// What a snapshot held.
pub(crate) struct Restored {
    pub(crate) partitions: Vec<(CompatibilityKey, Partition)>,
    /// The state of the store that it was taken at, or an earlier one.
    pub(crate) generation: u64,
}

/// Writes all partitions, in the place of an earlier snapshot.
///
/// `stamp` must have been read from the store before the partitions are: then everything of that generation is in
/// them.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written; an earlier one is then still there.
pub(crate) fn write(
    path: &Path,
    stamp: Stamp,
    model: &str,
    partitions: &[(CompatibilityKey, Arc<Partition>)],
) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let written = write_to(&unfinished, stamp, model, partitions);
    if written.is_err() {
        // What is left of it is of no use, and the disk may be full.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    fs::rename(&unfinished, path).map_err(|source| Error::Io {
        operation: "rename",
        path: unfinished,
        source,
    })
}

fn write_to(
    path: &Path,
    stamp: Stamp,
    model: &str,
    partitions: &[(CompatibilityKey, Arc<Partition>)],
) -> Result<()> {
    let mut sink = Sink::create(path)?;
    sink.u64(MAGIC)?;
    sink.u32(VERSION)?;
    sink.u64(stamp.identity)?;
    sink.u64(stamp.generation)?;
    sink.u32(model.len() as u32)?;
    sink.bytes(model.as_bytes())?;
    for (key, partition) in partitions {
        sink.u8(1)?;
        sink.bytes(key.as_bytes())?;
        partition.save(&mut sink)?;
    }
    sink.u8(0)?;
    sink.finish()
}

/// Reads a snapshot of the current model that fits a store, or `None` when there is none. Entries that `keep` does
/// not know, by partition and id, are left out.
///
/// # Errors
/// [`Error::Corrupt`] for a snapshot that is damaged or does not fit, [`Error::Io`] when it cannot be read.
pub(crate) fn read(
    path: &Path,
    stamp: Stamp,
    model: &str,
    keep: &dyn Fn(&CompatibilityKey, EntryId) -> bool,
) -> Result<Option<Restored>> {
    let Some(mut source) = Source::open(path)? else {
        return Ok(None);
    };
    if source.u64()? != MAGIC || source.u32()? != VERSION {
        return Err(corrupt("it has an unknown version"));
    }
    let (identity, generation) = (source.u64()?, source.u64()?);
    if identity != stamp.identity || generation > stamp.generation {
        return Err(corrupt("it belongs to another store"));
    }
    if source.u32()? as usize != model.len() || source.vec(model.len())? != model.as_bytes() {
        return Err(corrupt("it holds vectors of another model"));
    }
    let mut partitions = Vec::new();
    while source.u8()? == 1 {
        let key = CompatibilityKey::from_bytes(source.array()?);
        let partition = Partition::restore(&mut source, &|id| keep(&key, id))?;
        partitions.push((key, partition));
    }
    source.finish()?;
    Ok(Some(Restored {
        partitions,
        generation,
    }))
}

pub(super) fn corrupt(reason: &'static str) -> Error {
    Error::Corrupt {
        what: "index snapshot",
        reason,
    }
}

#[cfg(test)]
mod tests;
