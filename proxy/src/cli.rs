//! The command line: arguments in, text or JSON out.

mod backend;
mod calibrate;
mod check;
mod entries;
mod explain;
mod frames;
mod near_misses;
mod per_line;
mod serve;
mod stats;
mod templates;
mod warm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands::PerLine;
use crate::commands::frames::Decision;
use crate::commands::goal::Asking;

/// An edge proxy that answers LLM goals for free where that is truly right.
#[derive(Parser)]
#[command(name = "tollfree", version, about, long_about = None)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command they concern.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Configuration file [default: ./tollfree.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", env = "TOLLFREE_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of the stored entries [default: ./data]
    #[arg(long, global = true, value_name = "DIR", env = "TOLLFREE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the proxy [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR", env = "TOLLFREE_LISTEN")]
    listen: Option<String>,
    /// Address of the admin listener [default: 127.0.0.1:9090]
    #[arg(
        long,
        global = true,
        value_name = "ADDR",
        env = "TOLLFREE_ADMIN_LISTEN"
    )]
    admin_listen: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Run the proxy and the admin listener
    Serve,
    /// Validate the configuration; prints every problem and exits 1 if there is one
    Check,
    /// Print the JSON Schema of the configuration
    Schema,
    /// Show what would happen to a goal, or what happened to a request, and why
    Explain {
        /// The goal
        #[arg(required_unless_present = "request", conflicts_with = "request")]
        goal: Option<String>,
        /// A request that a running server answered: its x-tollfree-request-id, or the x-request-id it came with
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        #[command(flatten)]
        asking: AskingArgs,
    },
    /// Print the decision for every goal of a file as JSON lines; calls no upstream
    Lookup {
        /// Text, JSON lines with `goal`, or TSV with a `goal` column; `-` for standard input
        #[arg(long, value_name = "FILE")]
        goals: PathBuf,
        #[command(flatten)]
        asking: AskingArgs,
    },
    /// Print, for every line, whether an answer stored for `a` would be served for `b`
    Pairs {
        /// JSON lines with `a` and `b`, or TSV with these columns; `-` for standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        asking: AskingArgs,
    },
    /// Answer the goals of a file ahead of traffic
    Warm(warm::Args),
    /// List the frames found in traffic, or approve or reject one
    Frames {
        #[command(subcommand)]
        command: Option<FramesCommand>,
    },
    /// Find the bar that keeps the share of wrong hits, from labelled pairs or from recent live decisions
    Calibrate {
        /// JSON lines with `a`, `b` and `label` or `same_answer`; `-` for standard input
        #[arg(long, value_name = "FILE", required_unless_present = "live")]
        pairs: Option<PathBuf>,
        /// Use the recent decisions of the running server that explored or shadowed hits have labelled
        #[arg(long, conflicts_with = "pairs")]
        live: bool,
        /// Greatest share of wrong answers among hits, in (0, 0.5]
        #[arg(long, value_name = "SHARE", default_value = "0.01", value_parser = calibrate::share)]
        max_wrong: f64,
        #[command(flatten)]
        asking: AskingArgs,
    },
    /// List the recent candidates of a running server that nearly hit
    NearMisses,
    /// The template library
    #[command(subcommand)]
    Templates(Templates),
    /// The stored entries
    #[command(subcommand)]
    Cache(CacheCommand),
}

#[derive(Subcommand)]
enum Templates {
    /// List the templates
    List,
    /// Check every template; exits 1 if one has a problem
    Lint,
    /// Report which goals of a file the templates answer
    Coverage {
        /// Text, JSON lines with `goal`, or TSV with a `goal` column; `-` for standard input
        #[arg(long, value_name = "FILE")]
        goals: PathBuf,
        /// How many groups of goals without an answer are named; 0 skips embedding them
        #[arg(long, value_name = "N", default_value_t = 20)]
        clusters: usize,
    },
    /// Write drafts of templates for the largest groups of goals that none answers; a draft is never served
    Draft {
        /// Text, JSON lines with `goal`, or TSV with a `goal` column; `-` for standard input
        #[arg(long, value_name = "FILE")]
        from_goals: PathBuf,
        /// Folder of the drafts, in `drafts/` below it [default: templates.dir, or ./templates]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// How many drafts
        #[arg(long, value_name = "N", default_value_t = 5)]
        clusters: usize,
    },
    /// Check a template file and add it to the running server, or to templates.dir when none runs
    Add {
        /// The TOML file; `-` for standard input
        file: PathBuf,
        /// Take the place of the template with its id
        #[arg(long)]
        replace: bool,
    },
}

#[derive(Subcommand)]
enum FramesCommand {
    /// Put a frame in force in its namespace
    Approve {
        /// Its id, as listed
        id: String,
        /// Shape in which templates answer inside it [default: none, so that no template does]
        #[arg(long)]
        shape: Option<String>,
    },
    /// Keep a frame out of force and propose it no more
    Reject {
        /// Its id, as listed
        id: String,
    },
}

