//! The canonical, protocol-neutral request: what a client asked, with everything removed that must not split a key.
//!
//! The protocol decoders of the proxy build it. They drop transport and bookkeeping fields, values equal to the
//! API's default, key order and number form; two requests that mean the same must arrive here equal.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contributor::Contributor;
use crate::frame::GoalPlace;
use crate::key::{CompatibilityKey, ExactKey, Fields};
use crate::language::Language;
use crate::namespace::Namespace;

/// Who said a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions given in the middle of a conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message before the last user message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// A request whose user text matched a frame: the application's fixed words, with the goal taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    /// Identity of the frame. It stands for the frame's fixed words in the compatibility key, so whoever edits
    /// those words must change it; the frame's name with a digest of its text does that by itself.
    pub frame: String,
    /// The user's own words.
    pub goal: String,
    /// The shape the frame expects of an answer.
    pub shape: String,
    /// How long an answer learned inside the frame lives; `None` as long as any. Part of no key.
    pub ttl: Option<Duration>,
    /// Where the goal was taken from.
    pub place: GoalPlace,
}

/// The form the answer's text must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Any text.
    #[default]
    Text,
    /// One JSON object of any form.
    JsonObject,
    /// JSON that follows this schema, given as canonical JSON.
    Schema(String),
}

/// What a client asked, independent of the protocol it was asked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The isolation boundary of the caller.
    pub namespace: Namespace,
    /// Who asks. Part of no key but those of entries in quarantine.
    pub caller: Contributor,
    /// The model the client named.
    pub model: String,
    /// The system text; empty when there is none.
    pub system: String,
    /// All turns before the last user message, in order.
    pub earlier: Vec<Turn>,
    /// The last user text as sent.
    pub user: String,
    /// The frame it matched, if any.
    pub framed: Option<Framed>,
    /// The required form of the answer.
    pub format: Format,
    /// Canonical setting name to canonical value (`temperature`, `top_p`, `seed`, `max_tokens`, `stop`...),
    /// without settings at their default.
    pub settings: BTreeMap<String, String>,
    /// The cap on answer tokens.
    pub max_tokens: Option<u32>,
    /// Texts that end an answer.
    pub stop: Vec<String>,
}

impl Request {
    /// Returns the user's own words: the framed goal, or else the whole user text.
    pub fn goal(&self) -> &str {
        self.framed
            .as_ref()
            .map_or(&self.user, |framed| &framed.goal)
    }

    /// Digests the whole request.
    ///
    /// The frame is left out: it is read off the user text, which is in.
    pub fn exact_key(&self) -> ExactKey {
        ExactKey::digest(|fields| {
            self.feed_context(fields, &self.system);
            fields.text(&self.user);
            fields.count(self.settings.len());
            for (name, value) in &self.settings {
                fields.text(name).text(value);
            }
            match self.max_tokens {
                None => fields.variant(0),
                Some(cap) => fields.variant(1).count(cap as usize),
            };
            fields.count(self.stop.len());
            for stop in &self.stop {
                fields.text(stop);
            }
        })
    }

    /// Digests all but the goal text.
    ///
    /// `vary` names the settings that keep answers apart; order and repetition do not matter. Token cap and stop
    /// strings are not part of it: they are checked against the stored answer.
    pub fn compatibility_key(&self, vary: &[String], language: &Language) -> CompatibilityKey {
        let in_system = self
            .framed
            .as_ref()
            .is_some_and(|framed| framed.place == GoalPlace::System);
        CompatibilityKey::digest(|fields| {
            // A system text that holds the goal is digested by its frame, as a user text is.
            self.feed_context(fields, if in_system { "" } else { &self.system });
            match &self.framed {
                None => fields.variant(0),
                Some(framed) => fields
                    .variant(if in_system { 2 } else { 1 })
                    .text(&framed.frame)
                    .text(&framed.shape),
            };
            fields.text(language.as_str());
            let varied: BTreeMap<&String, &String> = vary
                .iter()
                .filter_map(|name| self.settings.get_key_value(name))
                .collect();
            fields.count(varied.len());
            for (name, value) in varied {
                fields.text(name).text(value);
            }
        })
    }

    /// Feeds what both keys share.
    fn feed_context(&self, fields: &mut Fields, system: &str) {
        fields
            .text(self.namespace.as_str())
            .text(&self.model)
            .text(system)
            .count(self.earlier.len());
        for turn in &self.earlier {
            let role = match turn.role {
                Role::System => 0,
                Role::User => 1,
                Role::Assistant => 2,
            };
            fields.variant(role).text(&turn.text);
        }
        match &self.format {
            Format::Text => fields.variant(0),
            Format::JsonObject => fields.variant(1),
            Format::Schema(schema) => fields.variant(2).text(schema),
        };
    }
}

#[cfg(test)]
mod tests;
