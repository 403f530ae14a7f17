//! What runs on a file have done, in the data directory: a killed run goes on where it stopped.
//!
//! One JSON line for each call whose end is known, written through before the next thing happens. The name is the
//! digest of the goals file and of how its goals are asked, so that a changed file starts anew; what it has in common
//! with the old one is then found answered.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::commands::goal::Asking;

/// The folder of journals in the data directory.
const FOLDER: &str = "warm";

/// One call that has ended.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub(super) struct Done {
    /// The line it was for, from 1.
    pub(super) line: usize,
    /// What came of it; a line with `limited` or `failed` is asked again.
    pub(super) outcome: String,
    /// What it cost, if known.
    pub(super) cost_usd: Option<f64>,
    /// Whether an upstream was called.
    pub(super) called: bool,
}

impl Done {
    fn is_final(&self) -> bool {
        !matches!(self.outcome.as_str(), "limited" | "failed")
    }
}

/// The journal of one goals file.
pub(super) struct Journal {
    file: Option<File>,
    path: PathBuf,
    done: HashMap<usize, Done>,
    calls: u64,
    cost_usd: f64,
}

/// The name of the journal for a file and a way of asking.
pub(super) fn key(text: &str, asking: &Asking) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("tollfree 2026 journal of warm v1");
    hasher.update(text.as_bytes());
    hasher.update(serde_json::to_string(asking).unwrap_or_default().as_bytes());
    hasher.finalize().to_hex().chars().take(32).collect()
}

impl Journal {
    /// Reads a journal without touching it.
    pub(super) fn look(data_dir: &Path, key: &str) -> anyhow::Result<Self> {
        let path = path(data_dir, key);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        Ok(Self::of(None, path, &text))
    }

    /// Opens a journal to go on with it, or with `restart` to begin anew, and keeps others off it.
    ///
    /// # Errors
    /// When it cannot be written, or another run on the same file is under way.
    pub(super) fn open(data_dir: &Path, key: &str, restart: bool) -> anyhow::Result<Self> {
        let path = path(data_dir, key);
        let writing = || format!("writing {}", path.display());
        fs::create_dir_all(data_dir.join(FOLDER)).with_context(writing)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(writing)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another run on the same goals is under way; wait for its end or stop it")
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(writing),
        }
        if restart {
            file.set_len(0).with_context(writing)?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .with_context(|| format!("reading {}", path.display()))?;
        // A kill in the middle of a line leaves half of one: it is written over.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).with_context(writing)?;
        file.seek(SeekFrom::End(0)).with_context(writing)?;
        text.truncate(whole);
        Ok(Self::of(Some(file), path, &text))
    }

    fn of(file: Option<File>, path: PathBuf, text: &str) -> Self {
        let mut journal = Self {
            file,
            path,
            done: HashMap::new(),
            calls: 0,
            cost_usd: 0.0,
        };
        for done in text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
        {
            journal.count(done);
        }
        journal
    }

    fn count(&mut self, done: Done) {
        self.calls += u64::from(done.called);
        self.cost_usd += done.cost_usd.unwrap_or(0.0);
        if done.is_final() {
            self.done.insert(done.line, done);
        }
    }

    /// Notes the end of a call.
    pub(super) fn note(&mut self, done: Done) -> anyhow::Result<()> {
        if let Some(file) = &mut self.file {
            let line = format!("{}\n", serde_json::to_string(&done)?);
            file.write_all(line.as_bytes())
                .and_then(|()| file.sync_data())
                .with_context(|| format!("writing {}", self.path.display()))?;
        }
        self.count(done);
        Ok(())
    }

    /// What is done for a line.
    pub(super) fn done(&self, line: usize) -> Option<&Done> {
        self.done.get(&line)
    }

    /// Calls of upstreams so far, earlier runs included.
    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    /// Dollars spent so far as far as known, earlier runs included.
    pub(super) fn cost_usd(&self) -> f64 {
        self.cost_usd
    }

    /// Everything is done: nothing is left to go on with.
    pub(super) fn finish(self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn path(data_dir: &Path, key: &str) -> PathBuf {
    data_dir.join(FOLDER).join(format!("{key}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(line: usize, outcome: &str) -> Done {
        Done {
            line,
            outcome: outcome.to_owned(),
            cost_usd: Some(0.5),
            called: true,
        }
    }

    #[test]
    fn a_journal_goes_on_behind_half_a_line_and_counts_what_was_spent() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let mut journal = Journal::open(dir.path(), "k", false)?;
        journal.note(done(1, "asked"))?;
        journal.note(done(2, "failed"))?;
        let path = journal.path.clone();
        drop(journal);
        let mut torn = fs::read(&path)?;
        torn.extend_from_slice(b"{\"line\": 3, \"outc");
        fs::write(&path, torn)?;
        let mut journal = Journal::open(dir.path(), "k", false)?;
        assert!(journal.done(1).is_some());
        assert!(journal.done(2).is_none(), "a failure is tried again");
        assert!(journal.done(3).is_none());
        assert_eq!((journal.calls(), journal.cost_usd()), (2, 1.0));
        journal.note(done(3, "unstorable"))?;
        drop(journal);
        let journal = Journal::look(dir.path(), "k")?;
        assert!(journal.done(3).is_some());
        assert_eq!(journal.calls(), 3);
        let journal = Journal::open(dir.path(), "k", true)?;
        assert_eq!(journal.calls(), 0);
        journal.finish();
        assert!(!path.exists());
        Ok(())
    }

    #[test]
    fn two_runs_on_one_file_are_kept_apart() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let first = Journal::open(dir.path(), "k", false)?;
        let second = Journal::open(dir.path(), "k", false);
        assert!(second.is_err_and(|error| error.to_string().contains("under way")));
        Journal::open(dir.path(), "other", false)?;
        drop(first);
        Journal::open(dir.path(), "k", false).map(drop)
    }

    #[test]
    fn another_way_of_asking_is_another_journal() {
        let plain = key("a\n", &Asking::default());
        let model = Asking {
            model: Some("m".into()),
            ..Asking::default()
        };
        assert_ne!(plain, key("a\n", &model));
        assert_ne!(plain, key("b\n", &Asking::default()));
        assert_eq!(plain, key("a\n", &Asking::default()));
    }
}
