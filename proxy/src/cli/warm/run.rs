//! The calls themselves: several at once, within the budget, at the pace the upstreams bear.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use super::Args;
use super::budget::{Budget, Spent};
use super::journal::{Done, Journal};
use super::meter::Meter;
use super::plan::Plan;
use crate::cli::backend::worker::Worker;
use crate::commands::PerLine;
use crate::commands::goal::Asking;

/// The first pause where an upstream names none; it doubles with each further refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often the meter is asked to show itself while calls are under way.
const TICK: Duration = Duration::from_millis(250);

/// How a run ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) interrupted: bool,
    /// Why it stopped before its end, if something was wrong.
    stopped: Option<String>,
    spent: Option<Spent>,
    asked: usize,
    admitted: usize,
    answered: usize,
    unstorable: usize,
    failed: usize,
    calls: u64,
    spent_usd: f64,
    unpriced: bool,
    /// Calls that were left under way.
    abandoned: usize,
    took: Duration,
}

impl Ended {
    /// Whether nothing is left to be done.
    pub(super) fn is_complete(&self) -> bool {
        !self.interrupted && !self.is_broken() && self.spent.is_none()
    }

    /// Whether something went wrong; a budget that is used up is none of that.
    pub(super) fn is_broken(&self) -> bool {
        self.stopped.is_some() || self.failed > 0
    }

    fn why(&self) -> Option<String> {
        match (self.interrupted, &self.stopped, self.spent) {
            (true, _, _) => Some("interrupted".to_owned()),
            (_, Some(reason), _) => Some(reason.clone()),
            (_, _, Some(Spent::Usd)) => Some("--max-usd is used up".to_owned()),
            (_, _, Some(Spent::Requests)) => Some("--max-requests is used up".to_owned()),
            _ => None,
        }
    }

    /// The summary as fields.
    pub(super) fn json(&self, left: usize) -> Value {
        json!({
            "asked": self.asked, "admitted": self.admitted, "answered_meanwhile": self.answered,
            "unstorable": self.unstorable, "failed": self.failed, "left": left + self.abandoned,
            "calls": self.calls, "spent_usd": (!self.unpriced).then_some(self.spent_usd),
            "seconds": self.took.as_secs_f64(), "stopped": self.why(),
            "complete": self.is_complete(),
        })
    }

    /// The summary in words.
    pub(super) fn words(&self, left: usize) -> Vec<String> {
        let spent = if self.unpriced {
            "at an unknown price".to_owned()
        } else {
            format!("for ${:.4}", self.spent_usd)
        };
        let mut lines = vec![format!(
            "{} answers made and kept with {} calls {spent} in {:.0} s",
            self.asked,
            self.calls,
            self.took.as_secs_f64()
        )];
        for (count, words) in [
            (self.admitted, "answers of the file's own kept"),
            (self.answered, "goals were answered by others meanwhile"),
            (
                self.unstorable,
                "answers were not complete enough to be kept",
            ),
            (self.failed, "calls failed; another run asks them again"),
            (
                left + self.abandoned,
                "goals left; the same command goes on with them",
            ),
        ] {
            if count > 0 {
                lines.push(format!("{count} {words}"));
            }
        }
        if let Some(why) = self.why() {
            lines.push(format!("stopped: {why}"));
        }
        lines
    }
}

/// One call under way, or ended.
struct Sent {
    index: usize,
    reserved: Option<f64>,
    begun: Instant,
    result: anyhow::Result<Vec<Value>>,
}

struct Run<'a> {
    args: &'a Args,
    plan: &'a mut Plan,
    budget: Budget,
    journal: &'a mut Journal,
    meter: &'a mut Meter,
    ended: Ended,
    calls_before: u64,
    done: usize,
    /// No new call is begun any more.
    stopping: bool,
    /// No call is begun before.
    hold: Instant,
    /// When an upstream last wanted a pause: calls begun before that tell nothing new.
    limited_at: Option<Instant>,
    refusals: u32,
    failures: u32,
}

