//! The frames learned from traffic: what was found, what an operator said to it, and what is in force.
//!
//! They are kept in one small file of the data directory, written whole and put in place by a rename. It holds the
//! fixed words, which every request of its application has in common, and no goal. A learned frame belongs to the
//! namespace in whose traffic it was found: who writes requests in one namespace frames nobody else's.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tollfree_cache::frame::{FixedWords, Found, GoalPlace, Sample};
use tollfree_cache::namespace::Namespace;
use tollfree_config::types::LearnFrames;

use super::Known;
use super::learner::LONG_GOAL_BYTES;

const FILE: &str = "frames.json";

/// Frames kept at most; beyond it the proposal with the fewest goals makes room.
const MAX_FRAMES: usize = 256;

/// What an operator has said to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing yet: it counts only with `learn_frames = "use"`.
    Proposed,
    /// It counts.
    Approved,
    /// It never counts, and is not proposed again.
    Rejected,
}

impl State {
    /// The word of the admin API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

/// One learned frame.
#[derive(Clone, Debug)]
pub struct LearnedFrame {
    /// Names it in the admin API: digits that follow from namespace and fixed words.
    pub id: String,
    /// Where it was found and counts.
    pub namespace: Namespace,
    /// The words that all samples had in common.
    pub words: FixedWords,
    /// Requests seen inside these words: distinct goals when it was found, and since then all that did not count
    /// as framed already. What came after the last change of any frame is forgotten at the next start.
    pub num_samples: u64,
    /// The operator's word.
    pub state: State,
    /// The shape an operator named when approving; without one no template answers.
    pub shape: Option<String>,
}

/// Why an operator's word had no effect.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No frame has this id.
    #[error("no learned frame has the id {0:?}; `tollfree frames` lists them")]
    Unknown(String),
    /// The file could not be written.
    #[error("the frame is {state} until the next start: cannot write {path}")]
    Unwritten {
        /// What it is now.
        state: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

/// The frames in force by namespace, those with the most fixed words first.
type InForce = HashMap<Namespace, Vec<Known>>;

/// All learned frames; clones share them.
#[derive(Clone)]
pub struct Learned(Arc<Inner>);

struct Inner {
    mode: LearnFrames,
    file: Option<PathBuf>,
    all: Mutex<Vec<LearnedFrame>>,
    in_force: ArcSwap<InForce>,
}

impl Learned {
    /// Reads the frames of a data directory; without one they live in memory.
    ///
    /// A file that cannot be read is moved aside: a lost proposal comes again, a lost approval is asked for again.
    pub fn open(mode: LearnFrames, data_dir: Option<&Path>) -> Self {
        let file = data_dir.map(|folder| folder.join(FILE));
        let all = file.as_deref().map(load).unwrap_or_default();
        let in_force = ArcSwap::from_pointee(in_force(&all, mode));
        Self(Arc::new(Inner {
            mode,
            file,
            all: Mutex::new(all),
            in_force,
        }))
    }

    /// What becomes of a frame that is found.
    pub fn mode(&self) -> LearnFrames {
        self.0.mode
    }

    /// Every frame, in the order in which they were found.
    pub fn list(&self) -> Vec<LearnedFrame> {
        self.0.all.lock().clone()
    }

    /// How many frames are in each state.
    pub fn count_by_state(&self) -> [(State, u64); 3] {
        let all = self.0.all.lock();
        [State::Proposed, State::Approved, State::Rejected].map(|state| {
            let count = all.iter().filter(|frame| frame.state == state).count();
            (state, count as u64)
        })
    }

    /// The frames that count.
    pub fn in_force(&self) -> Arc<InForce> {
        self.0.in_force.load_full()
    }

    /// Whether this frame counts.
    pub fn is_in_force(&self, frame: &LearnedFrame) -> bool {
        counts(frame, self.0.mode)
    }

    /// Counts a sample for each frame it belongs to, and says whether one of them leaves a goal of a goal's length.
    pub(super) fn count(&self, namespace: &Namespace, sample: &Sample) -> bool {
        let mut explained = false;
        for frame in self.0.all.lock().iter_mut() {
            if frame.state == State::Rejected || frame.namespace != *namespace {
                continue;
            }
            if let Some(goal) = frame.words.goal(&sample.system, &sample.user) {
                frame.num_samples += 1;
                explained |= goal.len() < LONG_GOAL_BYTES;
            }
        }
        explained
    }

    /// Takes a frame that was found; it takes the place of proposals whose words hold all of its own and more.
    /// Returns whether it is new.
    ///
    /// # Errors
    /// [`Error::Unwritten`].
    pub(super) fn propose(&self, namespace: &Namespace, found: Found) -> Result<bool, Error> {
        let id = id(namespace, &found.words);
        let mut all = self.0.all.lock();
        if all.iter().any(|frame| frame.id == id) {
            return Ok(false);
        }
        let mut num_samples = found.num_goals as u64;
        all.retain(|frame| {
            let narrower = frame.state == State::Proposed
                && frame.namespace == *namespace
                && found.words.covers(&frame.words);
            if narrower {
                num_samples += frame.num_samples;
            }
            !narrower
        });
        if all.len() >= MAX_FRAMES {
            let least = all
                .iter()
                .enumerate()
                .filter(|(_, frame)| frame.state == State::Proposed)
                .min_by_key(|(_, frame)| frame.num_samples)
                .map(|(index, _)| index);
            let Some(least) = least else {
                return Ok(false);
            };
            all.remove(least);
        }
        all.push(LearnedFrame {
            id,
            namespace: namespace.clone(),
            words: found.words,
            num_samples,
            state: State::Proposed,
            shape: None,
        });
        self.take_effect(&all, State::Proposed)?;
        Ok(true)
    }

    /// Takes an operator's word on a frame; it is in force when this returns, and kept unless an error says so.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn decide(&self, id: &str, state: State, shape: Option<String>) -> Result<(), Error> {
        let mut all = self.0.all.lock();
        let frame = all
            .iter_mut()
            .find(|frame| frame.id == id)
            .ok_or_else(|| Error::Unknown(id.to_owned()))?;
        frame.state = state;
        frame.shape = shape;
        self.take_effect(&all, state)
    }

    fn take_effect(&self, all: &[LearnedFrame], state: State) -> Result<(), Error> {
        self.0.in_force.store(Arc::new(in_force(all, self.0.mode)));
        let Some(file) = &self.0.file else {
            return Ok(());
        };
        store(file, all).map_err(|source| Error::Unwritten {
            state: state.as_str(),
            path: file.clone(),
            source,
        })
    }
}

impl LearnedFrame {
    /// The name by which `--frame` finds it and which a configured frame made of it may have.
    pub fn name(&self) -> String {
        format!("learned-{}", self.id.get(..8).unwrap_or(&self.id))
    }
}

fn counts(frame: &LearnedFrame, mode: LearnFrames) -> bool {
    match frame.state {
        State::Approved => true,
        State::Proposed => mode == LearnFrames::Use,
        State::Rejected => false,
    }
}

fn in_force(all: &[LearnedFrame], mode: LearnFrames) -> InForce {
    let mut by_namespace = InForce::new();
    for frame in all.iter().filter(|frame| counts(frame, mode)) {
        let known = Known {
            name: frame.name(),
            identity: format!("learned@{}", frame.words.digest()),
            words: frame.words.clone(),
            shape: frame.shape.clone().unwrap_or_default(),
            ttl: None,
        };
        by_namespace
            .entry(frame.namespace.clone())
            .or_default()
            .push(known);
    }
    for known in by_namespace.values_mut() {
        known.sort_by_key(|known| std::cmp::Reverse(known.words.num_words()));
    }
    by_namespace
}

fn id(namespace: &Namespace, words: &FixedWords) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(namespace.as_str().as_bytes())
        .update(&[0])
        .update(words.digest().as_bytes());
    let hex = hasher.finalize().to_hex();
    hex.get(..16).unwrap_or_default().to_owned()
}

