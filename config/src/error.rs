//! What can be wrong with a single value, in words, and how to put it right.

use std::path::PathBuf;

/// Result of the checked constructors of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what is wrong with a single value of a configuration.
///
/// The text never repeats a value that may hold a secret (a URL, a key, the name of a key's variable as long as
/// it may be the key itself).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A number or duration outside its bound.
    #[error("{what} is {value}, outside {min} to {max}")]
    OutOfRange {
        /// The quantity, with its unit.
        what: &'static str,
        /// The refused value.
        value: String,
        /// The least value allowed.
        min: String,
        /// The greatest value allowed.
        max: String,
        /// What the limits are for, or what a special value means.
        note: &'static str,
    },
    /// A text that is no duration.
    #[error("duration {text:?} is not a whole number with a unit")]
    DurationText {
        /// The refused text.
        text: String,
    },
    /// A duration too long to be counted in milliseconds.
    #[error("duration {text:?} is longer than can be counted")]
    DurationTooLong {
        /// The refused text.
        text: String,
    },
    /// A text that is no name.
    #[error("name {text:?} is not of the form [a-z0-9][a-z0-9._-]{{0,63}}")]
    NameText {
        /// The refused text.
        text: String,
    },
    /// A text that is no base URL; the text itself may hold a secret and is not repeated.
    #[error("URL {problem}")]
    Url {
        /// What is wrong with it.
        problem: String,
        /// What to change.
        remedy: &'static str,
    },
    /// A text that is no IP address with a port.
    #[error("{text:?} is not an IP address with a port")]
    Address {
        /// The refused text.
        text: String,
    },
    /// A model pattern or the upstream's name for it that has too many `*`, or is empty.
    #[error("{problem}")]
    Models {
        /// What is wrong with it.
        problem: String,
        /// What to change.
        remedy: &'static str,
    },
    /// A text that is no log filter.
    #[error("log directive {text:?} names no level")]
    LogLevel {
        /// The refused directive, one of the comma-separated parts.
        text: String,
    },
    /// A text that is no name of a request setting.
    #[error("setting name {text:?} is not of the form [a-z][a-z0-9_]*")]
    SettingName {
        /// The refused text.
        text: String,
    },
    /// A path that cannot name a file.
    #[error("path {problem}")]
    Path {
        /// What is wrong with it.
        problem: &'static str,
        /// What to change.
        remedy: &'static str,
    },
    /// A text that is no name of an environment variable; it may be the key itself and is not repeated.
    #[error("variable name is not of the form [A-Z_][A-Z0-9_]*")]
    VariableName,
    /// An environment variable that is not set, or set to nothing.
    #[error("environment variable {name} is not set or is empty")]
    VariableUnset {
        /// The variable.
        name: String,
    },
    /// An environment variable whose value is not UTF-8.
    #[error("environment variable {name} is not valid UTF-8")]
    VariableNotUnicode {
        /// The variable.
        name: String,
    },
    /// A key file that cannot be read, is empty or too large.
    #[error("key file {} {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A key that cannot stand in a header.
    #[error("key from {origin} holds a character that cannot stand in a header")]
    KeyText {
        /// The variable or file it came from.
        origin: String,
    },
}

impl Error {
    /// Says what to change so that the value is accepted.
    pub fn remedy(&self) -> String {
        match self {
            Self::OutOfRange { min, max, note, .. } => format!("use a value from {min} to {max}; {note}"),
            Self::DurationText { .. } => {
                "write a whole number directly followed by ms, s, m, h or d, such as \"250ms\", \"30s\" or \"7d\""
                    .to_owned()
            }
            Self::DurationTooLong { .. } => "use a shorter duration".to_owned(),
            Self::NameText { .. } => {
                "use 1 to 64 lower-case letters, digits, \".\", \"_\" and \"-\", with a letter or digit first".to_owned()
            }
            Self::Url { remedy, .. } | Self::Models { remedy, .. } | Self::Path { remedy, .. } => (*remedy).to_owned(),
            Self::Address { .. } => {
                "write a numeric address and a port, such as \"127.0.0.1:8080\", \"[::1]:8080\" or \"0.0.0.0:8080\""
                    .to_owned()
            }
            Self::LogLevel { .. } => {
                "write off, error, warn, info, debug or trace, or pairs such as \"info,tollfree=debug\"".to_owned()
            }
            Self::SettingName { .. } => "use the name of a request setting, such as \"temperature\"".to_owned(),
            Self::VariableName => {
                "write the name of a variable that holds the key, such as \"GEMINI_API_KEY\", not the key itself"
                    .to_owned()
            }
            Self::VariableUnset { name } => format!("export {name} before the start, or name another variable"),
            Self::VariableNotUnicode { name } => format!("set {name} to plain text"),
            Self::KeyFile { .. } => "name a readable file that holds the key and nothing else".to_owned(),
            Self::KeyText { .. } => {
                "store the key alone, in one line of visible ASCII characters without spaces".to_owned()
            }
        }
    }
}
