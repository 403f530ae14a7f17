//! The embedded store: one redb file, `cache.redb`.
//!
//! After an I/O error redb refuses everything until the file is opened anew, so a failed commit closes it and the
//! next one opens it again. A file altered behind redb's back may make it panic; such a panic is caught and
//! counts as damage. The file is checked when it is opened, and what a damaged one still holds is carried over into
//! a fresh one. Values carry their own digests (see [`crate::codec`]), which find what redb does not check.

mod frozen;
mod migrate;
pub(crate) mod salvage;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable,
    TableDefinition, TableError,
};

use crate::bound::curve::Curve;
use crate::bound::entry::Labels;
use crate::codec::{Reader, Writer};
use crate::entry::{Embedding, Entry, EntryId};
use crate::error::{Error, Result};
use crate::semantic::snapshot::Stamp;
use crate::store::pending::{Batch, Change};
use crate::store::{PhrasingKey, Store};

/// Name of the file inside the data directory.
pub(crate) const FILE_NAME: &str = "cache.redb";

/// Version of the tables as a whole: 2 since entries name their contributor. Values have versions of their own.
const FORMAT: u64 = 2;

/// Where the version stands, and the version that all rows have been brought to.
const FORMAT_KEY: &str = "format";
const MIGRATED_KEY: &str = "migrated";

const PHRASING_VERSION: u8 = 1;

/// The one curve there is.
const CURVE: &str = "semantic";

/// redb's page cache. Small: after start-up nothing is read but the pages that are about to change.
const PAGE_CACHE_BYTES: usize = 16 << 20;

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const VECTORS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("vectors");
const PHRASINGS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("phrasings");
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
const LABELS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("labels");
const CURVES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("curves");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// What an index snapshot is compared with; both absent in a store that no version with snapshots has written to.
const IDENTITY: &str = "identity";
const GENERATION: &str = "generation";

/// Opens the database, again and again after failures.
type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// A store in one file.
pub(crate) struct RedbStore {
    path: PathBuf,
    opener: Opener,
    /// `None` between a failed commit and the next attempt.
    database: RwLock<Option<Database>>,
}

