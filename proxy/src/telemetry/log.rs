//! Structured logs on standard error, for people or as JSON lines.

use tollfree_config::config::Log;
use tollfree_config::types::LogFormat;
use tracing_subscriber::EnvFilter;

/// Installs the process-wide log subscriber; a second call has no effect.
///
/// Standard output stays free for what commands print.
pub fn install(log: &Log) {
    install_at(log, log.level().as_str());
}

/// As [`install`], for a command: only what goes wrong is said beside its results.
pub fn install_quiet(log: &Log) {
    install_at(log, "warn");
}

fn install_at(log: &Log, level: &str) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    // Pingora logs every refused upstream connection at `error`; our own events already say so once.
    let filter = ["pingora_core=warn", "pingora_proxy=off", "ort=warn"]
        .iter()
        .filter_map(|directive| directive.parse().ok())
        .fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = match log.format() {
        LogFormat::Human => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
