//! What becomes of each line: which are asked, which need not be, and their results in the order of the file.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::budget::{Budget, Estimate};
use super::journal::Journal;
use super::meter::Meter;
use crate::app::App;
use crate::cli::backend::worker::Worker;
use crate::commands::goal::Asking;
use crate::commands::warm::group::{Grouping, Placed};
use crate::commands::{PerLine, bad_line, fields, lines};

/// Lines looked up at once.
const BATCH: usize = 32;

/// A goals file on its way.
pub(super) struct Plan {
    lines: Vec<Value>,
    placed: Vec<Placed>,
    /// Results of lines that stand for themselves.
    ended: Vec<Option<Value>>,
    /// Lines yet to be asked.
    todo: VecDeque<usize>,
    estimates: HashMap<usize, Estimate>,
    unpriced: Option<String>,
    /// Why no upstream may be asked, if none may.
    unaskable: Option<String>,
    upstreams: Vec<String>,
    counts: Counts,
    /// Lines whose results are told.
    told: usize,
}

/// What the plan comes to.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    bad: usize,
    same: usize,
    before: usize,
    answered: usize,
    given: usize,
}

/// Groups the goals of a file by meaning.
pub(super) async fn group(app: &App, asking: &Asking, lines: &[Value], meter: &mut Meter) -> Plan {
    let has_answer = |line: &Value| line.get("answer").is_some_and(|answer| !answer.is_null());
    let (given, bare): (Vec<usize>, Vec<usize>) =
        (0..lines.len()).partition(|index| lines.get(*index).is_some_and(has_answer));
    let mut placed = vec![Placed::First; lines.len()];
    let mut grouping = Grouping::new(app, asking, lines.len());
    meter.begin("comparing", lines.len());
    for (done, index) in given.into_iter().chain(bare).enumerate() {
        if let (Some(line), Some(slot)) = (lines.get(index), placed.get_mut(index)) {
            *slot = grouping.place(index, line).await;
        }
        meter.advance(done + 1, None);
    }
    let count = |wanted: fn(&Placed) -> bool| placed.iter().filter(|it| wanted(it)).count();
    let counts = Counts {
        bad: count(|placed| matches!(placed, Placed::Bad(_))),
        same: count(|placed| matches!(placed, Placed::Same(_))),
        ..Counts::default()
    };
    let todo = placed.iter().enumerate();
    let todo = todo.filter(|(_, placed)| matches!(placed, Placed::First));
    Plan {
        ended: vec![None; lines.len()],
        todo: todo.map(|(index, _)| index).collect(),
        lines: lines.to_vec(),
        placed,
        estimates: HashMap::new(),
        unpriced: None,
        unaskable: None,
        upstreams: Vec::new(),
        counts,
        told: 0,
    }
}

impl Plan {
    /// Takes out what earlier runs have done.
    pub(super) fn resume(&mut self, journal: &Journal) {
        for index in std::mem::take(&mut self.todo) {
            match journal.done(self.number(index)) {
                None => self.todo.push_back(index),
                Some(done) => {
                    self.counts.before += 1;
                    self.end(
                        index,
                        json!({ "outcome": "done before", "before": done.outcome }),
                    );
                }
            }
        }
    }

    /// Takes out what is answered, and learns what the rest will cost.
    pub(super) async fn look_up(
        &mut self,
        worker: &Worker,
        asking: &Asking,
        meter: &mut Meter,
    ) -> anyhow::Result<()> {
        let todo: Vec<usize> = std::mem::take(&mut self.todo).into();
        meter.begin("looking up", todo.len());
        let mut done = 0;
        for batch in todo.chunks(BATCH) {
            let lines = batch
                .iter()
                .filter_map(|index| self.lines.get(*index))
                .cloned();
            let results = worker
                .lines(PerLine::WarmPlan, asking, lines.collect())
                .await?;
            for (index, result) in batch.iter().zip(results) {
                self.take(*index, &result);
            }
            done += batch.len();
            meter.advance(done, None);
        }
        Ok(())
    }

    fn take(&mut self, index: usize, planned: &Value) {
        if let Some(error) = planned.get("error").and_then(Value::as_str)
            && planned.get("input_tokens").is_none()
        {
            self.counts.bad += 1;
            if let Some(placed) = self.placed.get_mut(index) {
                *placed = Placed::Bad(error.to_owned());
            }
            return;
        }
        let answered = planned.get("answered").filter(|tier| !tier.is_null());
        if let Some(tier) = answered {
            self.counts.answered += 1;
            let entry = planned.get("entry").cloned().unwrap_or_default();
            self.end(
                index,
                json!({ "outcome": "answered", "answered": tier, "entry": entry }),
            );
            return;
        }
        self.todo.push_back(index);
        if self.has_answer(index) {
            self.counts.given += 1;
            return;
        }
        if let Some(reason) = planned.get("reason").and_then(Value::as_str) {
            self.unaskable = Some(reason.to_owned());
        }
        let mut dearest = Some((0.0_f64, 0.0_f64));
        let upstreams = planned.get("upstreams").and_then(Value::as_array);
        for upstream in upstreams.into_iter().flatten() {
            let name = upstream
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !self.upstreams.iter().any(|known| known == name) {
                self.upstreams.push(name.to_owned());
            }
            let price = |side: &str| {
                let price = upstream.pointer(&format!("/price/{side}"));
                price.and_then(Value::as_f64)
            };
            dearest = match (dearest, price("input"), price("output")) {
                (Some(so_far), Some(input), Some(output)) => {
                    Some((so_far.0.max(input), so_far.1.max(output)))
                }
                _ => {
                    self.unpriced = Some(name.to_owned());
                    None
                }
            };
        }
        let input_tokens = planned.get("input_tokens").and_then(Value::as_u64);
        self.estimates.insert(
            index,
            Estimate {
                input_tokens: input_tokens.unwrap_or(0),
                price: dearest.filter(|_| self.unaskable.is_none()),
            },
        );
    }

