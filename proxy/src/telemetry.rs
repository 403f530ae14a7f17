//! What operators see: metrics and logs.
//!
//! Goals, answers and credentials never reach either; goal text is logged only when `log.goals` asks for it.

pub mod log;
pub mod metrics;
