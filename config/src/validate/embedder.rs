//! `[embedder]`

use std::path::PathBuf;

use super::Around;
use super::report::Report;
use crate::assets::Assets;
use crate::config::Embedder;
use crate::defaults;
use crate::document::path::FieldPath;
use crate::env;
use crate::raw::RawEmbedder;
use crate::types::{Similarity, bounds};

pub(super) fn validate(
    raw: RawEmbedder,
    path: &FieldPath,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Embedder {
    let given = raw.runtime.is_some() && raw.model_dir.is_some() && raw.prefilter_dir.is_some();
    let assets = Assets::locate(around.environment).unwrap_or_else(|| {
        if !given {
            let [own, xdg, home] = [env::TOLLFREE_CACHE_DIR, env::XDG_CACHE_HOME, env::HOME];
            let message = format!(
                "folder of the models is not known, since none of {own}, {xdg} and {home} is set"
            );
            report.add(
                path,
                message,
                format!("set {own}, or give runtime, model_dir and prefilter_dir"),
            );
        }
        Assets::new("")
    });
    let mut path_of = |name: &str, raw: Option<String>, default: PathBuf| {
        report.field(&path.key(name), raw, default, |text| around.resolve(&text))
    };
    let runtime = path_of("runtime", raw.runtime, assets.runtime());
    let model_dir = path_of("model_dir", raw.model_dir, assets.model_dir());
    let prefilter_dir = path_of("prefilter_dir", raw.prefilter_dir, assets.prefilter_dir());
    let prefilter = &path.key("prefilter_similarity");
    Embedder {
        runtime,
        model_dir,
        prefilter_dir,
        threads: report.field(
            &path.key("threads"),
            raw.threads,
            defaults::EMBEDDER_THREADS,
            |n| bounds::EMBEDDER_THREADS.count(n),
        ),
        queue: report.field(
            &path.key("queue"),
            raw.queue,
            defaults::EMBEDDER_QUEUE,
            |n| bounds::EMBEDDER_QUEUE.count(n),
        ),
        deadline: report.field(
            &path.key("deadline"),
            raw.deadline,
            defaults::EMBEDDER_DEADLINE,
            |text| bounds::EMBEDDER_DEADLINE.check(text.parse()?),
        ),
        prefilter_similarity: report.field(
            prefilter,
            raw.prefilter_similarity,
            defaults::PREFILTER_SIMILARITY,
            Similarity::new,
        ),
    }
}
