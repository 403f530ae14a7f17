//! Who owns a data directory: a note in it that leads commands to the running server's admin API.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

const FILE: &str = "server.json";

/// Where the server that owns a data directory answers commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Address of its admin listener.
    pub admin: String,
    /// Its identity, so that another server on the same address is not mistaken for it.
    pub instance: String,
}

impl Owner {
    /// Leaves the note.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn announce(&self, data_dir: &Path) -> std::io::Result<()> {
        let temporary = data_dir.join(format!("{FILE}.new"));
        let mut file = fs::File::create(&temporary)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        fs::rename(temporary, path(data_dir))
    }

    /// Reads the note, if there is one; a server that was killed leaves it behind.
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path(data_dir)).ok()?).ok()
    }

    /// Takes the note away, if it is still this server's.
    pub fn withdraw(&self, data_dir: &Path) {
        if Self::read(data_dir).as_ref() == Some(self) {
            let _ = fs::remove_file(path(data_dir));
        }
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_withdraws_its_note() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let first = Owner {
            admin: "127.0.0.1:1".into(),
            instance: "a".into(),
        };
        let second = Owner {
            admin: "127.0.0.1:1".into(),
            instance: "b".into(),
        };
        first.announce(dir.path())?;
        second.announce(dir.path())?;
        first.withdraw(dir.path());
        assert_eq!(Owner::read(dir.path()), Some(second.clone()));
        second.withdraw(dir.path());
        assert_eq!(Owner::read(dir.path()), None);
        Ok(())
    }
}
