//! `tollfree cache export` and `import`: entries as JSON lines, to be carried from one data directory to another.
//!
//! A line holds an entry with its keys as they are, and whether it may be found by meaning; not its vector, which
//! is worth nothing under another embedding model. An import embeds the goals anew, in batches.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::entry::{Answer, Entry, EntryId, Finish, NewEntry, Usage};
use tollfree_cache::key::{self, CompatibilityKey, ExactKey};
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;

use super::{bad_line, lines};
use crate::app::App;
use crate::lookup::{models, now_ms};

/// The format of a line; a number that rises when a reader of this one could not read it right.
const FORMAT: u32 = 1;

/// Entries of a page at most.
const MAX_PAGE: usize = 1_000;

/// A page ends behind the entry that takes its texts over this size, in bytes: memory stays bounded however long
/// the answers are.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Which page to export.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// Entries of this namespace only.
    pub namespace: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Entries of the page at most; 1,000 unless given, and never more.
    pub limit: Option<usize>,
}

/// One exported entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Portable {
    format: u32,
    /// Told for the reader; an import derives it anew.
    #[serde(default)]
    entry: Option<String>,
    namespace: String,
    keys: Keys,
    /// The contributor that alone finds the entry, where it is in quarantine; the keys are those of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quarantined_for: Option<String>,
    goal: String,
    /// Whether other wordings of the goal may find it.
    by_meaning: bool,
    language: String,
    answer: PortableAnswer,
    upstream: String,
    model_requested: String,
    created_at_ms: u64,
    expires_at_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    version: u32,
    exact: String,
    compatibility: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortableAnswer {
    text: String,
    model: String,
    input_tokens: u64,
    output_tokens: u64,
}

/// A page that cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum NoPage {
    /// An entry id that is none.
    #[error("after {0:?} is no entry id; give the `next` of the page before")]
    After(String),
    /// Before that, no entry can be told to be found by meaning.
    #[error(
        "the embedding model is not loaded; /readyz says when it is, and what is wrong with it"
    )]
    NoModel,
}

/// One page of entries in order of id: `{entries, next}`, where `next` is `null` on the last page.
///
/// # Errors
/// See [`NoPage`].
pub fn export(app: &App, page: &Page) -> Result<Value, NoPage> {
    let cache = app.lookup.cache();
    if cache.model().is_none() {
        return Err(NoPage::NoModel);
    }
    let after: Option<EntryId> = page
        .after
        .as_ref()
        .map(|text| text.parse().map_err(|_| NoPage::After(text.clone())))
        .transpose()?;
    let limit = page.limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let now_ms = now_ms();
    let found = cache.page(after, limit, |entry| {
        !entry.is_expired(now_ms)
            && page
                .namespace
                .as_deref()
                .is_none_or(|namespace| entry.namespace.as_str() == namespace)
    });
    let mut bytes = 0;
    let mut entries = Vec::new();
    for entry in &found {
        entries.push(json!(Portable::of(entry, cache.is_indexed(entry))));
        bytes += entry.goal.len() + entry.answer.text.len();
        if bytes > PAGE_BYTES {
            break;
        }
    }
    let whole = found.len() < limit && entries.len() == found.len();
    let next = entries
        .len()
        .checked_sub(1)
        .and_then(|last| found.get(last))
        .filter(|_| !whole)
        .map(|entry| entry.id.to_string());
    Ok(json!({ "entries": entries, "next": next }))
}

