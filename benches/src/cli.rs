//! Flags and subcommands.

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};
use tollfree_bench::{
    baseline,
    load::Expectation,
    scale::{self, index::Kind},
};
use tollfree_config::types::Duration;

/// How long a load run counts unless told otherwise.
pub(crate) const DURATION: Duration = Duration::from_secs(10);

/// Measures Tollfree and what it is compared with.
#[derive(Debug, Parser)]
#[command(name = "tollfree-bench", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends requests to an HTTP/1.1 endpoint and reports throughput and latencies
    Load(LoadArgs),
    /// Serves one of the servers that Tollfree is compared with
    #[command(subcommand)]
    Baseline(Baseline),
    /// Simulates a bound on wrong hits over streams with planted errors
    Bound(BoundArgs),
    /// Times one bare embedding
    Embed(EmbedArgs),
    /// Replays a drifting Zipf trace against the cache and against plain LRU of the same size
    Eviction(EvictionArgs),
    /// Measures the cache from a thousand entries to a million
    #[command(subcommand)]
    Scale(Scale),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scale {
    /// One kind of index alone: building, memory, search time, recall
    Index(IndexArgs),
    /// The whole cache with its store, growing: memory, search time, recall, searches beside admissions
    Grow(GrowArgs),
    /// Opens a store that was grown: time, memory, search time at once
    Reopen(ReopenArgs),
    /// Removes a third of a store that was grown: time and memory of the rebuild, search time meanwhile, recall after
    Rebuild(StoreArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// File with goals, one a line, before those of the templates and made ones; may be given several times
    #[arg(long)]
    pub(crate) goals: Vec<PathBuf>,

    /// Goals embedded at most
    #[arg(long, default_value = "20000", value_parser = at_least_one)]
    pub(crate) max_goals: usize,

    /// File that keeps the embedded goals for the next run
    #[arg(long)]
    pub(crate) vectors: PathBuf,

    /// What the neighbours of the goals are drawn by
    #[arg(long, default_value = "1")]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct IndexArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Which index
    #[arg(long)]
    pub(crate) kind: Kind,

    /// Vectors in it
    #[arg(long, value_parser = at_least_one)]
    pub(crate) entries: usize,

    /// Searches timed and judged
    #[arg(long, default_value = "1000", value_parser = at_least_one)]
    pub(crate) searches: usize,

    /// Threads that link
    #[arg(long, default_value = "1", value_parser = at_least_one)]
    pub(crate) threads: usize,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Compatibility keys that the entries are spread over
    #[arg(long, default_value = "1", value_parser = at_least_one)]
    partitions: usize,

    /// Bytes of each answer
    #[arg(long, default_value = "256", value_parser = at_least_one)]
    answer_bytes: usize,

    /// Searches timed and judged for each figure
    #[arg(long, default_value = "1000", value_parser = at_least_one)]
    searches: usize,

    /// Folder of the store
    #[arg(long)]
    pub(crate) directory: PathBuf,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GrowArgs {
    /// Numbers of entries at which to measure, growing, with commas between
    #[arg(long, value_delimiter = ',', required = true, value_parser = at_least_one)]
    pub(crate) sizes: Vec<usize>,

    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReopenArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,

    /// Waits until no index is being built and says how long that took
    #[arg(long)]
    pub(crate) until_built: bool,
}

impl StoreArgs {
    pub(crate) fn options(&self) -> scale::Options {
        scale::Options {
            partitions: self.partitions,
            answer_bytes: self.answer_bytes,
            searches: self.searches,
            directory: self.directory.clone(),
        }
    }
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("pace").required(true), group = ArgGroup::new("content").required(true))]
pub(crate) struct LoadArgs {
    /// Where the requests go, such as http://127.0.0.1:8080/v1/chat/completions
    #[arg(long)]
    pub(crate) url: String,

    /// Open loop: requests a second, whatever the server does; latencies count from the intended send time
    #[arg(long, group = "pace", value_parser = rate)]
    pub(crate) rate: Option<f64>,

    /// Closed loop: connections that each send as soon as they have their answer
    #[arg(long, group = "pace", value_parser = at_least_one)]
    pub(crate) connections: Option<usize>,

    /// Connections of an open loop at most; a request that finds all busy waits, and its wait counts
    #[arg(long, default_value = "256", value_parser = at_least_one, conflicts_with = "connections")]
    pub(crate) max_connections: usize,

    /// File with the body of every request
    #[arg(long, group = "content")]
    pub(crate) body: Option<PathBuf>,

    /// File with one JSON body a line, each sent once, in order; the run ends when they are used up
    #[arg(long, group = "content")]
    pub(crate) bodies: Option<PathBuf>,

    /// How long requests are sent that count [default: 10s, or no limit with --requests]
    #[arg(long)]
    pub(crate) duration: Option<Duration>,

    /// Ends the run after so many requests, those of the warm-up included
    #[arg(long, value_parser = at_least_one)]
    pub(crate) requests: Option<usize>,

    /// How long requests are sent before they count
    #[arg(long, default_value = "2s")]
    pub(crate) warmup: Duration,

    /// After how long a request without a complete answer is an error
    #[arg(long, default_value = "10s")]
    pub(crate) timeout: Duration,

    /// A header of every request, `name: value`; may be given several times
    #[arg(long)]
    pub(crate) header: Vec<String>,

    /// A header that every answer must have, `name=value`, else it is an error; may be given several times
    #[arg(long)]
    pub(crate) expect_header: Vec<Expectation>,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BoundArgs {
    /// Share of wrong answers allowed among hits
    #[arg(long, default_value = "0.01")]
    pub(crate) max_wrong: f64,

    /// Streams for each world
    #[arg(long, default_value = "200")]
    pub(crate) seeds: u64,

    /// Would-be hits in a stream
    #[arg(long, default_value = "20000", value_parser = at_least_one)]
    pub(crate) requests: usize,

    /// Entries they fall on, by Zipf's law
    #[arg(long, default_value = "500", value_parser = at_least_one)]
    pub(crate) entries: usize,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Baseline {
    /// Reads and parses a chat request and answers from memory: the floor of an exact hit
    Answer {
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Passes every request on: the floor of a miss
    Pass {
        #[command(flatten)]
        server: ServerArgs,
        /// Address of the server behind it
        #[arg(long)]
        upstream: SocketAddr,
    },
    /// Answers chat requests as an OpenAI-compatible API does
    Upstream {
        #[command(flatten)]
        server: ServerArgs,
        /// Repeats the goal and the model in the answer
        #[arg(long)]
        echo: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// Where it listens; port 0 takes a free one, which is printed
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Threads that serve
    #[arg(long, default_value = "1", value_parser = at_least_one)]
    threads: usize,
}

impl ServerArgs {
    pub(crate) fn options(&self) -> baseline::Options {
        baseline::Options {
            listen: self.listen,
            threads: self.threads,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct EmbedArgs {
    /// File with the texts, one a line
    #[arg(long)]
    pub(crate) texts: PathBuf,

    /// The ONNX Runtime library [default: the one in the assets folder]
    #[arg(long)]
    pub(crate) runtime: Option<PathBuf>,

    /// Folder of the sentence model [default: the one in the assets folder]
    #[arg(long)]
    pub(crate) model_dir: Option<PathBuf>,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvictionArgs {
    /// Different goals that are asked
    #[arg(long, default_value = "20000", value_parser = at_least_one)]
    pub(crate) goals: usize,

    /// Requests of each trace
    #[arg(long, default_value = "400000", value_parser = at_least_one)]
    pub(crate) requests: usize,

    /// What the traces are drawn from
    #[arg(long, default_value = "1")]
    pub(crate) seed: u64,

    /// Prints the report as one JSON line
    #[arg(long)]
    pub(crate) json: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
        .ok_or_else(|| "a rate is a number above 0".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "at least 1 is needed".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parses(arguments: &str) -> bool {
        Cli::try_parse_from(arguments.split_whitespace()).is_ok()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_load_run_needs_one_pace_and_one_content() {
        let load = "tollfree-bench load --url http://localhost/";
        assert!(parses(&format!("{load} --rate 0.5 --body f")));
        assert!(parses(&format!(
            "{load} --connections 32 --bodies f --duration 250ms"
        )));
        assert!(!parses(&format!("{load} --body f")));
        assert!(!parses(&format!(
            "{load} --rate 1 --connections 1 --body f"
        )));
        assert!(!parses(&format!("{load} --rate 1")));
        assert!(!parses(&format!("{load} --rate 1 --body f --bodies f")));
    }

    #[test]
    fn senseless_numbers_are_refused() {
        let load = "tollfree-bench load --url http://localhost/ --body f";
        for wrong in [
            "--rate 0",
            "--rate NaN",
            "--rate -1",
            "--connections 0",
            "--rate 1 --expect-header x",
        ] {
            assert!(!parses(&format!("{load} {wrong}")), "{wrong}");
        }
    }
}
