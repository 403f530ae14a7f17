//! `tollfree cache export|import|purge|release`.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::backend::worker::Worker;
use super::backend::{self, Backend};
use super::{Global, out, per_line};
use crate::commands::lines;
use crate::commands::portable::Page;
use crate::commands::purge::Purge;
use crate::commands::release::Release;

/// Lines imported at once; their goals are embedded in one batch.
const BATCH: usize = 32;

/// A batch ends behind the line that takes it over this size, in bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A line longer than this, in bytes, is no entry.
const MAX_LINE: u64 = 512 * 1024 * 1024;

/// Writes the stored entries as JSON lines, page by page.
pub(super) fn export(
    global: &Global,
    namespace: Option<String>,
    file: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let Some(backend) = open(global, false)? else {
        return Ok(ExitCode::FAILURE);
    };
    let worker = backend.worker();
    let mut page = Page {
        namespace,
        ..Page::default()
    };
    let mut target = file.map(Target::create).transpose()?;
    let mut count = 0_usize;
    backend.block_on(async {
        worker.prepare().await?;
        loop {
            let found = worker.export(&page).await?;
            for entry in found
                .get("entries")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                count += 1;
                match &mut target {
                    None => out::line(&entry.to_string()),
                    Some(target) => target.line(&entry.to_string())?,
                }
            }
            match found.get("next").and_then(Value::as_str) {
                Some(next) => page.after = Some(next.to_owned()),
                None => return anyhow::Ok(()),
            }
        }
    })?;
    if let Some(target) = target {
        let path = target.finish()?;
        if global.json {
            out::line(&json!({ "exported": count, "file": path }).to_string());
        } else {
            out::line(&format!("{count} entries exported to {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A file that appears under its name only once it is whole.
struct Target {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
}

impl Target {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file =
            File::create(&partial).with_context(|| format!("writing {}", partial.display()))?;
        Ok(Self {
            writer: BufWriter::new(file),
            partial,
            path: path.to_owned(),
        })
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.writer, "{text}")
            .with_context(|| format!("writing {}", self.partial.display()))
    }

    fn finish(self) -> anyhow::Result<PathBuf> {
        let file = self
            .writer
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.partial, &self.path))
            .with_context(|| format!("writing {}", self.path.display()))?;
        Ok(self.path)
    }
}

/// What became of imported lines.
#[derive(Default)]
struct Imported {
    imported: usize,
    present: usize,
    expired: usize,
    bad: usize,
}

/// Takes in exported entries, batch by batch; says nothing of lines that are well but their number.
pub(super) fn import(global: &Global, file: &Path) -> anyhow::Result<ExitCode> {
    let reader: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        let file = File::open(file).with_context(|| format!("reading {}", file.display()))?;
        Box::new(BufReader::new(file))
    };
    let Some(backend) = open(global, true)? else {
        return Ok(ExitCode::FAILURE);
    };
    let worker = backend.worker();
    let counts = backend.block_on(async {
        worker.prepare().await?;
        take_in(&worker, reader).await
    })?;
    let Imported {
        imported,
        present,
        expired,
        bad,
    } = counts;
    if global.json {
        let summary =
            json!({ "imported": imported, "present": present, "expired": expired, "bad": bad });
        out::line(&summary.to_string());
    } else {
        out::line(&format!(
            "{imported} entries imported, {present} were there already, {expired} had expired, {bad} lines were bad"
        ));
    }
    Ok(if bad > 0 {
        ExitCode::from(per_line::BAD_LINE)
    } else {
        ExitCode::SUCCESS
    })
}

async fn take_in(worker: &Worker, mut reader: Box<dyn BufRead>) -> anyhow::Result<Imported> {
    let mut counts = Imported::default();
    let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0_usize);
    loop {
        let mut line = Vec::new();
        let read = std::io::Read::take(&mut reader, MAX_LINE)
            .read_until(b'\n', &mut line)
            .context("reading the entries")?;
        if read > 0 {
            number += 1;
            bytes += read;
            batch.push(parse(&line, number));
        }
        if batch.len() >= BATCH || bytes >= BATCH_BYTES || (read == 0 && !batch.is_empty()) {
            bytes = 0;
            for result in worker.import(std::mem::take(&mut batch)).await? {
                match result.get("outcome").and_then(Value::as_str) {
                    Some("imported") => counts.imported += 1,
                    Some("present") => counts.present += 1,
                    Some("expired") => counts.expired += 1,
                    _ => {
                        counts.bad += 1;
                        out::line(&result.to_string());
                    }
                }
            }
        }
        if read == 0 {
            return Ok(counts);
        }
    }
}

