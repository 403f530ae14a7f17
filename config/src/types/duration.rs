//! Durations as people write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::error::{Error, Result};

/// Milliseconds of each unit, from the largest, so that the first that divides a duration is its shortest text.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A duration in whole milliseconds, written as a number and a unit: `250ms`, `30s`, `10m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    millis: u64,
}

impl Duration {
    /// Makes a duration of so many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Makes a duration of so many seconds, at most 584 million years.
    pub const fn from_secs(secs: u64) -> Self {
        Self {
            millis: secs.saturating_mul(1_000),
        }
    }

    /// Makes a duration of so many days of 24 hours, at most 584 million years.
    pub const fn from_days(days: u64) -> Self {
        Self {
            millis: days.saturating_mul(86_400_000),
        }
    }

    /// Returns the whole duration in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// Returns the duration as the standard library has it.
    pub const fn get(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.millis)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.get()
    }
}

impl FromStr for Duration {
    type Err = Error;

    /// Reads a whole number directly followed by `ms`, `s`, `m`, `h` or `d`.
    fn from_str(text: &str) -> Result<Self> {
        let malformed = || Error::DurationText {
            text: text.to_owned(),
        };
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(malformed)?;
        let (number, unit) = text.split_at_checked(end).ok_or_else(malformed)?;
        let (_, scale) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(malformed)?;
        if number.is_empty() {
            return Err(malformed());
        }
        // Only digits are left, so that the only way to fail is a number that is too large.
        let millis = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*scale));
        millis
            .map(Self::from_millis)
            .ok_or_else(|| Error::DurationTooLong {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for Duration {
    /// Writes the duration in the largest unit that loses nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole =
            |(_, scale): &&(&str, u64)| self.millis != 0 && self.millis.is_multiple_of(*scale);
        let (unit, scale) = UNITS.iter().find(whole).unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.millis / scale)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed parse fails the test")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_has_its_length() {
        let millis = |text: &str| text.parse::<Duration>().unwrap().as_millis();
        assert_eq!(millis("250ms"), 250);
        assert_eq!(millis("30s"), 30_000);
        assert_eq!(millis("10m"), 600_000);
        assert_eq!(millis("24h"), 86_400_000);
        assert_eq!(millis("7d"), 7 * 86_400_000);
        assert_eq!(millis("0s"), 0);
    }

    #[test]
    fn text_without_number_or_unit_is_refused() {
        for text in [
            "", "7", "d", "7 d", " 7d", "7d ", "-7d", "+7d", "1.5h", "7D", "7w", "1h30m", "٣s",
            "7µs",
        ] {
            let error = text.parse::<Duration>().unwrap_err();
            assert_eq!(
                error,
                Error::DurationText {
                    text: text.to_owned()
                }
            );
        }
    }

    #[test]
    fn a_duration_beyond_the_counter_is_refused_and_not_wrapped() {
        for text in [
            "18446744073709551616ms",
            "18446744073709552s",
            "213503982335d",
        ] {
            let error = text.parse::<Duration>().unwrap_err();
            assert_eq!(
                error,
                Error::DurationTooLong {
                    text: text.to_owned()
                }
            );
        }
    }

    #[test]
    fn display_uses_the_largest_unit_that_loses_nothing() {
        let shown = |millis| Duration::from_millis(millis).to_string();
        assert_eq!(shown(0), "0ms");
        assert_eq!(shown(1_500), "1500ms");
        assert_eq!(shown(90_000), "90s");
        assert_eq!(shown(86_400_000), "1d");
    }

    proptest! {
        #[test]
        fn what_is_displayed_is_parsed_back(millis in any::<u64>(), scale in 0_usize..5) {
            let (_, scale) = UNITS[scale];
            let duration = Duration::from_millis(millis / scale * scale);
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }

        #[test]
        fn any_text_parses_or_is_refused(text in "\\PC*|[0-9]{0,25}(ms|s|m|h|d)?") {
            if let Ok(duration) = text.parse::<Duration>() {
                prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
            }
        }
    }
}
