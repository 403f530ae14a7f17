//! A partition in a snapshot, and back.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::entry::EntryId;
use crate::error::Result;
use crate::semantic::compact::CompactIndex;
use crate::semantic::flat::FlatIndex;
use crate::semantic::index::VectorIndex;
use crate::semantic::partition::{Kind, Partition, Sketches, State};
use crate::semantic::rows::{Precision, Row};
use crate::semantic::snapshot::stream::{Sink, Source};
use crate::semantic::snapshot::{MAX_DIMENSIONS, corrupt};

/// How the vectors follow.
const ROWS: u8 = 0;
const COMPACT: u8 = 1;

impl Partition {
    /// Writes the vectors, a compact graph with its links; a graph of `hnsw_rs` is built anew from its vectors.
    pub(crate) fn save(&self, sink: &mut Sink) -> Result<()> {
        let (index, dimensions) = {
            let state = self.state.read();
            (Arc::clone(&state.index), state.dimensions)
        };
        sink.u32(dimensions as u32)?;
        if let Some(compact) = index.as_compact() {
            sink.u8(COMPACT)?;
            compact.save(sink)?;
        } else {
            sink.u8(ROWS)?;
            for (id, vector) in index.rows() {
                save_row(sink, id, &Row::new(&vector))?;
            }
            sink.u8(0)?;
        }
        let sketches = match &*self.sketches.read() {
            Sketches::GivenUp => return sink.u32(0),
            Sketches::Kept(sketches) => sketches.kept(),
        };
        let dimensions = sketches.first().map_or(1, |(_, row)| row.high.len());
        sink.u32(dimensions as u32)?;
        for (id, row) in sketches {
            save_row(sink, id, &row)?;
        }
        sink.u8(0)
    }

    /// Reads what [`Partition::save`] wrote, without the entries that are not kept.
    pub(crate) fn restore(source: &mut Source, keep: &dyn Fn(EntryId) -> bool) -> Result<Self> {
        let dimensions = read_dimensions(source)?;
        let (kind, index): (Kind, Arc<dyn VectorIndex>) = match source.u8()? {
            ROWS => {
                let index = FlatIndex::new();
                restore_rows(source, &index, dimensions, dimensions, keep)?;
                (Kind::Flat, Arc::new(index))
            }
            COMPACT => {
                let index = CompactIndex::restore(source, dimensions, keep)?;
                (Kind::Compact, Arc::new(index))
            }
            _ => return Err(corrupt("it has an unknown kind of index")),
        };
        let sketches = match read_dimensions(source)? {
            0 => Sketches::GivenUp,
            dimensions => {
                let sketches = FlatIndex::with_precision(Precision::Coarse);
                restore_rows(source, &sketches, dimensions, 0, keep)?;
                Sketches::Kept(sketches)
            }
        };
        Ok(Self {
            state: RwLock::new(State {
                kind,
                index,
                dimensions,
                journal: None,
                claimed: false,
                settled: false,
            }),
            sketches: RwLock::new(sketches),
        })
    }
}

fn save_row(sink: &mut Sink, id: EntryId, row: &Row) -> Result<()> {
    sink.u8(1)?;
    sink.u64(id.as_u64())?;
    sink.row(row)
}

fn restore_rows(
    source: &mut Source,
    index: &FlatIndex,
    high: usize,
    low: usize,
    keep: &dyn Fn(EntryId) -> bool,
) -> Result<()> {
    let mut row = Row {
        high: vec![0; high],
        low: vec![0; low],
        unit: 0.0,
    };
    while source.u8()? == 1 {
        let id = EntryId::from_u64(source.u64()?);
        source.row(&mut row)?;
        if keep(id) {
            index.insert_row(id, &row)?;
        }
    }
    Ok(())
}

fn read_dimensions(source: &mut Source) -> Result<usize> {
    let dimensions = source.u32()?;
    if dimensions > MAX_DIMENSIONS {
        return Err(corrupt("its vectors are too long"));
    }
    Ok(dimensions as usize)
}