impl RedbStore {
    /// Opens the store in a directory, or begins one.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process has it, [`Error::Damaged`] for a file that is no store,
    /// [`Error::Format`] for one of a newer version, [`Error::Store`] when the file cannot be read or written.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE_NAME);
        let file = path.clone();
        // Checked when the process begins with it, and not again after each failed commit: a check reads it all,
        // which loading does anyway. Unchecked damage can make redb panic while it unwinds, which ends the process.
        let unchecked = AtomicBool::new(true);
        let opener = move || {
            Builder::new()
                .set_cache_size(PAGE_CACHE_BYTES)
                .set_check_integrity_on_open(unchecked.swap(false, Ordering::Relaxed))
                .create(&file)
        };
        Self::with_opener(path, Box::new(opener))
    }

    pub(crate) fn with_opener(path: PathBuf, opener: Opener) -> Result<Self> {
        let store = Self {
            path,
            opener,
            database: RwLock::new(None),
        };
        let format = store.run("read the format", |database| {
            let Some(table) = table(database, META)? else {
                return Ok(FORMAT);
            };
            Ok(table
                .get(FORMAT_KEY)?
                .map_or(FORMAT, |format| format.value()))
        })?;
        if format > FORMAT {
            return Err(Error::Format {
                found: format,
                supported: FORMAT,
            });
        }
        store.run("migrate", migrate::to_current)?;
        Ok(store)
    }

    /// Renames the file of a damaged store so that a fresh one can be begun, and returns its new name.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be renamed.
    pub(crate) fn move_aside(directory: &Path, now_ms: u64) -> Result<PathBuf> {
        let path = directory.join(FILE_NAME);
        let name = format!("{FILE_NAME}.corrupt-{}", now_ms / 1000);
        let mut target = directory.join(&name);
        let mut repeat = 0_u32;
        while target.exists() {
            repeat += 1;
            target = directory.join(format!("{name}-{repeat}"));
        }
        match std::fs::rename(&path, &target) {
            Ok(()) => Ok(target),
            Err(source) => Err(Error::Io {
                operation: "move aside",
                path,
                source,
            }),
        }
    }

    /// Runs a read or a commit on the database, opened if it is not.
    fn run<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Database) -> Result<T, redb::Error>,
    ) -> Result<T> {
        let closed = self.database.read().is_none();
        if closed {
            let mut database = self.database.write();
            if database.is_none() {
                let opened = caught(|| (self.opener)().map_err(|error| self.open_error(error)));
                *database = Some(opened?);
            }
        }
        match &*self.database.read() {
            Some(database) => caught(|| work(database).map_err(|error| classify(operation, error))),
            // A commit failed in between; the next call opens it again.
            None => Err(Error::Store {
                operation,
                source: Box::new(redb::Error::PreviousIo),
            }),
        }
    }

    /// Closes the file. redb writes once more when it closes, and may panic over what it finds.
    fn close(&self) {
        let database = self.database.write().take();
        if let Err(error) = caught(|| {
            drop(database);
            Ok(())
        }) {
            tracing::error!(%error, "store not closed cleanly");
        }
    }

    fn open_error(&self, error: DatabaseError) -> Error {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                Error::Locked {
                    path: self.path.clone(),
                }
            }
            // An older file format of redb than any version of ours has written is as foreign as garbage.
            DatabaseError::RepairAborted | DatabaseError::UpgradeRequired(_) => Error::Damaged {
                reason: error.to_string(),
            },
            other => classify("open the file", other.into()),
        }
    }

    fn visit(
        &self,
        operation: &'static str,
        definition: TableDefinition<'static, u64, &'static [u8]>,
        visit: &mut dyn FnMut(EntryId, &[u8]),
    ) -> Result<()> {
        self.run(operation, |database| {
            let Some(table) = table(database, definition)? else {
                return Ok(());
            };
            for row in table.range::<u64>(..)? {
                let (id, value) = row?;
                visit(EntryId::from_u64(id.value()), value.value());
            }
            Ok(())
        })
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store for RedbStore {
    fn entries(&self, visit: &mut dyn FnMut(EntryId, Result<Entry>)) -> Result<()> {
        self.visit("read the entries", ENTRIES, &mut |id, value| {
            visit(id, Entry::decode(id, value))
        })
    }

    fn embeddings(&self, visit: &mut dyn FnMut(EntryId, Result<Embedding>)) -> Result<()> {
        self.visit("read the vectors", VECTORS, &mut |id, value| {
            visit(id, Embedding::decode(id, value))
        })
    }

    fn embedding(&self, id: EntryId) -> Result<Option<Embedding>> {
        let sealed = self.run("read a vector", |database| {
            let Some(table) = table(database, VECTORS)? else {
                return Ok(None);
            };
            Ok(table.get(id.as_u64())?.map(|value| value.value().to_vec()))
        })?;
        sealed
            .map(|sealed| Embedding::decode(id, &sealed))
            .transpose()
    }

    fn stamp(&self) -> Result<Stamp> {
        self.run("read the generation", |database| {
            let Some(table) = table(database, META)? else {
                return Ok(Stamp {
                    identity: 0,
                    generation: 0,
                });
            };
            let number = |name| Ok::<_, redb::Error>(table.get(name)?.map_or(0, |it| it.value()));
            Ok(Stamp {
                identity: number(IDENTITY)?,
                generation: number(GENERATION)?,
            })
        })
    }

    fn counters(&self) -> Result<BTreeMap<String, u64>> {
        self.run("read the counters", |database| {
            let Some(table) = table(database, COUNTERS)? else {
                return Ok(BTreeMap::new());
            };
            let mut counters = BTreeMap::new();
            for row in table.range::<&str>(..)? {
                let (name, total) = row?;
                counters.insert(name.value().to_owned(), total.value());
            }
            Ok(counters)
        })
    }

    fn phrasing(&self, key: &PhrasingKey) -> Result<Option<Vec<f32>>> {
        let sealed = self.run("read a phrasing", |database| {
            let Some(table) = table(database, PHRASINGS)? else {
                return Ok(None);
            };
            Ok(table
                .get(key.as_bytes())?
                .map(|value| value.value().to_vec()))
        })?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let mut reader = Reader::open("phrasing", PHRASING_VERSION, key.as_bytes(), &sealed)?;
        let values = reader.floats()?;
        reader.end()?;
        Ok(Some(values))
    }

    fn labels(&self, visit: &mut dyn FnMut(EntryId, Result<Labels>)) -> Result<()> {
        self.visit("read the labels", LABELS, &mut |id, value| {
            visit(id, Labels::decode(id, value))
        })
    }

    fn curve(&self) -> Result<Option<Curve>> {
        let sealed = self.run("read the curve", |database| {
            let Some(table) = table(database, CURVES)? else {
                return Ok(None);
            };
            Ok(table.get(CURVE)?.map(|value| value.value().to_vec()))
        })?;
        sealed.map(|sealed| Curve::decode(&sealed)).transpose()
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        let outcome = self.run("write a group", |database| write(database, batch));
        if outcome.is_err() {
            self.close();
        }
        outcome
    }

    fn file_bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }
}

