//! `[embedder]`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::defaults;
use crate::types::{Duration, bounds};

/// The models that turn a goal into a vector.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawEmbedder {
    /// Path of the ONNX Runtime library, relative to the folder of this file.
    ///
    /// Default: absent, `onnxruntime/libonnxruntime.so` in the assets folder (`TOLLFREE_CACHE_DIR`, else
    /// `$XDG_CACHE_HOME/tollfree`, else `~/.cache/tollfree`).
    #[schemars(example = &"/usr/lib/libonnxruntime.so")]
    pub(crate) runtime: Option<String>,

    /// Folder of the sentence model (`model.onnx`, `tokenizer.json`, ...), relative to the folder of this file.
    /// Stored vectors of another model are not compared.
    ///
    /// Default: absent, `models/all-minilm-l6-v2` in the assets folder.
    #[schemars(example = &"/srv/models/all-minilm-l6-v2")]
    pub(crate) model_dir: Option<String>,

    /// Folder of the static model of the prefilter (`model.safetensors`, ...), relative to the folder of this file.
    ///
    /// Default: absent, `models/potion-base-8m` in the assets folder.
    #[schemars(example = &"/srv/models/potion-base-8m")]
    pub(crate) prefilter_dir: Option<String>,

    /// Number of threads that embed; each holds a copy of the model (about 90 MB) and takes a core when busy.
    ///
    /// Default: `1`.
    #[schemars(extend("default" = defaults::EMBEDDER_THREADS))]
    #[schemars(range(min = bounds::EMBEDDER_THREADS.min(), max = bounds::EMBEDDER_THREADS.max()))]
    pub(crate) threads: Option<i64>,

    /// Number of goals that may wait for an embedding thread; one that finds the queue full is a miss.
    ///
    /// Default: `64`.
    #[schemars(extend("default" = defaults::EMBEDDER_QUEUE))]
    #[schemars(range(min = bounds::EMBEDDER_QUEUE.min(), max = bounds::EMBEDDER_QUEUE.max()))]
    pub(crate) queue: Option<i64>,

    /// Longest time that a lookup waits for its vector; past it the lookup is a miss and the request goes upstream.
    ///
    /// Default: `250ms`.
    #[schemars(with = "Option<Duration>", extend("default" = defaults::EMBEDDER_DEADLINE))]
    pub(crate) deadline: Option<String>,

    /// Least similarity by the static model at which the sentence model is asked at all; -1.0 asks it always.
    ///
    /// Default: `0.22`.
    #[schemars(extend("default" = defaults::PREFILTER_SIMILARITY))]
    #[schemars(range(min = bounds::SIMILARITY.min(), max = bounds::SIMILARITY.max()))]
    pub(crate) prefilter_similarity: Option<f64>,
}
