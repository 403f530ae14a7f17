//! Giving a point its neighbours, and its neighbours the point.

use crate::semantic::compact::graph::{Graph, Place, Scratch as WalkScratch};
use crate::semantic::rows::Probe;

/// Nodes kept while a point is linked in.
const WIDTH_OF_BUILD: usize = 160;

/// Neighbours that a new point is given in the lowest layer; the rest of its list is left for those that come later.
const OWN_NEIGHBOURS: usize = 32;

/// How many times nearer counts as clearly nearer, in squared distance (Subramanya et al., DiskANN, 2019).
const CLEARLY: f32 = 1.2;

/// What linking works with besides a walk.
#[derive(Default)]
pub(super) struct Scratch {
    probe: Probe,
    own: Vec<Candidate>,
    others: Vec<Candidate>,
    chosen: Vec<u32>,
    compared: Probe,
}

/// A node that may become a neighbour.
#[derive(Clone, Copy)]
struct Candidate {
    node: u32,
    similarity: f32,
}

impl Graph {
    /// Links a placed point into all its layers. Several threads may link different points.
    pub(super) fn link(&self, place: Place, walking: &mut WalkScratch) {
        let mut scratch = std::mem::take(&mut walking.link);
        self.rows.probe(place.point as usize, &mut scratch.probe);
        if let Some((top, _)) = self.entry() {
            let highest = place.layer.min(top);
            let mut starts = self.descend(&scratch.probe, highest, walking);
            let mut node = place.node;
            for layer in (1..=place.layer).rev().chain([0]) {
                if layer <= highest {
                    self.link_in_layer(layer, node, &starts, &mut scratch, walking);
                    starts.clear();
                    let met = walking.beam.met();
                    starts.extend(met.iter().map(|met| self.below(layer, met.node)));
                }
                node = self.below(layer, node);
            }
        }
        walking.link = scratch;
        self.raise_entry(place);
    }

    fn link_in_layer(
        &self,
        layer: usize,
        node: u32,
        starts: &[u32],
        scratch: &mut Scratch,
        walking: &mut WalkScratch,
    ) {
        self.walk(&scratch.probe, layer, starts, WIDTH_OF_BUILD, walking);
        let links = self.links(layer);
        let own = if layer == 0 {
            OWN_NEIGHBOURS
        } else {
            links.width()
        };
        scratch.own.clear();
        // Another thread may have linked to this node already.
        let met = walking.beam.met().iter().filter(|met| met.node != node);
        scratch.own.extend(met.map(|met| Candidate {
            node: met.node,
            similarity: met.similarity,
        }));
        let Scratch {
            own: candidates,
            others,
            chosen,
            compared,
            ..
        } = scratch;
        self.choose(layer, candidates, own, chosen, compared);
        {
            let _writing = self.lock(node).map(|lock| lock.lock());
            // Neighbours that another thread gave it meanwhile are as good as any: they stay while there is room.
            let given: Vec<u32> = links
                .of(node)
                .filter(|node| !chosen.contains(node))
                .collect();
            let room = links.width().saturating_sub(chosen.len());
            let all: Vec<u32> = chosen
                .iter()
                .copied()
                .chain(given.into_iter().take(room))
                .collect();
            links.set(node, &all);
        }
        for neighbour in std::mem::take(chosen) {
            let similarity = candidates
                .iter()
                .find(|candidate| candidate.node == neighbour)
                .map_or(0.0, |candidate| candidate.similarity);
            self.link_back(
                layer,
                neighbour,
                Candidate { node, similarity },
                others,
                chosen,
                compared,
            );
        }
    }

    /// Adds a node to the list of a neighbour, whose list is chosen anew if it is full.
    fn link_back(
        &self,
        layer: usize,
        neighbour: u32,
        added: Candidate,
        candidates: &mut Vec<Candidate>,
        chosen: &mut Vec<u32>,
        compared: &mut Probe,
    ) {
        let links = self.links(layer);
        let _writing = self.lock(neighbour).map(|lock| lock.lock());
        let mut there: Vec<u32> = links.of(neighbour).collect();
        if there.contains(&added.node) {
            return;
        }
        if there.len() < links.width() {
            there.push(added.node);
            links.set(neighbour, &there);
            return;
        }
        self.rows
            .probe(self.point(layer, neighbour) as usize, compared);
        candidates.clear();
        candidates.push(added);
        candidates.extend(there.into_iter().map(|node| Candidate {
            node,
            similarity: self.roughly(layer, node, compared),
        }));
        candidates.sort_unstable_by(|a, b| b.similarity.total_cmp(&a.similarity));
        self.choose(layer, candidates, candidates.len(), chosen, compared);
        // The last list that leads to a point keeps it: in hundreds of dimensions many a point is nobody's first choice.
        for candidate in candidates.iter() {
            let elsewhere = u32::from(candidate.node != added.node);
            if links.num_leading_to(candidate.node) <= elsewhere
                && !chosen.contains(&candidate.node)
            {
                chosen.push(candidate.node);
            }
        }
        // Of too many, those beyond the nearest go that most lists lead to: dropping the farthest instead cuts off
        // small clusters far from all others, whose points nobody has among the nearest.
        while chosen.len() > links.width() {
            let beyond = chosen.iter().enumerate().skip(links.width() / 2);
            let most = beyond.max_by_key(|(_, node)| links.num_leading_to(**node));
            match most.map(|(place, _)| place) {
                Some(place) => chosen.remove(place),
                None => break,
            };
        }
        links.set(neighbour, chosen);
    }

    /// Chooses neighbours from candidates, the most similar first: one that is clearly more similar to a chosen one than
    /// to the node itself is reached through that one, so that neighbours lie in different directions.
    ///
    /// Those left over do not fill the list up: the points of a tight cluster would use up their lists on each other,
    /// and clusters come apart.
    fn choose(
        &self,
        layer: usize,
        candidates: &[Candidate],
        at_most: usize,
        chosen: &mut Vec<u32>,
        compared: &mut Probe,
    ) {
        chosen.clear();
        for candidate in candidates {
            if chosen.len() >= at_most {
                return;
            }
            self.rows
                .probe(self.point(layer, candidate.node) as usize, compared);
            let near = 1.0 - (1.0 - candidate.similarity) / CLEARLY;
            let reached = chosen
                .iter()
                .any(|node| self.roughly(layer, *node, compared) > near);
            if !reached {
                chosen.push(candidate.node);
            }
        }
    }
}
