//! What the tests of several modules share.

use crate::contributor::Contributor;
use crate::entry::{Answer, Entry, EntryId, Finish, Usage};
use crate::key::{CompatibilityKey, ExactKey};
use crate::language::Language;
use crate::namespace::Namespace;

pub(crate) fn id(id: u64) -> EntryId {
    EntryId::from_u64(id)
}

/// An entry whose fields follow from its number; it expires `n` milliseconds after 10,000.
pub(crate) fn entry(n: u64) -> Entry {
    // A digest, as the sketch of uses expects.
    let exact = *blake3::hash(&n.to_be_bytes()).as_bytes();
    Entry {
        id: id(n),
        namespace: Namespace::anonymous(),
        exact: ExactKey::from_bytes(exact),
        compatibility: CompatibilityKey::from_bytes([1; 32]),
        goal: format!("goal {n:05}"),
        answer: Answer {
            text: format!("answer {n:05}"),
            finish: Finish::Stop,
            usage: Usage {
                input_tokens: 2,
                output_tokens: 2,
            },
            model: "real".into(),
        },
        upstream: "up".into(),
        model_requested: "asked".into(),
        created_at_ms: 1_000,
        expires_at_ms: 10_000 + n,
        language: Language::new("en"),
        contributor: Contributor::UNKNOWN,
        quarantine: None,
    }
}

/// A seeded source of unit vectors around random centres: uniform ones are all about equally far apart and would
/// say nothing about an index.
pub(crate) struct Clusters {
    state: u64,
    centres: Vec<Vec<f32>>,
    dimensions: usize,
    spread: f32,
}

impl Clusters {
    pub(crate) fn new(seed: u64, dimensions: usize, num: usize) -> Self {
        let mut clusters = Self {
            state: seed,
            centres: Vec::new(),
            dimensions,
            spread: 0.6,
        };
        clusters.centres = (0..num).map(|_| clusters.noise(1.0)).collect();
        clusters
    }

    /// Draws from now on at this distance from the centres, which are about 1 in every dimension.
    pub(crate) fn spread(self, spread: f32) -> Self {
        Self { spread, ..self }
    }

    /// Returns a vector near a random centre.
    pub(crate) fn vector(&mut self) -> Vec<f32> {
        let place = (self.next() % self.centres.len() as u64) as usize;
        let noise = self.noise(self.spread);
        let mut vector: Vec<f32> = self
            .centres
            .get(place)
            .into_iter()
            .flatten()
            .zip(noise)
            .map(|(centre, noise)| centre + noise)
            .collect();
        let norm = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
        vector
    }

    fn noise(&mut self, width: f32) -> Vec<f32> {
        (0..self.dimensions)
            .map(|_| (self.unit() - 0.5) * 2.0 * width)
            .collect()
    }

    /// Uniform in [0, 1).
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// splitmix64 (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