/// Works off the plan.
///
/// # Errors
/// When no upstream may be asked, or the journal cannot be written.
pub(super) async fn run(
    worker: &Worker,
    asking: &Asking,
    args: &Args,
    plan: &mut Plan,
    budget: Budget,
    journal: &mut Journal,
    meter: &mut Meter,
) -> anyhow::Result<Ended> {
    if let Some(reason) = plan.unaskable() {
        bail!("{reason}");
    }
    let begun = Instant::now();
    meter.begin("warming", plan.left());
    let calls_before = budget.calls();
    let unpriced = plan.unpriced().is_some();
    let mut run = Run {
        args,
        plan,
        budget,
        journal,
        meter,
        ended: Ended {
            unpriced,
            ..Ended::default()
        },
        calls_before,
        done: 0,
        stopping: false,
        hold: begun,
        limited_at: None,
        refusals: 0,
        failures: 0,
    };
    let mut signals = Signals::new()?;
    let mut calls = JoinSet::new();
    loop {
        while let Some(next) = run.next(calls.len()) {
            let (worker, asking) = (worker.clone(), asking.clone());
            let (index, reserved, line) = next;
            calls.spawn(async move {
                let begun = Instant::now();
                let result = Box::pin(worker.lines(PerLine::Warm, &asking, vec![line])).await;
                Sent {
                    index,
                    reserved,
                    begun,
                    result,
                }
            });
        }
        if calls.is_empty() && (run.stopping || run.plan.left() == 0) {
            break;
        }
        tokio::select! {
            Some(sent) = calls.join_next(), if !calls.is_empty() => run.take(sent?)?,
            () = signals.next() => {
                if run.stopping && run.ended.interrupted {
                    run.ended.abandoned = calls.len();
                    calls.abort_all();
                    break;
                }
                run.stopping = true;
                run.ended.interrupted = true;
                if !calls.is_empty() {
                    run.meter.note(&format!(
                        "stopping: waiting for {} calls under way; once more leaves them",
                        calls.len()
                    ));
                }
            }
            () = tokio::time::sleep(run.nap()) => {}
        }
        run.meter.advance(run.done, run.spent());
    }
    run.ended.took = begun.elapsed();
    run.ended.calls = run.budget.calls() - run.calls_before;
    run.ended.spent_usd = run.budget.spent_usd();
    run.plan.tell_all(run.meter);
    Ok(run.ended)
}

