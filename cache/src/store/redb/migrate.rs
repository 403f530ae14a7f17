//! Bringing a store of an older version to the current one, when it is opened.
//!
//! Rows carry versions of their own and readers know the older ones, so a migration that is interrupted leaves a
//! store that reads as before, and goes on at the next opening. The version of the store is raised first: from
//! then on an older program refuses it, and does not take the new rows for damaged ones.

use redb::{Database, Durability, ReadableTable};

use super::{ENTRIES, FORMAT, FORMAT_KEY, META, MIGRATED_KEY, table};
use crate::entry::{ENTRY_VERSION, Entry, EntryId};

/// Rows rewritten in one commit: some megabytes, a fraction of a second.
const ROWS_PER_COMMIT: usize = 2_048;

/// Rewrites the entries of older versions. Rows that cannot be read are left as they are, for whoever loads them
/// to count and drop.
pub(super) fn to_current(database: &Database) -> Result<(), redb::Error> {
    let Some(meta) = table(database, META)? else {
        // A store that was never written to is of no version yet.
        return Ok(());
    };
    // Version 1 had no such row.
    let migrated = meta.get(MIGRATED_KEY)?.map_or(1, |version| version.value());
    drop(meta);
    if migrated >= FORMAT {
        return Ok(());
    }
    note(database, FORMAT_KEY)?;
    let mut rows = 0;
    let mut from = 0;
    while let Some((last, rewritten)) = rewrite_from(database, from)? {
        rows += rewritten;
        let Some(next) = last.checked_add(1) else {
            break;
        };
        from = next;
    }
    note(database, MIGRATED_KEY)?;
    tracing::info!(rows, from = migrated, to = FORMAT, "store migrated");
    Ok(())
}

/// Rewrites the rows of one commit, and returns the last key seen and how many rows changed; `None` past the end.
fn rewrite_from(database: &Database, from: u64) -> Result<Option<(u64, usize)>, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let mut last = None;
    let mut older = Vec::new();
    {
        let mut entries = transaction.open_table(ENTRIES)?;
        for row in entries.range(from..)?.take(ROWS_PER_COMMIT) {
            let (key, value) = row?;
            last = Some(key.value());
            if value.value().first() == Some(&ENTRY_VERSION) {
                continue;
            }
            if let Ok(entry) = Entry::decode(EntryId::from_u64(key.value()), value.value()) {
                older.push((key.value(), entry.encode()));
            }
        }
        for (key, value) in &older {
            entries.insert(key, value.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(last.map(|last| (last, older.len())))
}

fn note(database: &Database, key: &str) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.open_table(META)?.insert(key, FORMAT)?;
    transaction.commit()?;
    Ok(())
}