fn write(database: &Database, batch: &Batch) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // One table is open at a time: where redb panics over a damaged one it opens, it panics again over any other that is
    // open then, and that ends the process.
    stamp(&mut transaction.open_table(META)?, batch)?;
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        for (id, change) in &batch.changes {
            match change {
                Change::Put(entry, _) => entries.insert(id.as_u64(), entry.encode().as_slice())?,
                Change::Remove => entries.remove(id.as_u64())?,
            };
        }
    }
    {
        let mut vectors = transaction.open_table(VECTORS)?;
        for (id, change) in &batch.changes {
            match change {
                Change::Put(_, Some(embedding)) => {
                    vectors.insert(id.as_u64(), embedding.encode(*id).as_slice())?
                }
                Change::Put(_, None) | Change::Remove => vectors.remove(id.as_u64())?,
            };
        }
    }
    {
        let mut labels = transaction.open_table(LABELS)?;
        for (id, change) in &batch.changes {
            if matches!(change, Change::Remove) {
                labels.remove(id.as_u64())?;
            }
        }
        for (id, sealed) in &batch.labels {
            labels.insert(id.as_u64(), sealed.as_slice())?;
        }
    }
    if let Some(sealed) = &batch.curve {
        transaction
            .open_table(CURVES)?
            .insert(CURVE, sealed.as_slice())?;
    }
    {
        let mut phrasings = transaction.open_table(PHRASINGS)?;
        for (key, values) in &batch.phrasings {
            let mut writer = Writer::default();
            let sealed = writer.floats(values).seal(PHRASING_VERSION, key.as_bytes());
            phrasings.insert(key.as_bytes(), sealed.as_slice())?;
        }
    }
    {
        let mut counters = transaction.open_table(COUNTERS)?;
        for (name, total) in batch.totals.iter().flatten() {
            counters.insert(*name, *total)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// Notes the format, which store this is, and that its entries change.
fn stamp(meta: &mut redb::Table<'_, &'static str, u64>, batch: &Batch) -> Result<(), redb::Error> {
    meta.insert(FORMAT_KEY, FORMAT)?;
    meta.insert(MIGRATED_KEY, FORMAT)?;
    if meta.get(IDENTITY)?.is_none() {
        // The standard library's hashers are seeded at random: any one of them tells two stores apart.
        meta.insert(IDENTITY, RandomState::new().hash_one(FILE_NAME))?;
    }
    if !batch.changes.is_empty() {
        let generation = meta.get(GENERATION)?.map_or(0, |it| it.value());
        meta.insert(GENERATION, generation.saturating_add(1))?;
    }
    Ok(())
}

/// Opens a table for reading; `None` in a store that was never written to.
fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
    database: &impl ReadableDatabase,
    definition: TableDefinition<'_, K, V>,
) -> Result<Option<ReadOnlyTable<K, V>>, redb::Error> {
    match database.begin_read()?.open_table(definition) {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Tells damage, which calls for a fresh file, from trouble that may pass.
fn classify(operation: &'static str, error: redb::Error) -> Error {
    let damaged = match &error {
        redb::Error::Corrupted(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. } => true,
        redb::Error::Io(source) => matches!(
            source.kind(),
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof
        ),
        _ => false,
    };
    if damaged {
        Error::Damaged {
            reason: error.to_string(),
        }
    } else {
        Error::Store {
            operation,
            source: Box::new(error),
        }
    }
}

/// Turns a panic of redb into [`Error::Damaged`].
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // The database is dropped or reopened after an error, so nothing half-changed is seen.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::Damaged {
            reason: "the storage engine panicked".into(),
        })
    })
}

#[cfg(test)]
mod tests;
