//! The binary `tollfree`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollfree::cli::run()
}
