//! How far a run is: a bar on a terminal, plain lines elsewhere, JSON lines with `--json`.
//!
//! Results go to standard output, everything else to standard error. With `--json` both go to standard output, and
//! what is no result of a line has a field `event`.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::plan::Plan;
use super::run::Ended;
use crate::cli::{out, per_line};

/// A bar is drawn at most this often.
const REDRAW: Duration = Duration::from_millis(100);

/// Plain and JSON lines come at most this often.
const REPEAT: Duration = Duration::from_secs(5);

/// Cells of a bar.
const CELLS: usize = 24;

/// Shows how far a run is.
pub(super) struct Meter {
    json: bool,
    terminal: bool,
    drawn: bool,
    what: &'static str,
    total: usize,
    begun: Instant,
    shown: Instant,
}

impl Meter {
    pub(super) fn new(json: bool) -> Self {
        let now = Instant::now();
        Self {
            json,
            terminal: !json && std::io::stderr().is_terminal(),
            drawn: false,
            what: "",
            total: 0,
            begun: now,
            shown: now,
        }
    }

    /// Starts a phase of so many steps.
    pub(super) fn begin(&mut self, what: &'static str, total: usize) {
        self.clear();
        self.what = what;
        self.total = total;
        self.begun = Instant::now();
        self.shown = self.begun;
    }

    /// So many steps are done, and so much is spent.
    pub(super) fn advance(&mut self, done: usize, spent_usd: Option<f64>) {
        let interval = if self.terminal { REDRAW } else { REPEAT };
        let due = self.shown.elapsed() >= interval || (self.terminal && done == self.total);
        if !due {
            return;
        }
        self.shown = Instant::now();
        let (rate, left) = pace(done, self.total, self.begun.elapsed());
        if self.json {
            let event = json!({
                "event": "progress", "phase": self.what, "done": done, "total": self.total,
                "per_second": rate, "remaining_s": left.map(|left| left.as_secs()), "spent_usd": spent_usd,
            });
            out::line(&event.to_string());
            return;
        }
        let mut text = format!("{done}/{} {rate:.1}/s", self.total);
        if let Some(left) = left.filter(|_| done < self.total) {
            text.push_str(&format!(", {} left", clock(left)));
        }
        if let Some(spent) = spent_usd {
            text.push_str(&format!(", ${spent:.4}"));
        }
        if self.terminal {
            let filled = (CELLS * done)
                .checked_div(self.total)
                .unwrap_or(CELLS)
                .min(CELLS);
            let bar = format!("{}{}", "#".repeat(filled), ".".repeat(CELLS - filled));
            out::bar(&format!("{:<10} [{bar}] {text}", self.what));
            self.drawn = true;
        } else {
            out::note(&format!("{} {text}", self.what));
        }
    }

    /// What is to be done.
    pub(super) fn planned(&mut self, plan: &Value) {
        if self.json {
            self.event("planned", plan);
            return;
        }
        self.clear();
        let number = |name: &str| plan.get(name).and_then(Value::as_u64).unwrap_or(0);
        let mut lines = vec![format!(
            "{} goals in {} groups of the same meaning: {} calls saved",
            number("goals"),
            number("groups"),
            number("saved_calls")
        )];
        for (name, words) in [
            ("bad_lines", "lines cannot be read"),
            ("done_before", "groups were done by an earlier run"),
            ("already_answered", "groups are answered already"),
            ("own_answers", "groups come with an answer of their own"),
        ] {
            if number(name) > 0 {
                lines.push(format!("{} {words}", number(name)));
            }
        }
        let upstreams: Vec<&str> = plan
            .get("upstreams")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let cost = plan.get("estimated_usd").and_then(Value::as_f64);
        let at_cost = cost.map_or("at an unknown price".to_owned(), |cost| {
            format!("for about ${cost:.4}")
        });
        lines.push(match (number("to_ask"), plan.get("reason")) {
            (0, _) => "nothing to ask".to_owned(),
            (calls, Some(Value::String(reason))) => format!("{calls} calls to make, but {reason}"),
            (calls, _) => format!(
                "{calls} calls to make, of {}, {at_cost}",
                upstreams.join(", ")
            ),
        });
        lines.iter().for_each(|line| out::line(line));
    }

    /// An upstream wants a pause.
    pub(super) fn waiting(&mut self, upstream: &str, pause: Duration, reason: &str) {
        let seconds = pause.as_secs_f64();
        if self.json {
            let event = json!({ "upstream": upstream, "seconds": seconds, "reason": reason });
            self.event("waiting", &event);
            return;
        }
        self.clear();
        out::note(&format!(
            "{upstream} wants fewer calls ({reason}): waiting {}",
            clock(pause)
        ));
    }

    /// A remark.
    pub(super) fn note(&mut self, text: &str) {
        if self.json {
            self.event("note", &json!({ "text": text }));
            return;
        }
        self.clear();
        out::note(text);
    }

    /// The result of a line. For people only what went wrong is said.
    pub(super) fn result(&mut self, result: &Value) {
        let outcome = result.get("outcome").and_then(Value::as_str);
        if self.json || per_line::is_bad(result) {
            self.clear();
            out::line(&result.to_string());
        } else if matches!(outcome, Some("failed" | "unstorable")) {
            let text = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("-");
            self.note(&format!(
                "{}: {} ({})",
                text("outcome"),
                text("goal"),
                text("reason")
            ));
        }
    }

    /// How a run ended.
    pub(super) fn summary(&mut self, plan: &Plan, ended: &Ended) {
        let left = plan.left();
        if self.json {
            self.event("summary", &ended.json(left));
            return;
        }
        self.clear();
        for line in ended.words(left) {
            out::line(&line);
        }
    }

    fn event(&self, name: &str, fields: &Value) {
        let mut event = serde_json::Map::from_iter([("event".to_owned(), Value::from(name))]);
        event.extend(fields.as_object().cloned().unwrap_or_default());
        out::line(&Value::Object(event).to_string());
    }

    /// Takes a bar away, so that something else can be said.
    fn clear(&mut self) {
        if self.drawn {
            out::bar("");
            self.drawn = false;
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Steps a second so far, and how long the rest takes at that pace; `None` before the first step.
#[expect(clippy::cast_precision_loss, reason = "counts of goals")]
fn pace(done: usize, total: usize, elapsed: Duration) -> (f64, Option<Duration>) {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-6);
    let left = total.saturating_sub(done) as f64 / rate;
    (rate, Duration::try_from_secs_f64(left).ok())
}

fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_told_from_the_pace_so_far() {
        let (rate, left) = pace(10, 40, Duration::from_secs(5));
        assert!((rate - 2.0).abs() < 1e-9);
        assert_eq!(left.map(|left| left.as_secs()), Some(15));
        assert_eq!(pace(0, 40, Duration::from_secs(5)).1, None);
        assert_eq!(clock(Duration::from_secs(3_725)), "1 h 2 min");
        assert_eq!(clock(Duration::from_secs(61)), "1 min 1 s");
    }
}
