//! The template file as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) id: String,
    pub(super) category: String,
    pub(super) language: String,
    pub(super) phrasings: Vec<String>,
    #[serde(default)]
    pub(super) vocabulary: Vec<String>,
    #[serde(default)]
    pub(super) refuse: Vec<String>,
    #[serde(default)]
    pub(super) slots: BTreeMap<String, RawSlot>,
    #[serde(default)]
    pub(super) rules: Vec<RawRule>,
    pub(super) plan: RawPlan,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSlot {
    #[serde(rename = "type")]
    pub(super) kind: RawKind,
    pub(super) default: Option<Scalar>,
    pub(super) min: Option<Scalar>,
    pub(super) max: Option<Scalar>,
    pub(super) noun: Option<String>,
    pub(super) max_words: Option<usize>,
    pub(super) example: Option<String>,
    pub(super) ending: Option<String>,
    #[serde(default)]
    pub(super) refuse: Vec<String>,
    #[serde(default)]
    pub(super) units: Vec<String>,
    #[serde(default)]
    pub(super) values: Vec<toml::Table>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawKind {
    Language,
    Instrument,
    Duration,
    Money,
    Weight,
    Distance,
    Count,
    Rate,
    Level,
    Date,
    Place,
    Text,
    Choice,
}

/// A bound or default: text ("3 months") or a whole number.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Number(i64),
    Text(String),
}

impl Scalar {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) require: String,
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) milestones: Vec<RawMilestone>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMilestone {
    pub(super) title: String,
    pub(super) end: f64,
    pub(super) outcome: String,
    pub(super) tasks: Vec<RawTask>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTask {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) minutes: Scalar,
    pub(super) repeat: String,
    pub(super) start: Option<f64>,
    pub(super) when: Option<String>,
}