/// Takes in exported lines; one result for each, in order: `{line, outcome, entry}` with outcome `imported`,
/// `present` (an answer to the same request that is not older is there already) or `expired`, or `{line, error}`.
pub async fn import(app: &App, lines: &[Value]) -> Vec<Value> {
    let now_ms = now_ms();
    let mut results = Vec::with_capacity(lines.len());
    let mut waiting = Vec::new();
    for line in lines {
        let number = line.get(lines::LINE_NUMBER).cloned().unwrap_or_default();
        let result = match Portable::read(line) {
            Err(error) => bad_line(line, &error),
            Ok((_, _, expires_at_ms)) if expires_at_ms <= now_ms => {
                json!({ "line": number, "outcome": "expired", "entry": null })
            }
            Ok((new, created_at_ms, expires_at_ms)) => {
                match app.lookup.cache().exact(&new.exact, now_ms) {
                    Some(entry) if entry.created_at_ms >= created_at_ms => {
                        json!({ "line": number, "outcome": "present", "entry": entry.id.to_string() })
                    }
                    _ => {
                        let mut new = new;
                        // This model may read less of a goal than the one it comes from.
                        new.by_meaning &= !app.lookup.models().exceeds_limit(&new.entry.goal);
                        waiting.push((results.len(), new, created_at_ms, expires_at_ms));
                        json!({ "line": number })
                    }
                }
            }
        };
        results.push(result);
    }
    let texts: Vec<String> = waiting
        .iter()
        .filter(|(_, new, _, _)| new.by_meaning)
        .map(|(_, new, _, _)| new.entry.goal.clone())
        .collect();
    let embedded = if texts.is_empty() {
        Ok(Vec::new())
    } else {
        app.lookup.models().embed(texts, models::PATIENCE).await
    };
    let mut vectors = match embedded {
        Ok(vectors) => vectors.into_iter(),
        Err(error) => {
            // Without its vector an entry would never be found by meaning, and a second import would skip it.
            let message = format!(
                "the goal cannot be embedded: {}",
                crate::error::chain(&error)
            );
            for (index, _, _, _) in waiting {
                if let (Some(result), Some(line)) = (results.get_mut(index), lines.get(index)) {
                    *result = bad_line(line, &message);
                }
            }
            return results;
        }
    };
    for (index, new, created_at_ms, expires_at_ms) in waiting {
        let Incoming {
            mut entry,
            by_meaning,
            ..
        } = new;
        if by_meaning {
            entry.vector = vectors
                .next()
                .and_then(|values| app.lookup.models().vector(values));
            entry.sketch = app.lookup.models().sketch(&entry.goal);
        }
        // Admitted as of then, it has the age, the end and the id it had where it comes from.
        let cache = app.lookup.cache();
        let admitted = cache.readmit(entry, created_at_ms, expires_at_ms);
        let Some(result) = results.get_mut(index) else {
            continue;
        };
        match admitted {
            Ok(id) => {
                if let Some(object) = result.as_object_mut() {
                    object.insert("outcome".to_owned(), "imported".into());
                    object.insert("entry".to_owned(), id.to_string().into());
                }
            }
            Err(error) => {
                if let Some(line) = lines.get(index) {
                    *result = bad_line(line, &crate::error::chain(&error).to_string());
                }
            }
        }
    }
    super::make_durable(app).await;
    results
}

/// An entry on its way in.
struct Incoming {
    entry: NewEntry,
    by_meaning: bool,
    /// The key it is found by: in quarantine its contributor's.
    exact: ExactKey,
}

impl Portable {
    fn of(entry: &Entry, by_meaning: bool) -> Self {
        let Finish::Stop = entry.answer.finish;
        let (exact, compatibility) = match entry.quarantine.as_deref() {
            Some(shared) => (&shared.exact, &shared.compatibility),
            None => (&entry.exact, &entry.compatibility),
        };
        Self {
            format: FORMAT,
            entry: Some(entry.id.to_string()),
            namespace: entry.namespace.as_str().to_owned(),
            keys: Keys {
                version: key::VERSION,
                exact: exact.to_string(),
                compatibility: compatibility.to_string(),
            },
            quarantined_for: entry
                .quarantine
                .is_some()
                .then(|| entry.contributor.to_string()),
            goal: entry.goal.clone(),
            by_meaning,
            language: entry.language.as_str().to_owned(),
            answer: PortableAnswer {
                text: entry.answer.text.clone(),
                model: entry.answer.model.clone(),
                input_tokens: entry.answer.usage.input_tokens,
                output_tokens: entry.answer.usage.output_tokens,
            },
            upstream: entry.upstream.clone(),
            model_requested: entry.model_requested.clone(),
            created_at_ms: entry.created_at_ms,
            expires_at_ms: entry.expires_at_ms,
        }
    }

