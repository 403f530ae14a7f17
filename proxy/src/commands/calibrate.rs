//! `tollfree calibrate`: how many hits, and how many wrong ones, at which bar.

use serde_json::{Value, json};
use tollfree_cache::bound::Margin;
use tollfree_cache::bound::sweep::{self, Count, Judged, Point};

use crate::app::App;

/// What one labelled decision says, as [`live`] writes it: its margin above the shipped bar, and whether its answer
/// was right. `margin` is `null` for one that the rules alone served.
pub fn live(app: &App) -> Value {
    let labelled: Vec<Value> = app
        .lookup
        .recent()
        .all()
        .into_iter()
        .filter_map(|decided| {
            let margin = match decided.judged {
                Judged::At(margin) => Some(margin.get()),
                Judged::Always => None,
                Judged::Never => return None,
            };
            Some(json!({ "margin": margin, "right": decided.right? }))
        })
        .collect();
    Value::Array(labelled)
}

/// Reads what [`live`] writes.
pub fn read_live(decisions: &Value) -> Vec<(Judged, bool)> {
    decisions
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|decision| {
            let right = decision.get("right")?.as_bool()?;
            Some((judged(decision.get("margin"), true), right))
        })
        .collect()
}

/// Reads a result line of `pairs` with its label, `label` (0 or 1) or `same_answer`.
///
/// # Errors
/// What is wrong with the line.
pub fn read_pair(result: &Value, shift: f32) -> Result<(Judged, bool), String> {
    if let Some(error) = result.get("error").and_then(Value::as_str) {
        return Err(error.to_owned());
    }
    let right = ["same_answer", "label"]
        .iter()
        .find_map(|field| result.get(*field))
        .and_then(truth)
        .ok_or("line has no label: set same_answer to true or false, or label to 1 or 0")?;
    let hit = result.get("hit").and_then(Value::as_bool).unwrap_or(false);
    let number = |field: &str| {
        #[expect(clippy::cast_possible_truncation, reason = "it was an f32")]
        result
            .get(field)
            .and_then(Value::as_f64)
            .map(|value| value as f32)
    };
    let judged = match (number("confidence"), number("needed")) {
        (Some(confidence), Some(needed)) => {
            let above = Margin::new(confidence, needed).get();
            Judged::At(Margin::from_log_odds(above + shift))
        }
        _ => judged(None, hit),
    };
    Ok((judged, right))
}

fn judged(margin: Option<&Value>, hit: bool) -> Judged {
    match margin.and_then(Value::as_f64) {
        #[expect(clippy::cast_possible_truncation, reason = "at most 6")]
        Some(margin) => Judged::At(Margin::from_log_odds(margin as f32)),
        None if hit => Judged::Always,
        None => Judged::Never,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(same) => Some(*same),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// All operating points and the chosen one.
pub fn report(pairs: &[(Judged, bool)], max_wrong: f64) -> Value {
    let points = sweep::sweep(pairs);
    let chosen = sweep::choose(&points, max_wrong);
    json!({
        "pairs": pairs.len(),
        "max_wrong": max_wrong,
        "points": points.iter().map(point).collect::<Vec<_>>(),
        "chosen": chosen.map(point),
        "config": chosen.map(|point| format!("[cache]\nconfidence_shift = {:?}", point.shift)),
    })
}

fn point(point: &Point) -> Value {
    json!({
        "shift": point.shift,
        "served": share(point.right),
        "served_of_wrong": share(point.wrong),
        "wrong_hits": share(point.wrong_hits()),
    })
}

fn share(count: Count) -> Value {
    let (low, high) = count.interval();
    json!({
        "count": count.served,
        "of": count.of,
        "share": count.share(),
        "low": low,
        "high": high,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_either_label_and_its_margin() {
        let line = json!({"confidence": 0.9, "needed": 0.5, "hit": true, "label": 1});
        assert!(
            matches!(read_pair(&line, 0.0), Ok((Judged::At(margin), true)) if (margin.get() - 9_f32.ln()).abs() < 1e-3)
        );
        let line = json!({"confidence": null, "needed": null, "hit": true, "same_answer": false});
        assert_eq!(read_pair(&line, 0.0), Ok((Judged::Always, false)));
        let line = json!({"confidence": null, "needed": null, "hit": false, "label": "0"});
        assert_eq!(read_pair(&line, 0.0), Ok((Judged::Never, false)));
        assert!(read_pair(&json!({"hit": true}), 0.0).is_err());
        assert!(read_pair(&json!({"hit": true, "label": 0.5}), 0.0).is_err());
    }

    #[test]
    fn the_report_names_the_line_to_set() {
        let mut pairs = vec![(Judged::At(Margin::from_log_odds(3.0)), true); 500];
        pairs.extend(vec![(Judged::At(Margin::from_log_odds(1.0)), false); 100]);
        let report = report(&pairs, 0.01);
        assert_eq!(report["config"], "[cache]\nconfidence_shift = 1.25");
        assert_eq!(super::report(&pairs[..10], 0.01)["config"], Value::Null);
    }
}
