//! Stores that fail on demand, for tests.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use redb::backends::FileBackend;
use redb::{Builder, StorageBackend};

use crate::entry::{Embedding, Entry, EntryId};
use crate::error::{Error, Result};
use crate::store::pending::{Batch, Change};
use crate::store::redb::{FILE_NAME, RedbStore};
use crate::store::{PhrasingKey, Store};

/// A file on a disk that is full while the flag is set.
#[derive(Debug)]
struct FullDisk {
    file: FileBackend,
    full: Arc<AtomicBool>,
}

impl FullDisk {
    fn check(&self) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(())
    }
}

impl StorageBackend for FullDisk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.file.write(offset, data)
    }
}

/// Opens a real store on a disk that can be filled and emptied by the flag.
pub(crate) fn on_full_disk(directory: &Path, full: &Arc<AtomicBool>) -> Result<RedbStore> {
    let path = directory.join(FILE_NAME);
    let (file, full) = (path.clone(), Arc::clone(full));
    let opener = move || {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)?;
        Builder::new().create_with_backend(FullDisk {
            file: FileBackend::new(file)?,
            full: Arc::clone(&full),
        })
    };
    RedbStore::with_opener(path, Box::new(opener))
}

/// A store that holds up every commit until it is let go on, and remembers the ids put and removed.
#[derive(Default)]
pub(crate) struct SlowStore {
    open: Mutex<bool>,
    opened: Condvar,
    waiting: Mutex<bool>,
    waits: Condvar,
    pub(crate) puts: Mutex<Vec<EntryId>>,
    pub(crate) removes: Mutex<Vec<EntryId>>,
}

impl SlowStore {
    pub(crate) fn let_go(&self) {
        *self.open.lock() = true;
        self.opened.notify_all();
    }

    /// Waits until a commit is held up.
    pub(crate) fn wait_for_commit(&self) {
        let mut waiting = self.waiting.lock();
        while !*waiting {
            self.waits.wait(&mut waiting);
        }
    }
}

impl Store for SlowStore {
    fn entries(&self, _: &mut dyn FnMut(EntryId, Result<Entry>)) -> Result<()> {
        Ok(())
    }

    fn embeddings(&self, _: &mut dyn FnMut(EntryId, Result<Embedding>)) -> Result<()> {
        Ok(())
    }

    fn embedding(&self, _: EntryId) -> Result<Option<Embedding>> {
        Ok(None)
    }

    fn counters(&self) -> Result<BTreeMap<String, u64>> {
        Ok(BTreeMap::new())
    }

    fn phrasing(&self, _: &PhrasingKey) -> Result<Option<Vec<f32>>> {
        Err(Error::Damaged {
            reason: "it is slow".into(),
        })
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        *self.waiting.lock() = true;
        self.waits.notify_all();
        let mut open = self.open.lock();
        while !*open {
            self.opened.wait(&mut open);
        }
        for (id, change) in &batch.changes {
            match change {
                Change::Put(..) => self.puts.lock().push(*id),
                Change::Remove => self.removes.lock().push(*id),
            }
        }
        Ok(())
    }

    fn file_bytes(&self) -> u64 {
        0
    }
}
