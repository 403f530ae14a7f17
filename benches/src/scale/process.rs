//! What this process takes of the machine, as Linux counts it.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Ticks in which Linux reports processor time; fixed for programs since 2.6.
const TICKS_PER_SECOND: f64 = 100.0;

/// Bytes of memory in use (`VmRSS`).
///
/// # Errors
/// Where there is no `/proc`.
pub fn resident_bytes() -> Result<u64> {
    status("VmRSS:")
}

/// Most bytes in use (`VmHWM`) since the last [`forget_peak`].
///
/// # Errors
/// Where there is no `/proc`.
pub fn peak_bytes() -> Result<u64> {
    status("VmHWM:")
}

/// Begins a new peak.
///
/// # Errors
/// Where there is no `/proc`.
pub fn forget_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak of memory")
}

/// Processor time of all threads so far.
///
/// # Errors
/// Where there is no `/proc`.
pub fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    // The name in brackets may hold anything; user and system time are the 12th and 13th fields behind it.
    let (_, fields) = stat
        .rsplit_once(')')
        .context("no name in /proc/self/stat")?;
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
}

fn status(field: &str) -> Result<u64> {
    let status =
        fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .with_context(|| format!("no {field} in /proc/self/status"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
