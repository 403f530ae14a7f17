//! all-MiniLM-L6-v2 by fastembed on ONNX Runtime: the model that finds candidates.
//!
//! A session has one thread and does not spin: parallelism comes from the [`Pool`](crate::Pool), and a spinning
//! session on a busy machine multiplies its own latency by four. The weights are int8 but the arithmetic is fp32, so
//! that a vector does not depend on the batch it is computed in; a dynamically quantised model would not keep that.

mod word_piece;

use std::path::Path;

use fastembed::{
    InitOptionsUserDefined, Pooling, QuantizationMode, TextEmbedding, TokenizerFiles,
    UserDefinedEmbeddingModel,
};

use crate::{Embedder, Error, ModelId, Result, guard, model_files, runtime};

pub use word_piece::WordPiece;

/// Length of a vector of all-MiniLM-L6-v2.
const DIMENSIONS: usize = 384;
/// Most tokens the model reads, its two special ones included: what it was published for, not what its position
/// table (512) could hold.
const MAX_TOKENS: usize = 256;
/// Most texts run at once; larger batches cost memory and gain nothing on one thread.
const MAX_BATCH: usize = 32;
/// What is done around the network. It is part of the model's identity: change it with the code.
const PROCESSING: &str = "max 256 tokens, mean pooling, unit length";

/// The sentence embedding model all-MiniLM-L6-v2: 384 dimensions.
pub struct MiniLm {
    session: TextEmbedding,
    id: ModelId,
}

impl MiniLm {
    /// Opens the ONNX Runtime library `runtime` and loads from `dir` the files `model.onnx`, `tokenizer.json`,
    /// `config.json`, `special_tokens_map.json` and `tokenizer_config.json`. Takes about half a second and 180 MB.
    ///
    /// # Errors
    /// [`Error::RuntimeMissing`], [`Error::RuntimeUnusable`] and [`Error::RuntimeAlreadyLoaded`] for the library,
    /// [`Error::ModelFile`] and [`Error::Model`] for the model.
    pub fn open(runtime: &Path, dir: &Path) -> Result<Self> {
        let environment = runtime::open(runtime)?;
        let onnx = model_files::read(dir, "model.onnx")?;
        let files = TokenizerFiles {
            tokenizer_file: model_files::read(dir, "tokenizer.json")?,
            config_file: model_files::read(dir, "config.json")?,
            special_tokens_map_file: model_files::read(dir, "special_tokens_map.json")?,
            tokenizer_config_file: model_files::read(dir, "tokenizer_config.json")?,
        };
        let id = ModelId::new(
            model_files::name(dir),
            &[PROCESSING.as_bytes(), &onnx, &files.tokenizer_file],
        );
        // A batch here is one or two texts: handing them to another thread costs more than tokenizing them.
        tokenizers::parallelism::set_parallelism(false);
        let model = UserDefinedEmbeddingModel::new(onnx, files)
            .with_pooling(Pooling::Mean)
            .with_quantization(QuantizationMode::None);
        let options = InitOptionsUserDefined::new()
            .with_environment(environment)
            .with_max_length(MAX_TOKENS)
            .with_intra_threads(1)
            .with_session_config("session.intra_op.allow_spinning", "0");
        let broken = |reason: String| Error::Model {
            path: dir.to_owned(),
            reason,
        };
        let session = guard::catch(|| TextEmbedding::try_new_from_user_defined(model, options))
            .map_err(broken)?
            .map_err(|error| broken(error.to_string()))?;
        Ok(Self { session, id })
    }
}

impl Embedder for MiniLm {
    fn model(&self) -> &ModelId {
        &self.id
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn embed(&mut self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        self.session
            .embed(texts, Some(MAX_BATCH))
            .map_err(|error| Error::Run {
                reason: error.to_string(),
            })
    }
}
