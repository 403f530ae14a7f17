//! The fixed words that an application wraps around the goal, and finding them in traffic.
//!
//! Only the goal is embedded: two thousand fixed characters around ten words of goal make every two requests look
//! alike, and go beyond what the embedding model reads. [`FixedWords`] takes the goal out; [`Detector`] learns fixed
//! words from requests that share them, within one namespace, and holds only words that every sample has in common.

mod affix;
mod detector;
mod fixed_words;
mod pool;

pub use detector::{Detector, Found, Limits};
pub use fixed_words::{FixedWords, GoalPlace};
pub use pool::Sample;

#[cfg(test)]
mod tests;
