//! What a request decoder collects on its way through a body, whatever the protocol.

use serde_json::Value;

use super::bypass::BypassReason;
use super::chat::{Message, Part};
use super::fields::Fields;
use super::json::Parsed;
use super::settings::Settings;
use tollfree_cache::request::Role;

/// Everything a decoder learns besides the fields of the request themselves. Of several reasons the first counts.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) system: Vec<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) settings: Settings,
    pub(crate) bypass: Option<BypassReason>,
    pub(crate) untranslatable: Option<&'static str>,
}

impl Draft {
    /// Starts from a parsed body: what its tree no longer shows keeps it out of the cache.
    pub(crate) fn of(parsed: &Parsed) -> Self {
        let mut draft = Self::default();
        draft.bypass_if(parsed.repeated_name, BypassReason::AmbiguousField);
        draft.bypass_if(parsed.inexact_number, BypassReason::InexactNumber);
        draft
    }

    /// Keeps the request out of the cache.
    pub(crate) fn bypass(&mut self, reason: BypassReason) {
        self.bypass.get_or_insert(reason);
    }

    /// Keeps the request out of the cache where the condition holds.
    pub(crate) fn bypass_if(&mut self, condition: bool, reason: BypassReason) {
        if condition {
            self.bypass(reason);
        }
    }

    /// Keeps the request out of the cache and away from upstreams of another protocol.
    pub(crate) fn bypass_untranslatable(&mut self, reason: BypassReason, feature: &'static str) {
        self.bypass(reason);
        self.untranslatable.get_or_insert(feature);
    }

    /// Keeps whatever nobody took from an object: we do not know what it means.
    pub(crate) fn keep_rest(&mut self, fields: Fields) {
        for (path, value) in fields.rest() {
            self.settings.put_opaque(path, &value);
        }
    }

    /// Keeps one value that we do not know.
    pub(crate) fn keep(&mut self, path: String, value: &Value) {
        self.settings.put_opaque(path, value);
    }

    /// Notes whether there is a goal: a last turn of the user that has text.
    pub(crate) fn check_goal(&mut self) {
        let has_goal = self.messages.last().is_some_and(|last| {
            last.role == Role::User
                && last
                    .parts
                    .iter()
                    .any(|part| matches!(part, Part::Text(text) if !text.trim().is_empty()))
        });
        self.bypass_if(!has_goal, BypassReason::NoGoal);
    }
}