    /// Checks one line; the times of creation and expiry beside it.
    fn read(line: &Value) -> Result<(Incoming, u64, u64), String> {
        if let Some(error) = line.get(lines::LINE_ERROR).and_then(Value::as_str) {
            return Err(error.to_owned());
        }
        let fields = Value::Object(super::fields(line));
        // Another version may have other fields: it is told apart before they are read.
        let version = |pointer: &str| fields.pointer(pointer).and_then(Value::as_u64);
        match (version("/format"), version("/keys/version")) {
            (Some(format), _) if format != u64::from(FORMAT) => {
                return Err(format!(
                    "format {format} is not {FORMAT}; import it with the version of tollfree that wrote it"
                ));
            }
            (_, Some(found)) if found != u64::from(key::VERSION) => {
                return Err(format!(
                    "keys.version {found} is not {}: no request would find the entry; use its goal and answer with \
                     `tollfree warm`",
                    key::VERSION
                ));
            }
            _ => {}
        }
        let portable: Self = serde_json::from_value(fields)
            .map_err(|error| format!("line is no exported entry: {error}"))?;
        let digest = |name: &str, text: &str| {
            blake3::Hash::from_hex(text)
                .map(|hash| *hash.as_bytes())
                .map_err(|_| format!("keys.{name} is not 64 hexadecimal digits"))
        };
        let exact = ExactKey::from_bytes(digest("exact", &portable.keys.exact)?);
        let compatibility =
            CompatibilityKey::from_bytes(digest("compatibility", &portable.keys.compatibility)?);
        let contributor = match portable.quarantined_for.as_deref() {
            None => Contributor::OPERATOR,
            Some(text) if text == Contributor::ANONYMOUS.to_string() => Contributor::ANONYMOUS,
            Some(digits) => Contributor::of_digits(digits)
                .ok_or("quarantined_for is neither 32 hexadecimal digits nor \"anonymous\"")?,
        };
        let quarantine = portable.quarantined_for.is_some();
        let namespace = Namespace::new(&portable.namespace)
            .map_err(|error| crate::error::chain(&error).to_string())?;
        if portable.answer.text.is_empty() {
            return Err("answer.text is empty".to_owned());
        }
        let entry = NewEntry {
            namespace,
            exact,
            compatibility,
            goal: portable.goal,
            answer: Answer {
                text: portable.answer.text,
                finish: Finish::Stop,
                usage: Usage {
                    input_tokens: portable.answer.input_tokens,
                    output_tokens: portable.answer.output_tokens,
                },
                model: portable.answer.model,
            },
            upstream: portable.upstream,
            model_requested: portable.model_requested,
            language: Language::new(&portable.language),
            contributor,
            quarantine,
            ttl: None,
            vector: None,
            sketch: None,
        };
        let incoming = Incoming {
            by_meaning: portable.by_meaning && !entry.goal.is_empty(),
            exact: if quarantine {
                exact.private_to(contributor)
            } else {
                exact
            },
            entry,
        };
        Ok((incoming, portable.created_at_ms, portable.expires_at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Value {
        json!({
            "format": 1, "entry": "00112233445566ff", "namespace": "team",
            "keys": { "version": 1, "exact": "ab".repeat(32), "compatibility": "cd".repeat(32) },
            "quarantined_for": null, "goal": "learn chess", "by_meaning": true, "language": "en",
            "answer": { "text": "Play.", "model": "m", "input_tokens": 3, "output_tokens": 2 },
            "upstream": "up", "model_requested": "asked", "created_at_ms": 5, "expires_at_ms": 9,
            lines::LINE_NUMBER: 4,
        })
    }

    fn error_with(pointer: &str, value: Value) -> Option<String> {
        let mut line = line();
        *line.pointer_mut(pointer)? = value;
        Portable::read(&line).err()
    }

    #[test]
    fn a_line_keeps_its_keys_times_and_texts() {
        let read = Portable::read(&line());
        let Ok((incoming, created, expires)) = read else {
            unreachable!("{:?}", read.err())
        };
        assert_eq!((created, expires), (5, 9));
        assert_eq!(incoming.entry.exact.to_string(), "ab".repeat(32));
        assert_eq!(incoming.entry.goal, "learn chess");
        assert!(incoming.by_meaning);
    }

    #[test]
    fn a_line_of_another_version_or_a_broken_one_says_what_is_wrong() {
        for (pointer, value, expect) in [
            ("/format", json!(2), "format 2"),
            ("/keys/version", json!(2), "tollfree warm"),
            ("/keys/exact", json!("zz"), "keys.exact"),
            ("/keys/compatibility", json!(""), "keys.compatibility"),
            ("/namespace", json!(""), "namespace"),
            ("/answer/text", json!(""), "answer.text"),
            ("/goal", json!(7), "exported entry"),
            ("/quarantined_for", json!("operator"), "quarantined_for"),
        ] {
            let error = error_with(pointer, value).unwrap_or_default();
            assert!(error.contains(expect), "{pointer}: {error}");
        }
    }
}
