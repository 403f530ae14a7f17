//! Finding the goal inside an application's fixed words.
//!
//! Only the goal is embedded: a prompt of two thousand fixed characters around ten words of goal would make
//! every two requests look alike.

use tollfree_cache::request::{Framed, Request};
use tollfree_config::config::Frame;

/// The configured frames; the first that matches a request counts.
pub struct Frames(Vec<(String, Frame)>);

impl Frames {
    /// Prepares the frames.
    pub fn new(frames: &[Frame]) -> Self {
        Self(
            frames
                .iter()
                .map(|frame| (identity(frame), frame.clone()))
                .collect(),
        )
    }

    /// Takes the goal out of a request whose system and user text match a frame.
    pub fn apply(&self, request: &mut Request) {
        let framed = self.0.iter().find_map(|(identity, frame)| {
            let fits = frame.system().unwrap_or_default() == request.system;
            let goal = frame.goal(&request.user).filter(|_| fits)?;
            Some(Framed {
                frame: identity.clone(),
                goal: goal.trim().to_owned(),
                shape: frame.shape().map(ToString::to_string).unwrap_or_default(),
                ttl: frame.ttl().map(|ttl| ttl.get()),
            })
        });
        if framed.is_some() {
            request.framed = framed;
        }
    }

    /// Wraps a goal in the frame of this name, as an application would send it; `None` for an unknown name.
    pub fn wrap(&self, name: &str, goal: &str, request: &mut Request) -> Option<()> {
        let (_, frame) = self
            .0
            .iter()
            .find(|(_, frame)| frame.name().as_str() == name)?;
        let (before, after) = frame.user();
        request.system = frame.system().unwrap_or_default().to_owned();
        request.user = format!("{before}{goal}{after}");
        self.apply(request);
        Some(())
    }
}

/// The frame's name with a digest of its fixed words, so that an edited frame shares nothing with its past.
fn identity(frame: &Frame) -> String {
    let (before, after) = frame.user();
    let mut hasher = blake3::Hasher::new();
    for part in [frame.system().unwrap_or_default(), before, after] {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part.as_bytes());
    }
    format!(
        "{}@{}",
        frame.name(),
        hasher.finalize().to_hex().get(..16).unwrap_or_default()
    )
}
