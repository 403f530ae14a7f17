//! How often a task is done.

use std::fmt;

use serde::{Serialize, Serializer};

/// How often a task is done within its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// One time.
    Once,
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
    /// One time a week.
    Weekly,
    /// Several times a week, 2 to 7.
    PerWeek(u8),
}

impl Repeat {
    /// Reads "once", "daily", "weekdays", "weekly" or "3 per week".
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "once" => Self::Once,
            "daily" => Self::Daily,
            "weekdays" => Self::Weekdays,
            "weekly" => Self::Weekly,
            other => {
                let times: u8 = other.strip_suffix(" per week")?.trim().parse().ok()?;
                match times {
                    1 => Self::Weekly,
                    2..=7 => Self::PerWeek(times),
                    _ => return None,
                }
            }
        })
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once => f.write_str("once"),
            Self::Daily => f.write_str("daily"),
            Self::Weekdays => f.write_str("weekdays"),
            Self::Weekly => f.write_str("weekly"),
            Self::PerWeek(times) => write!(f, "{times} per week"),
        }
    }
}

impl Serialize for Repeat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