/// A frame as the file holds it.
#[derive(Serialize, Deserialize)]
struct Stored {
    namespace: String,
    goal_in_system: bool,
    other: String,
    before: String,
    after: String,
    samples: u64,
    state: State,
    shape: Option<String>,
}

fn load(file: &Path) -> Vec<LearnedFrame> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            tracing::error!(%error, file = %file.display(), "learned frames cannot be read");
            return Vec::new();
        }
    };
    match serde_json::from_slice::<Vec<Stored>>(&text) {
        Ok(stored) => stored.into_iter().filter_map(restore).collect(),
        Err(error) => {
            let aside = file.with_extension("json.damaged");
            tracing::error!(%error, moved_to = %aside.display(), "learned frames are damaged and begun anew");
            if let Err(error) = fs::rename(file, &aside) {
                tracing::error!(%error, file = %file.display(), "learned frames cannot be moved aside");
            }
            Vec::new()
        }
    }
}

fn restore(stored: Stored) -> Option<LearnedFrame> {
    let namespace = Namespace::new(&stored.namespace).ok()?;
    let words = FixedWords {
        place: if stored.goal_in_system {
            GoalPlace::System
        } else {
            GoalPlace::User
        },
        other: stored.other,
        before: stored.before,
        after: stored.after,
    };
    Some(LearnedFrame {
        id: id(&namespace, &words),
        namespace,
        words,
        num_samples: stored.samples,
        state: stored.state,
        shape: stored.shape,
    })
}

fn store(file: &Path, all: &[LearnedFrame]) -> std::io::Result<()> {
    let stored: Vec<Stored> = all
        .iter()
        .map(|frame| Stored {
            namespace: frame.namespace.as_str().to_owned(),
            goal_in_system: frame.words.place == GoalPlace::System,
            other: frame.words.other.clone(),
            before: frame.words.before.clone(),
            after: frame.words.after.clone(),
            samples: frame.num_samples,
            state: frame.state,
            shape: frame.shape.clone(),
        })
        .collect();
    let temporary = file.with_extension("json.new");
    let mut writer = fs::File::create(&temporary)?;
    writer.write_all(&serde_json::to_vec_pretty(&stored)?)?;
    writer.sync_all()?;
    fs::rename(temporary, file)
}

#[cfg(test)]
mod tests;
