//! Finding the goal inside an application's fixed words.
//!
//! Only the goal is embedded: a prompt of two thousand fixed characters around ten words of goal would make
//! every two requests look alike. Frames are configured, for all namespaces, or learned from the traffic of one
//! namespace and then good for that one alone.

pub mod learned;
pub mod learner;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use tollfree_cache::frame::{FixedWords, GoalPlace, Sample};
use tollfree_cache::request::{Framed, Request};
use tollfree_config::config::{Frame, FrameText};
use tollfree_config::types::LearnFrames;

use learned::Learned;
use learner::Learner;

/// A frame that counts.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// The name with a digest of the fixed words, so that an edited frame shares nothing with its past.
    pub identity: String,
    /// Its fixed words.
    pub words: FixedWords,
    /// The shape it expects; empty when no template may answer.
    pub shape: String,
    /// How long an answer learned inside it lives; `None` as long as any.
    pub ttl: Option<Duration>,
}

/// The frames: the first configured one that matches a request counts, then the learned ones of its namespace.
pub struct Frames {
    configured: Vec<Known>,
    learned: Learned,
    learner: OnceLock<Learner>,
}

impl Frames {
    /// Prepares the configured frames and reads the learned ones of a data directory.
    pub fn open(frames: &[Frame], mode: LearnFrames, data_dir: Option<&Path>) -> Self {
        Self {
            configured: frames.iter().map(known).collect(),
            learned: Learned::open(mode, data_dir),
            learner: OnceLock::new(),
        }
    }

    /// The learned frames.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Starts to learn from traffic, unless that is switched off.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start_learning(&self) -> std::io::Result<()> {
        if self.learned.mode() != LearnFrames::Off {
            let learner = Learner::start(self.learned.clone())?;
            let _ = self.learner.set(learner);
        }
        Ok(())
    }

    /// Shows a request that is on its way upstream to the learner, if no frame has left it a goal of a goal's length:
    /// inside words that several applications share, there may be more fixed words.
    ///
    /// Cost: a copy of its texts; a full queue drops it.
    pub fn learn_from(&self, request: &Request) {
        let Some(learner) = self.learner.get() else {
            return;
        };
        // In a conversation the last message is seldom the one that an application wraps.
        let explained = request
            .framed
            .as_ref()
            .is_some_and(|framed| framed.goal.len() < learner::LONG_GOAL_BYTES);
        if !explained && request.earlier.is_empty() {
            learner.offer(&request.namespace, &request.system, &request.user);
        }
    }

    /// Samples that the learner could not take.
    pub fn num_dropped(&self) -> u64 {
        self.learner.get().map_or(0, Learner::num_dropped)
    }

    /// Takes the goal out of a request whose system and user text match a frame.
    pub fn apply(&self, request: &mut Request) {
        let framed = self
            .configured
            .iter()
            .find_map(|known| known.apply(request))
            .or_else(|| {
                let learned = self.learned.in_force();
                learned
                    .get(&request.namespace)?
                    .iter()
                    .find_map(|known| known.apply(request))
            });
        if framed.is_some() {
            request.framed = framed;
        }
    }

    /// Wraps a goal in the frame of this name, as an application would send it; `None` for an unknown name.
    pub fn wrap(&self, name: &str, goal: &str, request: &mut Request) -> Option<()> {
        let learned = self.learned.in_force();
        let known = self
            .configured
            .iter()
            .chain(learned.get(&request.namespace).into_iter().flatten())
            .find(|known| known.name == name)?;
        (request.system, request.user) = known.words.wrap(goal);
        self.apply(request);
        Some(())
    }
}

impl Known {
    fn apply(&self, request: &Request) -> Option<Framed> {
        let goal = self.words.goal(&request.system, &request.user)?;
        Some(Framed {
            frame: self.identity.clone(),
            goal: goal.trim().to_owned(),
            shape: self.shape.clone(),
            place: self.words.place,
            ttl: self.ttl,
        })
    }
}

fn known(frame: &Frame) -> Known {
    let whole = |text: &FrameText| match text {
        FrameText::Fixed(text) => text.clone(),
        FrameText::Around { .. } => String::new(),
    };
    let (place, other, around) = match frame.system() {
        FrameText::Fixed(system) => (GoalPlace::User, system.clone(), frame.user()),
        around @ FrameText::Around { .. } => (GoalPlace::System, whole(frame.user()), around),
    };
    let (before, after) = match around {
        FrameText::Around { before, after } => (before.clone(), after.clone()),
        FrameText::Fixed(text) => (text.clone(), String::new()),
    };
    let words = FixedWords {
        place,
        other,
        before,
        after,
    };
    Known {
        name: frame.name().to_string(),
        identity: format!("{}@{}", frame.name(), words.digest()),
        words,
        shape: frame.shape().map(ToString::to_string).unwrap_or_default(),
        ttl: frame.ttl().map(|ttl| ttl.get()),
    }
}

/// The sample of a request's texts, if they are long enough to hold fixed words.
fn sample(system: &str, user: &str) -> Option<Sample> {
    let long_enough = system.len().max(user.len()) >= learner::MIN_TEXT_BYTES;
    (long_enough && system.len() + user.len() <= learner::MAX_TEXT_BYTES).then(|| Sample {
        system: system.to_owned(),
        user: user.to_owned(),
    })
}