#[derive(Subcommand)]
enum CacheCommand {
    /// Print what is stored and what it has saved
    Stats,
    /// Write the entries as JSON lines, to be imported elsewhere
    Export {
        /// Entries of this namespace only
        #[arg(long)]
        namespace: Option<String>,
        /// File to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take in exported entries; bad lines are printed, and the exit code is then 2
    Import {
        /// Exported JSON lines; `-` for standard input
        file: PathBuf,
    },
    /// Take entries out, and print which
    Purge(entries::PurgeArgs),
    /// Shares answers that are in quarantine with all clients of their namespace
    Release {
        /// Ids of entries, as `x-tollfree-entry` tells them
        #[arg(required = true, value_name = "ID")]
        entries: Vec<String>,
    },
}

/// How goals are asked.
#[derive(Args, Clone, Debug)]
struct AskingArgs {
    /// Namespace [default: that of callers without a credential]
    #[arg(long)]
    namespace: Option<String>,
    /// Model asked for [default: default]
    #[arg(long)]
    model: Option<String>,
    /// Protocol of the client [default: openai]
    #[arg(long, value_parser = ["openai", "gemini"])]
    protocol: Option<String>,
    /// Configured frame around the goal [default: none]
    #[arg(long)]
    frame: Option<String>,
    /// Shape of the answer [default: the frame's, or markdown]
    #[arg(long)]
    shape: Option<String>,
}

impl From<AskingArgs> for Asking {
    fn from(args: AskingArgs) -> Self {
        let AskingArgs {
            namespace,
            model,
            protocol,
            frame,
            shape,
        } = args;
        Self {
            namespace,
            model,
            protocol,
            frame,
            shape,
        }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let result = match command {
        Command::Serve => serve::run(&global),
        Command::Check => check::run(&global),
        Command::Schema => check::schema(),
        Command::Explain {
            request: Some(id), ..
        } => explain::request(&global, &id),
        Command::Explain { goal, asking, .. } => {
            explain::run(&global, &goal.unwrap_or_default(), asking.into())
        }
        Command::Lookup { goals, asking } => {
            per_line::run(&global, PerLine::Lookup, &goals, asking.into())
        }
        Command::Pairs { file, asking } => {
            per_line::run(&global, PerLine::Pairs, &file, asking.into())
        }
        Command::Warm(args) => warm::run(&global, args),
        Command::Frames { command: None } => frames::list(&global),
        Command::Frames {
            command: Some(FramesCommand::Approve { id, shape }),
        } => frames::decide(&global, &id, Decision::Approve { shape }),
        Command::Frames {
            command: Some(FramesCommand::Reject { id }),
        } => frames::decide(&global, &id, Decision::Reject),
        Command::Calibrate {
            pairs,
            live: _,
            max_wrong,
            asking,
        } => calibrate::run(&global, pairs.as_deref(), max_wrong, asking.into()),
        Command::NearMisses => near_misses::run(&global),
        Command::Templates(Templates::List) => templates::list(&global),
        Command::Templates(Templates::Lint) => templates::lint(&global),
        Command::Templates(Templates::Coverage { goals, clusters }) => {
            templates::coverage(&global, &goals, clusters)
        }
        Command::Templates(Templates::Draft {
            from_goals,
            out,
            clusters,
        }) => templates::draft(&global, &from_goals, out.as_deref(), clusters),
        Command::Templates(Templates::Add { file, replace }) => {
            templates::add(&global, &file, replace)
        }
        Command::Cache(CacheCommand::Stats) => stats::run(&global),
        Command::Cache(CacheCommand::Export { namespace, out }) => {
            entries::export(&global, namespace, out.as_deref())
        }
        Command::Cache(CacheCommand::Import { file }) => entries::import(&global, &file),
        Command::Cache(CacheCommand::Purge(args)) => entries::purge(&global, args),
        Command::Cache(CacheCommand::Release { entries }) => entries::release(&global, entries),
    };
    result.unwrap_or_else(|error| {
        out::complain(&error);
        ExitCode::FAILURE
    })
}

/// The only place that prints.
mod out {
    #![expect(clippy::print_stderr, reason = "a command line prints")]

    use std::io::Write;

    /// Prints a line of results; a reader that has gone (`| head`) ends the process quietly.
    pub(super) fn line(text: &str) {
        if writeln!(std::io::stdout(), "{text}").is_err() {
            std::process::exit(0);
        }
    }

    /// Prints a line whose reader may have gone; a server goes on all the same.
    pub(super) fn announce(text: &str) {
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    /// Draws over the line of a bar; an empty text takes it away.
    pub(super) fn bar(text: &str) {
        eprint!("\r\x1b[2K{text}");
    }

    /// Prints a remark that is not a result.
    pub(super) fn note(text: &str) {
        eprintln!("{text}");
    }

    /// Prints an error with its causes.
    pub(super) fn complain(error: &anyhow::Error) {
        eprintln!("tollfree: {error:#}");
    }
}
