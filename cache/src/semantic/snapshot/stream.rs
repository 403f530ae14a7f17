//! Writing and reading a long file of plain numbers, with a digest of all of it at the end.

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::semantic::rows::Row;
use crate::semantic::snapshot::corrupt;

/// The file is written, read and digested in pieces of this size: large enough for the digest to use wide registers.
const PIECE: usize = 1 << 20;

const CONTEXT: &str = "tollfree 2026 index snapshot v1";

/// A file that is being written.
pub(crate) struct Sink {
    path: PathBuf,
    file: BufWriter<Digesting>,
}

/// Digests what passes on its way to the file.
struct Digesting {
    file: File,
    digest: blake3::Hasher,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Sink {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let digest = blake3::Hasher::new_derive_key(CONTEXT);
        match File::create(path) {
            Ok(file) => Ok(Self {
                path: path.into(),
                file: BufWriter::with_capacity(PIECE, Digesting { file, digest }),
            }),
            Err(source) => Err(failed("create", path, source)),
        }
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| failed("write", &self.path, source))
    }

    pub(crate) fn u8(&mut self, value: u8) -> Result<()> {
        self.bytes(&[value])
    }

    pub(crate) fn u32(&mut self, value: u32) -> Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> Result<()> {
        self.bytes(&value.to_le_bytes())
    }

    /// Writes a row without its length, which the reader must know.
    pub(crate) fn row(&mut self, row: &Row) -> Result<()> {
        self.bytes(&row.high)?;
        self.bytes(&row.low)?;
        self.u32(row.unit.to_bits())
    }

    /// Writes the digest and waits until all of it is on disk.
    pub(crate) fn finish(mut self) -> Result<()> {
        let path = self.path;
        let finished = self.file.flush().and_then(|()| {
            let digest = self.file.get_ref().digest.finalize();
            let file = &mut self.file.get_mut().file;
            file.write_all(digest.as_bytes())?;
            file.sync_all()
        });
        finished.map_err(|source| failed("write", &path, source))
    }
}

/// A file that is being read. What it says counts only once [`Source::finish`] has found the digest right.
pub(crate) struct Source {
    path: PathBuf,
    file: BufReader<File>,
    digest: blake3::Hasher,
    /// What was read and not digested yet.
    pending: Vec<u8>,
}

impl Source {
    /// Opens a file; `None` if there is none.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self {
                path: path.into(),
                file: BufReader::with_capacity(PIECE, file),
                digest: blake3::Hasher::new_derive_key(CONTEXT),
                pending: Vec::with_capacity(PIECE),
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("open", path, source)),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.fill_undigested(bytes)?;
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE {
            self.digest.update(&self.pending);
            self.pending.clear();
        }
        Ok(())
    }

    fn fill_undigested(&mut self, bytes: &mut [u8]) -> Result<()> {
        match self.file.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(corrupt("it ends too early"))
            }
            Err(source) => Err(failed("read", &self.path, source)),
        }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads so many bytes; the caller bounds the number.
    pub(crate) fn vec(&mut self, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        let [value] = self.array()?;
        Ok(value)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads a row into one of the right lengths.
    pub(crate) fn row(&mut self, row: &mut Row) -> Result<()> {
        self.fill(&mut row.high)?;
        self.fill(&mut row.low)?;
        row.unit = f32::from_bits(self.u32()?);
        Ok(())
    }

    /// Checks the digest.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it differs or something follows it.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.digest.update(&self.pending);
        let mut expected = [0; 32];
        self.fill_undigested(&mut expected)?;
        if self.digest.finalize() != expected {
            return Err(corrupt("its digest does not match"));
        }
        match self.file.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(corrupt("bytes are left over")),
            Err(source) => Err(failed("read", &self.path, source)),
        }
    }
}

fn failed(operation: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        operation,
        path: path.into(),
        source,
    }
}
