//! A damaged file as it lies there: opened for reading, without the repair that would refuse it.
//!
//! After a kill redb repairs a file before it lets anybody read, and gives up where one page of it is damaged.
//! Rows have digests of their own, so they can be read without that. The file is opened as by a reader beside a
//! live writer, which repairs nothing, and stays as it is: it may be all that is left.

use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::Path;

use parking_lot::Mutex;
use redb::{
    BackendError, Builder, ConcurrencyMode, DatabaseError, ReadOnlyDatabase, StorageBackend,
};

use super::PAGE_CACHE_BYTES;

/// Where a file of redb says which of two commits is the last (bit 0) and that a repair is due (bit 1); see its
/// design document, "database header".
const FLAGS_AT: u64 = 9;
const LAST_COMMIT: u8 = 1;
const REPAIR_IS_DUE: u8 = 2;

/// Opens a file that no process writes to; the last commit, or where that cannot be read the one before.
pub(super) fn open(path: &Path) -> Result<ReadOnlyDatabase, DatabaseError> {
    let opened = |flip| {
        let frozen = Frozen {
            file: Mutex::new(File::open(path)?),
            flip,
        };
        Builder::new()
            .set_cache_size(PAGE_CACHE_BYTES)
            .set_concurrency_mode(ConcurrencyMode::SingleWriter)
            .open_read_only_with_backend(frozen)
    };
    opened(0).or_else(|error| opened(LAST_COMMIT).map_err(|_| error))
}

#[derive(Debug)]
struct Frozen {
    file: Mutex<File>,
    /// Flags to turn round.
    flip: u8,
}

impl StorageBackend for Frozen {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        {
            let mut file = self.file.lock();
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(out)?;
        }
        let flags = FLAGS_AT
            .checked_sub(offset)
            .and_then(|place| out.get_mut(usize::try_from(place).ok()?));
        if let Some(flags) = flags {
            *flags = (*flags & !REPAIR_IS_DUE) ^ self.flip;
        }
        Ok(())
    }

    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    // The name is new and ours alone: there is nobody to keep out.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(false)
    }
}
