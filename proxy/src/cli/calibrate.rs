//! `tollfree calibrate`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use super::backend::{self, Backend};
use super::{Global, out, per_line};
use crate::commands::goal::Asking;
use crate::commands::{PerLine, calibrate};

/// Exit code when a line could not be read.
const BAD_LINE: u8 = 2;

/// Reads `--max-wrong`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 0.5 => Ok(share),
        _ => Err(format!(
            "{text:?} is no share above 0 and up to 0.5; 0.01 is one in a hundred"
        )),
    }
}

/// Sweeps the bar over labelled pairs, or over the running server's labelled decisions.
pub(super) fn run(
    global: &Global,
    file: Option<&Path>,
    max_wrong: f64,
    asking: Asking,
) -> anyhow::Result<ExitCode> {
    let mut bad = false;
    let pairs = match file {
        Some(file) => {
            let Some(config) = backend::configuration(global) else {
                return Ok(ExitCode::FAILURE);
            };
            let shift = config.cache().confidence_shift();
            let mut pairs = Vec::new();
            let mut number = 0_usize;
            let read = per_line::each(global, PerLine::Pairs, file, &asking, |result| {
                number += 1;
                match calibrate::read_pair(&result, shift) {
                    Ok(pair) => pairs.push(pair),
                    Err(error) => {
                        bad = true;
                        out::note(&format!("line {number}: {error}"));
                    }
                }
            })?;
            if read.is_none() {
                return Ok(ExitCode::FAILURE);
            }
            pairs
        }
        None => {
            let Some(config) = backend::configuration(global) else {
                return Ok(ExitCode::FAILURE);
            };
            crate::telemetry::log::install_quiet(config.log());
            calibrate::read_live(&Backend::open(config)?.live_decisions()?)
        }
    };
    let report = calibrate::report(&pairs, max_wrong);
    if global.json {
        out::line(&report.to_string());
    } else {
        print(&report);
    }
    Ok(if bad {
        ExitCode::from(BAD_LINE)
    } else {
        ExitCode::SUCCESS
    })
}

fn print(report: &Value) {
    out::line(&format!(
        "{:>6}  {:<32} {:<32} {}",
        "shift", "right ones served", "wrong ones served", "wrong among served"
    ));
    for point in report
        .get("points")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let cell = |name: &str| {
            let field = |field: &str| {
                point
                    .pointer(&format!("/{name}/{field}"))
                    .and_then(Value::as_f64)
            };
            let percent = |name: &str| field(name).map_or(0.0, |share| 100.0 * share);
            format!(
                "{:>5.1} % ({:.1} to {:.1}) {}/{}",
                percent("share"),
                percent("low"),
                percent("high"),
                field("count").unwrap_or(0.0),
                field("of").unwrap_or(0.0),
            )
        };
        let shift = point.get("shift").and_then(Value::as_f64).unwrap_or(0.0);
        out::line(&format!(
            "{shift:>6.2}  {:<32} {:<32} {}",
            cell("served"),
            cell("served_of_wrong"),
            cell("wrong_hits"),
        ));
    }
    match report.get("config").and_then(Value::as_str) {
        Some(config) => out::line(&format!("\n{config}")),
        None => out::line(
            "\nno shift is proven to keep the share of wrong hits: give more labelled pairs, or allow a greater share",
        ),
    }
}
