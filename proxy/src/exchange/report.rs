//! What the proxy tells a client about an answer: `Cache-Status`, `Age` and the `x-tollfree-*` headers.

use std::sync::Arc;
use std::time::Duration;

use pingora::http::ResponseHeader;

use crate::decisions::{Looked, Routed};
use crate::lookup::{CacheStatus, Finding};

/// The facts behind the headers of one answer.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where the answer came from.
    pub status: CacheStatus,
    /// Cosine similarity of the candidate that answered, or of the best that did not.
    pub similarity: Option<f32>,
    /// The entry or template that answered.
    pub entry: Option<String>,
    /// Seconds since the answer was made.
    pub age: Option<u64>,
    /// The upstream that answers, or once answered.
    pub upstream: Option<String>,
    /// US dollars not spent.
    pub saved_usd: Option<f64>,
    /// Why the cache was bypassed or nothing fitted.
    pub reason: Option<String>,
    /// What the lookup saw, for the decision log.
    pub looked: Option<Arc<Looked>>,
    /// Why the upstream was chosen, for the decision log.
    pub routed: Option<Arc<Routed>>,
}

impl Report {
    /// The report of a request that is not looked up.
    pub fn bypass(reason: &str) -> Self {
        Self {
            reason: Some(reason.to_owned()),
            ..Self::new(CacheStatus::Bypass)
        }
    }

    /// The report of a lookup that found nothing.
    pub fn miss(finding: &Finding) -> Self {
        Self {
            similarity: finding.similarity,
            reason: finding.reason.as_deref().map(str::to_owned),
            ..Self::new(CacheStatus::Miss)
        }
    }

    /// A report with nothing but a status.
    pub fn new(status: CacheStatus) -> Self {
        Self {
            status,
            similarity: None,
            entry: None,
            age: None,
            upstream: None,
            saved_usd: None,
            reason: None,
            looked: None,
            routed: None,
        }
    }

    /// Writes the headers; `overhead` is the time the proxy itself took.
    ///
    /// # Errors
    /// Never: every value is printable ASCII.
    pub fn write(&self, head: &mut ResponseHeader, overhead: Duration) -> pingora::Result<()> {
        let status = self.status.as_str();
        let cache_status = match self.status {
            CacheStatus::Exact | CacheStatus::Template | CacheStatus::Semantic => {
                format!("tollfree; hit; detail={status}")
            }
            CacheStatus::Miss => "tollfree; fwd=miss".to_owned(),
            CacheStatus::Bypass => "tollfree; fwd=bypass".to_owned(),
        };
        // Another cache on the way may have reported already (RFC 9211): ours comes last, nearest the client.
        head.append_header("cache-status", cache_status)?;
        head.insert_header("x-tollfree-cache", status)?;
        head.insert_header("x-tollfree-overhead-us", overhead.as_micros().to_string())?;
        if let Some(age) = self.age {
            head.insert_header("age", age.to_string())?;
        }
        if let Some(similarity) = self.similarity {
            head.insert_header("x-tollfree-similarity", format!("{similarity:.4}"))?;
        }
        for (name, value) in [
            ("x-tollfree-entry", &self.entry),
            ("x-tollfree-upstream", &self.upstream),
            ("x-tollfree-reason", &self.reason),
        ] {
            // A name from a configuration or a template need not be printable ASCII; then it is left out.
            if let Some(value) = value.as_deref().filter(|value| printable(value)) {
                head.insert_header(name, value)?;
            }
        }
        if let Some(saved) = self.saved_usd {
            head.insert_header("x-tollfree-saved-usd", format!("{saved:.6}"))?;
        }
        Ok(())
    }
}

fn printable(value: &str) -> bool {
    value.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_and_a_miss_say_so_in_both_dialects() -> anyhow::Result<()> {
        let mut head = ResponseHeader::build(200, None)?;
        head.insert_header("cache-status", "origin-cache; hit")?;
        let report = Report {
            similarity: Some(0.912_34),
            entry: Some("e1".into()),
            age: Some(7),
            saved_usd: Some(0.000_321_4),
            ..Report::new(CacheStatus::Semantic)
        };
        report.write(&mut head, Duration::from_micros(5400))?;
        let all: Vec<_> = head.headers.get_all("cache-status").iter().collect();
        assert_eq!(all, ["origin-cache; hit", "tollfree; hit; detail=semantic"]);
        for (name, value) in [
            ("age", "7"),
            ("x-tollfree-cache", "semantic"),
            ("x-tollfree-similarity", "0.9123"),
            ("x-tollfree-entry", "e1"),
            ("x-tollfree-overhead-us", "5400"),
            ("x-tollfree-saved-usd", "0.000321"),
        ] {
            assert_eq!(
                head.headers.get(name).map(|value| value.as_bytes()),
                Some(value.as_bytes()),
                "{name}"
            );
        }
        assert!(!head.headers.contains_key("x-tollfree-reason"));
        Ok(())
    }
}