    /// Says what is to be done.
    pub(super) fn announce(&mut self, budget: &Budget, meter: &mut Meter) {
        let to_ask = self.to_ask();
        // Where goals that want the same answer have it already, grouping them saves nothing.
        let saved = self.placed.iter().filter(
            |placed| matches!(placed, Placed::Same(first) if self.estimates.contains_key(first)),
        );
        let cost: Option<f64> = self
            .estimates
            .values()
            .map(|estimate| budget.cost(estimate))
            .sum();
        let Counts {
            bad,
            same,
            before,
            answered,
            given,
        } = self.counts;
        let goals = self.lines.len() - bad;
        meter.planned(&json!({
            "goals": goals,
            "bad_lines": bad,
            "groups": goals - same,
            "duplicates": same,
            "saved_calls": saved.count(),
            "done_before": before,
            "already_answered": answered,
            "own_answers": given,
            "to_ask": to_ask,
            "estimated_usd": cost,
            "upstreams": self.upstreams,
            "spent_before_usd": budget.spent_usd(),
            "calls_before": budget.calls(),
            "reason": self.unaskable,
        }));
        self.tell(meter);
    }

    /// Tells what a dry run would do for each line left.
    pub(super) fn dry_results(&mut self, meter: &mut Meter) {
        for index in std::mem::take(&mut self.todo) {
            let outcome = if self.has_answer(index) {
                "would be admitted"
            } else {
                "would be asked"
            };
            self.end(index, json!({ "outcome": outcome }));
        }
        self.tell(meter);
    }

    /// Lines of which an upstream has to be asked.
    pub(super) fn to_ask(&self) -> usize {
        self.estimates.len()
    }

    /// The next line to be worked on.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.todo.pop_front()
    }

    /// Puts a line back, to be the next.
    pub(super) fn put_back(&mut self, index: usize) {
        self.todo.push_front(index);
    }

    /// Lines not begun.
    pub(super) fn left(&self) -> usize {
        self.todo.len()
    }

    pub(super) fn line(&self, index: usize) -> Value {
        self.lines.get(index).cloned().unwrap_or_default()
    }

    /// The number of a line in the file, from 1.
    pub(super) fn number(&self, index: usize) -> usize {
        let line = self.lines.get(index);
        let number = line.and_then(|line| line.get(lines::LINE_NUMBER)?.as_u64());
        number
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(index + 1)
    }

    /// What asking for a line will cost; `None` for one with an answer of its own.
    pub(super) fn estimate(&self, index: usize) -> Option<Estimate> {
        self.estimates.get(&index).copied()
    }

    pub(super) fn unpriced(&self) -> Option<&str> {
        self.unpriced.as_deref().filter(|_| self.to_ask() > 0)
    }

    pub(super) fn unaskable(&self) -> Option<&str> {
        self.unaskable.as_deref()
    }

    pub(super) fn has_bad_lines(&self) -> bool {
        self.counts.bad > 0
    }

    /// Sets the result of a line, without the fields of its own, which are copied in.
    pub(super) fn end(&mut self, index: usize, result: Value) {
        let mut whole = self.lines.get(index).map(fields).unwrap_or_default();
        if let Value::Object(result) = result {
            whole.extend(result);
        }
        if let Some(slot) = self.ended.get_mut(index) {
            *slot = Some(Value::Object(whole));
        }
    }

    /// Tells the results of all lines up to the first that is still open, in the order of the file.
    pub(super) fn tell(&mut self, meter: &mut Meter) {
        while let Some(result) = self.result(self.told) {
            meter.result(&result);
            self.told += 1;
        }
    }

    /// Tells the results that are left, the open ones too.
    pub(super) fn tell_all(&mut self, meter: &mut Meter) {
        while self.told < self.lines.len() {
            if self.result(self.told).is_none() {
                self.end(self.first(self.told), json!({ "outcome": "not done" }));
            }
            self.tell(meter);
        }
    }

    fn first(&self, index: usize) -> usize {
        match self.placed.get(index) {
            Some(Placed::Same(first)) => *first,
            _ => index,
        }
    }

    fn result(&self, index: usize) -> Option<Value> {
        let line = self.lines.get(index)?;
        match self.placed.get(index)? {
            Placed::Bad(error) => Some(bad_line(line, error)),
            Placed::First => self.ended.get(index)?.clone(),
            Placed::Same(first) => {
                let of_first = self.result(*first)?;
                let mut result: Map<String, Value> = fields(line);
                result.insert("outcome".to_owned(), "same".into());
                result.insert("same_as".to_owned(), self.number(*first).into());
                for name in ["outcome", "entry"] {
                    let value = of_first.get(name).cloned().unwrap_or_default();
                    let name = if name == "outcome" {
                        "same_outcome"
                    } else {
                        name
                    };
                    result.insert(name.to_owned(), value);
                }
                Some(Value::Object(result))
            }
        }
    }

    fn has_answer(&self, index: usize) -> bool {
        self.lines
            .get(index)
            .and_then(|line| line.get("answer"))
            .is_some_and(|answer| !answer.is_null())
    }
}
