//! A compact graph in a snapshot, and back.
//!
//! It is written piece by piece while it goes on being searched and changed: rows never move, and what is added after
//! the beginning is left out, with the links that lead to it.

use std::sync::atomic::Ordering;

use crate::entry::EntryId;
use crate::error::Result;
use crate::semantic::compact::CompactIndex;
use crate::semantic::compact::graph::{Graph, Layer};
use crate::semantic::compact::links::Links;
use crate::semantic::rows::Row;
use crate::semantic::snapshot::corrupt;
use crate::semantic::snapshot::stream::{Sink, Source};

/// Rows or lists copied at a time: for so long an insert waits, and searches behind it.
const PIECE: usize = 512;

impl CompactIndex {
    pub(crate) fn save(&self, sink: &mut Sink) -> Result<()> {
        let (num_rows, num_linked, num_layers) = {
            let graph = self.graph.read();
            let num_linked = self.num_linked.load(Ordering::Acquire);
            (graph.rows.len(), num_linked, graph.upper.len())
        };
        sink.u64(num_rows as u64)?;
        for start in (0..num_rows).step_by(PIECE) {
            let piece: Vec<(Vec<EntryId>, Row)> = {
                let (graph, points) = (self.graph.read(), self.points.read());
                let point = |point| {
                    let entries = points.entries(point as u32).collect();
                    Some((entries, graph.rows.row(point)?))
                };
                (start..num_rows.min(start + PIECE))
                    .filter_map(point)
                    .collect()
            };
            for (entries, row) in piece {
                sink.u32(entries.len() as u32)?;
                for id in entries {
                    sink.u64(id.as_u64())?;
                }
                sink.row(&row)?;
            }
        }
        sink.u64(num_linked as u64)?;
        self.save_links(sink, 0, num_linked)?;
        for layer in 1..=num_layers {
            let nodes: Vec<(u32, u32)> = self
                .graph
                .read()
                .upper
                .get(layer - 1)
                .map(|layer| layer.nodes_below(num_linked))
                .unwrap_or_default();
            if nodes.is_empty() {
                break;
            }
            sink.u64(nodes.len() as u64)?;
            for (point, below) in &nodes {
                sink.u32(*point)?;
                sink.u32(*below)?;
            }
            self.save_links(sink, layer, nodes.len())?;
        }
        sink.u64(0)
    }

    fn save_links(&self, sink: &mut Sink, layer: usize, num_nodes: usize) -> Result<()> {
        for start in (0..num_nodes).step_by(PIECE) {
            let piece: Vec<Vec<u32>> = {
                let graph = self.graph.read();
                let links = graph.links(layer);
                let list = |node| {
                    let known = |neighbour: &u32| (*neighbour as usize) < num_nodes;
                    links.of(node as u32).filter(known).collect()
                };
                (start..num_nodes.min(start + PIECE)).map(list).collect()
            };
            for list in piece {
                sink.u8(list.len() as u8)?;
                let bytes: Vec<u8> = list.iter().flat_map(|node| node.to_le_bytes()).collect();
                sink.bytes(&bytes)?;
            }
        }
        Ok(())
    }

    /// Reads what [`CompactIndex::save`] wrote; entries that are not kept become tombstones.
    pub(crate) fn restore(
        source: &mut Source,
        dimensions: usize,
        keep: &dyn Fn(EntryId) -> bool,
    ) -> Result<Self> {
        let index = Self::new(dimensions);
        let num_rows = source.u64()?;
        let mut row = Row {
            high: vec![0; dimensions],
            low: vec![0; dimensions],
            unit: 0.0,
        };
        {
            let mut graph = index.graph.write();
            let mut points = index.points.write();
            let mut by_digest = index.by_digest.lock();
            for point in 0..num_rows {
                let point = u32::try_from(point).map_err(|_| corrupt("it has too many points"))?;
                points.push_dead();
                for _ in 0..source.u32()? {
                    let id = EntryId::from_u64(source.u64()?);
                    if keep(id) && points.of(id).is_none() {
                        points.join(point, id);
                    }
                }
                source.row(&mut row)?;
                by_digest.insert(row.digest(), point);
                graph.rows.push(&row);
            }
            let num_linked = source.u64()?;
            if num_linked > num_rows {
                return Err(corrupt("it links points it does not have"));
            }
            let num_linked = num_linked as usize;
            read_links(source, &mut graph.base, num_linked)?;
            loop {
                let num_nodes = source.u64()?;
                if num_nodes == 0 {
                    break;
                }
                if num_nodes > num_rows {
                    return Err(corrupt("a layer has more nodes than there are points"));
                }
                let mut nodes = Vec::new();
                for _ in 0..num_nodes {
                    nodes.push((source.u32()?, source.u32()?));
                }
                let mut layer = Layer::of(&nodes);
                read_links(source, &mut layer.links, nodes.len())?;
                graph.upper.push(layer);
            }
            graph.resume(num_linked);
            index.num_linked.store(num_linked, Ordering::Release);
        }
        Ok(index)
    }
}

/// Reads the lists of so many nodes. One that leads nowhere does no harm: a walk finds no row there.
fn read_links(source: &mut Source, links: &mut Links, num_nodes: usize) -> Result<()> {
    links.restore(num_nodes, || {
        let len = usize::from(source.u8()?);
        let bytes = source.vec(len * size_of::<u32>())?;
        let (list, _) = bytes.as_chunks();
        Ok(list.iter().map(|node| u32::from_le_bytes(*node)).collect())
    })
}

impl Layer {
    /// Returns point and node below of the nodes of the first `num_points` points.
    fn nodes_below(&self, num_points: usize) -> Vec<(u32, u32)> {
        let nodes = self.points.iter().copied().zip(self.below.iter().copied());
        nodes
            .take_while(|(point, _)| (*point as usize) < num_points)
            .collect()
    }

    fn of(nodes: &[(u32, u32)]) -> Self {
        let mut layer = Self::new();
        layer.points = nodes.iter().map(|node| node.0).collect();
        layer.below = nodes.iter().map(|node| node.1).collect();
        layer
    }
}

impl Graph {
    /// Lets walks begin where they did when the first `placed` points were linked: the first node of the highest layer
    /// was where all others of the layer began.
    fn resume(&mut self, placed: usize) {
        self.placed = placed;
        if placed > 0 {
            self.raise_entry(crate::semantic::compact::graph::Place {
                point: 0,
                layer: self.upper.len(),
                node: 0,
            });
        }
    }
}
