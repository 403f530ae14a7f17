//! The same-answer model: a small cross-encoder, trained by `embedder/same-answer/train.py`, that reads both requests
//! at once.
//!
//! It sees what two separate vectors lose (who does what to whom, which word was exchanged), at the cost of one run
//! for each candidate. The weights are compiled in: a verifier that may be missing would be one more way to be wrong.
//! The arithmetic is dynamically quantised, so a probability depends on what shares its batch; every pair is run
//! alone.

use std::path::Path;

use fastembed::{
    OnnxSource, RerankInitOptionsUserDefined, TextRerank, TokenizerFiles, UserDefinedRerankingModel,
};

use crate::{Error, ModelId, Result, SameAnswer, guard, model_files, runtime};

/// The trained weights; `embedder/same-answer/README.md` says how they came to be.
const WEIGHTS: &[u8] = include_bytes!("../same-answer/model.onnx");
/// Most tokens of both requests together, as in training. Longer pairs are refused, not cut: what was cut off could
/// be what differs.
const MAX_TOKENS: usize = 128;
/// Name of the model in identities and logs.
const NAME: &str = "same-answer";

/// A cross-encoder for [`SameAnswer`].
pub struct CrossEncoder {
    session: TextRerank,
    tokenizer: tokenizers::Tokenizer,
    id: ModelId,
}

impl CrossEncoder {
    /// Opens the ONNX Runtime library `runtime` and the compiled-in weights; `dir` is the folder of all-MiniLM-L6-v2,
    /// whose tokenizer the model shares. Takes about a third of a second and 60 MB.
    ///
    /// # Errors
    /// As [`MiniLm::open`](crate::minilm::MiniLm::open).
    pub fn open(runtime: &Path, dir: &Path) -> Result<Self> {
        let environment = runtime::open(runtime)?;
        let files = TokenizerFiles {
            tokenizer_file: model_files::read(dir, "tokenizer.json")?,
            config_file: model_files::read(dir, "config.json")?,
            special_tokens_map_file: model_files::read(dir, "special_tokens_map.json")?,
            tokenizer_config_file: model_files::read(dir, "tokenizer_config.json")?,
        };
        let broken = |reason: String| Error::Model {
            path: dir.to_owned(),
            reason,
        };
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(&files.tokenizer_file)
            .map_err(|error| broken(error.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| broken(error.to_string()))?;
        let id = ModelId::new(NAME, &[WEIGHTS, &files.tokenizer_file]);
        let model = UserDefinedRerankingModel::new(OnnxSource::Memory(WEIGHTS.to_vec()), files);
        let options = RerankInitOptionsUserDefined::default()
            .with_environment(environment)
            .with_max_length(MAX_TOKENS)
            .with_intra_threads(1)
            .with_session_config("session.intra_op.allow_spinning", "0");
        let session = guard::catch(|| TextRerank::try_new_from_user_defined(model, options))
            .map_err(broken)?
            .map_err(|error| broken(error.to_string()))?;
        Ok(Self {
            session,
            tokenizer,
            id,
        })
    }

    fn exceeds_limit(&self, cached: &str, asked: &str) -> Result<bool> {
        let encoding = self
            .tokenizer
            .encode_fast((cached, asked), true)
            .map_err(|error| Error::Run {
                reason: error.to_string(),
            })?;
        Ok(encoding.len() > MAX_TOKENS)
    }
}

impl SameAnswer for CrossEncoder {
    fn model(&self) -> &ModelId {
        &self.id
    }

    /// Two requests that together are longer than the model reads get 0.
    fn compare(&mut self, cached: &str, asked: &str) -> Result<f32> {
        if self.exceeds_limit(cached, asked)? {
            return Ok(0.0);
        }
        let logits = self
            .session
            .rerank(cached, [asked], false, Some(1))
            .map_err(|error| Error::Run {
                reason: error.to_string(),
            })?;
        match logits.first() {
            Some(result) => Ok(1.0 / (1.0 + (-result.score).exp())),
            None => Err(Error::Malformed {
                expected: "one logit".to_owned(),
                actual: "none".to_owned(),
            }),
        }
    }
}