impl Run<'_> {
    /// The next line to be worked on, if one may be begun now.
    fn next(&mut self, under_way: usize) -> Option<(usize, Option<f64>, Value)> {
        let now = Instant::now();
        if self.stopping || under_way >= usize::from(self.args.concurrency) || now < self.hold {
            return None;
        }
        let index = self.plan.next()?;
        let reserved = match self.plan.estimate(index).map(|it| self.budget.begin(&it)) {
            None => None,
            Some(Ok(reserved)) => Some(reserved),
            Some(Err(spent)) => {
                self.plan.put_back(index);
                // What is under way may turn out cheaper than it was taken for.
                if under_way == 0 {
                    self.stopping = true;
                    self.ended.spent = Some(spent);
                }
                return None;
            }
        };
        if let (Some(per_minute), Some(_)) = (self.args.per_minute, reserved) {
            self.hold = now + Duration::from_secs(60) / per_minute;
        }
        Some((index, reserved, self.plan.line(index)))
    }

    /// How long nothing needs to be done, unless something happens.
    fn nap(&self) -> Duration {
        let held = self.hold.saturating_duration_since(Instant::now());
        if held.is_zero() { TICK } else { held.min(TICK) }
    }

    fn spent(&self) -> Option<f64> {
        (!self.ended.unpriced).then(|| self.budget.spent_usd())
    }

    fn stop(&mut self, why: String) {
        self.stopping = true;
        self.ended.stopped.get_or_insert(why);
    }

    /// Takes note of a call that has ended.
    fn take(&mut self, sent: Sent) -> anyhow::Result<()> {
        let Sent {
            index,
            reserved,
            begun,
            result,
        } = sent;
        let result = match result.map(|mut results| results.pop()) {
            Ok(Some(result)) => result,
            failed => {
                let why = failed
                    .err()
                    .map_or("no answer".to_owned(), |error| format!("{error:#}"));
                self.budget.end(reserved.unwrap_or(0.0), false, None, None);
                self.plan.put_back(index);
                self.stop(why);
                return Ok(());
            }
        };
        let text = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("");
        let outcome = text("outcome");
        let called = match outcome {
            "asked" | "limited" => true,
            // Its own answer may have been what was not kept.
            "unstorable" => result.get("upstream").is_some(),
            "failed" => result.get("sent").and_then(Value::as_bool) == Some(true),
            _ => false,
        };
        let cost_usd = result.get("cost_usd").and_then(Value::as_f64);
        let written = result.get("output_tokens").and_then(Value::as_u64);
        if let Some(reserved) = reserved {
            self.budget.end(reserved, called, cost_usd, written);
        }
        self.journal.note(Done {
            line: self.plan.number(index),
            outcome: outcome.to_owned(),
            cost_usd,
            called,
        })?;
        match outcome {
            "asked" => self.ended.asked += 1,
            "admitted" => self.ended.admitted += 1,
            "answered" => self.ended.answered += 1,
            "unstorable" => self.ended.unstorable += 1,
            "limited" => {
                self.plan.put_back(index);
                let pause = result.get("retry_after_s").and_then(Value::as_u64);
                let exhausted = result.get("exhausted").and_then(Value::as_bool) == Some(true);
                self.pause(begun, pause.map(Duration::from_secs), exhausted, &result);
                return Ok(());
            }
            "failed" => {
                self.ended.failed += 1;
                self.failures += 1;
                if self.failures >= self.args.give_up_after {
                    self.stop(format!(
                        "{} calls in a row failed, the last with: {}",
                        self.failures,
                        text("reason")
                    ));
                }
            }
            // A line that was readable before is readable now; what else a server may say is told as it is.
            _ => self.ended.failed += 1,
        }
        if outcome != "failed" {
            self.failures = 0;
            self.refusals = 0;
        }
        self.done += 1;
        self.plan.end(index, result);
        self.plan.tell(self.meter);
        Ok(())
    }

    /// An upstream wants a pause: nothing is begun before it is over.
    fn pause(&mut self, begun: Instant, asked: Option<Duration>, exhausted: bool, result: &Value) {
        let text = |name: &str| result.get(name).and_then(Value::as_str).unwrap_or("");
        let now = Instant::now();
        // Calls that were under way together are refused together: that is one refusal.
        if self.limited_at.is_some_and(|at| begun <= at) {
            self.hold = self.hold.max(now + asked.unwrap_or_default());
            return;
        }
        self.limited_at = Some(now);
        self.refusals += 1;
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.refusals - 1).min(10));
        let pause = asked.unwrap_or(doubled.min(LONGEST_PAUSE));
        let upstream = text("upstream");
        if exhausted {
            self.stop(format!(
                "the quota of {upstream} is used up: {}",
                text("reason")
            ));
        } else if self.refusals >= self.args.give_up_after {
            self.stop(format!(
                "{upstream} refused {} times in a row: {}",
                self.refusals,
                text("reason")
            ));
        } else if pause > self.args.max_wait.get() {
            self.stop(format!(
                "{upstream} asks to wait {} s, longer than --max-wait",
                pause.as_secs()
            ));
        } else {
            self.hold = now + pause;
            self.meter.waiting(upstream, pause, text("reason"));
        }
    }
}

/// Ctrl-C and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
