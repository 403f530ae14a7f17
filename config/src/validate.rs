//! From raw structs to valid ones.
//!
//! Each section has a file. A check that fails adds to the [`Report`] and goes on with the default, so that every
//! problem is found; the values made on the way are thrown away when there is one.

mod cache;
mod embedder;
mod frames;
mod key;
mod log;
mod policy;
mod report;
mod server;
mod shapes;
mod templates;
mod upstreams;

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::document::Document;
use crate::document::path::FieldPath;
use crate::env::Environment;
use crate::error::{Error, Result};
use crate::load::Overrides;
use crate::problem::{Invalid, Problem};
use crate::raw::RawConfig;
use report::Report;

/// What a file is validated against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The folder to which paths of the file are relative.
    pub(crate) folder: &'a Path,
    /// The flags.
    pub(crate) overrides: &'a Overrides,
    /// The variables.
    pub(crate) environment: &'a Environment,
}

impl Around<'_> {
    /// Resolves a path of the file.
    fn resolve(&self, text: &str) -> Result<PathBuf> {
        match text {
            "" => Err(Error::Path {
                problem: "is empty",
                remedy: "write a path, or leave the field out",
            }),
            "~" => Err(Error::Path {
                problem: HOME,
                remedy: HOME_REMEDY,
            }),
            text if text.starts_with("~/") => Err(Error::Path {
                problem: HOME,
                remedy: HOME_REMEDY,
            }),
            text if text.contains('\0') => Err(Error::Path {
                problem: "holds a null character",
                remedy: "remove it",
            }),
            text => Ok(self.folder.join(text)),
        }
    }
}

const HOME: &str = "starts with \"~\", which only a shell replaces by the home folder";
const HOME_REMEDY: &str = "write the whole path";

/// Validates a whole configuration; `structural` are the problems that are known already.
pub(crate) fn validate(
    raw: RawConfig,
    document: &Document<'_>,
    structural: Vec<Problem>,
    around: Around<'_>,
) -> Result<Config, Invalid> {
    let mut report = Report::new(document, structural);
    let root = FieldPath::root();
    let (shapes, shape_names) = shapes::validate(raw.shapes, &root.key("shapes"), &mut report);
    let upstreams =
        upstreams::validate(raw.upstreams, &root.key("upstreams"), &around, &mut report);
    let server = server::validate(raw.server, &root.key("server"), &around, &mut report);
    let templates =
        templates::validate(raw.templates, &root.key("templates"), &around, &mut report);
    let cache = &root.key("cache");
    let config = Config {
        cache: cache::validate(raw.cache, cache, server.auth, &templates, &mut report),
        server,
        embedder: embedder::validate(raw.embedder, &root.key("embedder"), &around, &mut report),
        templates,
        shapes,
        frames: frames::validate(raw.frames, &root.key("frames"), &shape_names, &mut report),
        policy: policy::validate(raw.policy, &root.key("policy"), &upstreams, &mut report),
        upstreams: upstreams.valid,
        log: log::validate(raw.log, &root.key("log"), &around, &mut report),
    };
    report.finish(config)
}