fn parse(line: &[u8], number: usize) -> Value {
    let mut object = match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => object,
        Ok(_) => serde_json::Map::from_iter([(
            lines::LINE_ERROR.to_owned(),
            "line is not a JSON object".into(),
        )]),
        Err(error) => serde_json::Map::from_iter([(
            lines::LINE_ERROR.to_owned(),
            format!("line is not JSON: {error}").into(),
        )]),
    };
    object.insert(lines::LINE_NUMBER.to_owned(), number.into());
    Value::Object(object)
}

/// What to purge; an entry goes if every selector given names it.
#[derive(Args, Clone, Debug)]
pub(super) struct PurgeArgs {
    /// The entry with this id, as `x-tollfree-entry` tells it
    #[arg(long, value_name = "ID")]
    entry: Option<String>,
    /// Entries of this namespace
    #[arg(long)]
    namespace: Option<String>,
    /// Refused: templates store nothing
    #[arg(long, value_name = "ID", hide = true)]
    template: Option<String>,
    /// Entries whose goal is similar to this text
    #[arg(long, value_name = "TEXT")]
    similar_to: Option<String>,
    /// How similar, as a cosine from -1 to 1; with --similar-to
    #[arg(long, value_name = "COSINE", allow_negative_numbers = true)]
    min_similarity: Option<f32>,
    /// Entries admitted longer ago than this, such as 12h or 7d
    #[arg(long, value_name = "AGE")]
    older_than: Option<String>,
    /// Every entry
    #[arg(long)]
    all: bool,
    /// Only print what would go
    #[arg(long)]
    dry_run: bool,
}

/// Takes entries out and prints which.
pub(super) fn purge(global: &Global, args: PurgeArgs) -> anyhow::Result<ExitCode> {
    let Some(backend) = open(global, false)? else {
        return Ok(ExitCode::FAILURE);
    };
    let PurgeArgs {
        entry,
        namespace,
        template,
        similar_to,
        min_similarity,
        older_than,
        all,
        dry_run,
    } = args;
    let purge = Purge {
        entry,
        namespace,
        template,
        similar_to,
        min_similarity,
        older_than,
        all,
        dry_run,
    };
    let worker = backend.worker();
    let purged = backend.block_on(async {
        if purge.similar_to.is_some() {
            worker.prepare().await?;
        }
        worker.purge(&purge).await
    })?;
    if global.json {
        out::line(&purged.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for id in purged
        .get("entries")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        out::line(id.as_str().unwrap_or_default());
    }
    let count = purged.get("count").and_then(Value::as_u64).unwrap_or(0);
    out::line(&if purge.dry_run {
        format!("{count} entries would be purged")
    } else {
        format!("{count} entries purged")
    });
    Ok(ExitCode::SUCCESS)
}

/// Shares entries that are in quarantine and prints what became of each.
pub(super) fn release(global: &Global, entries: Vec<String>) -> anyhow::Result<ExitCode> {
    let Some(backend) = open(global, false)? else {
        return Ok(ExitCode::FAILURE);
    };
    let worker = backend.worker();
    let outcomes = backend.block_on(async {
        // Vectors that are shared have to be of the model that is in use.
        worker.prepare().await?;
        worker.release(&Release { entries }).await
    })?;
    let mut all_shared = true;
    for outcome in &outcomes {
        let text = |field: &str| outcome.get(field).and_then(Value::as_str).unwrap_or("");
        all_shared &= text("outcome") == "shared";
        out::line(&if global.json {
            outcome.to_string()
        } else {
            format!("{}  {}", text("entry"), text("outcome").replace('_', " "))
        });
    }
    Ok(if all_shared {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Finds who does the work. To take entries in, the data directory is made if it is not there.
fn open(global: &Global, to_write: bool) -> anyhow::Result<Option<Backend>> {
    let Some(config) = backend::configuration(global) else {
        return Ok(None);
    };
    crate::telemetry::log::install_quiet(config.log());
    if to_write {
        backend::make_data_dir(&config)?;
    }
    Backend::open(config).map(Some)
}
