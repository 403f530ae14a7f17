//! The models a lookup needs: the embedder's pool, its tokenizer, the static model that spares most of its work, and
//! the same-answer model that judges candidates.

use std::sync::Arc;
use std::time::Duration;

use tollfree_cache::entry::Vector;
use tollfree_cache::language::Language;
use tollfree_embedder::cross_encoder::CrossEncoder;
use tollfree_embedder::minilm::{MiniLm, WordPiece};
use tollfree_embedder::potion::StaticModel;
use tollfree_embedder::{Embedder, Judging, Pool, PoolOptions, SameAnswer, Tokenizer};

/// How long commands and background work wait for an embedding.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The languages all-MiniLM-L6-v2 was trained on.
const LANGUAGES: [&str; 1] = ["en"];

/// The models; each may be missing, then what needs it is a miss.
pub struct Models {
    pool: Pool,
    judge: Pool<Judging>,
    tokenizer: Option<Arc<dyn Tokenizer>>,
    prefilter: Option<StaticModel>,
}

impl Models {
    /// Opens the models of a configuration; the embedder loads on its own threads and is ready later.
    ///
    /// A model that cannot be opened is reported in the log and does without: the cache still serves exact
    /// repeats.
    pub fn open(config: &tollfree_config::config::Embedder) -> Self {
        let (runtime, dir) = (config.runtime().to_owned(), config.model_dir().to_owned());
        let options = PoolOptions {
            threads: config.threads(),
            queue: config.queue(),
        };
        let pool: Pool = Pool::start(options, {
            let (runtime, dir) = (runtime.clone(), dir.clone());
            move || Ok(Box::new(MiniLm::open(&runtime, &dir)?) as Box<dyn Embedder>)
        });
        let judge: Pool<Judging> = Pool::start(options, {
            let dir = dir.clone();
            move || Ok(Box::new(CrossEncoder::open(&runtime, &dir)?) as Box<dyn SameAnswer>)
        });
        let tokenizer = WordPiece::open(&dir)
            .inspect_err(|error| tracing::error!(error = %crate::error::chain(error), "no tokenizer: nothing is compared by meaning"))
            .ok()
            .map(|tokenizer| Arc::new(tokenizer) as Arc<dyn Tokenizer>);
        let prefilter = StaticModel::open(config.prefilter_dir())
            .inspect_err(|error| tracing::warn!(error = %crate::error::chain(error), "no static model: every lookup is embedded"))
            .ok();
        Self {
            pool,
            judge,
            tokenizer,
            prefilter,
        }
    }

    /// Whether embedder and verifier are loaded and warm.
    pub fn is_ready(&self) -> bool {
        self.pool.is_ready() && self.judge.is_ready()
    }

    /// Why one of them cannot be used, if it cannot.
    pub fn failure(&self) -> Option<String> {
        let of = |role: &str, failure: Option<String>| Some(format!("{role}: {}", failure?));
        of("embedder", self.pool.failure()).or_else(|| of("verifier", self.judge.failure()))
    }

    /// The probability that the answer to `cached` would do for `asked`, in [0, 1].
    ///
    /// # Errors
    /// When the verifier is not ready, overloaded, too slow or dead.
    pub async fn compare(
        &self,
        cached: &str,
        asked: &str,
        deadline: Duration,
    ) -> tollfree_embedder::Result<f32> {
        self.judge
            .compare(cached.to_owned(), asked.to_owned(), deadline)
            .await
    }

    /// The embedder's pool.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Unit vectors of `texts`, or an error once `deadline` has passed.
    ///
    /// # Errors
    /// When the embedder is not ready, overloaded, too slow or dead.
    pub async fn embed(
        &self,
        texts: Vec<String>,
        deadline: Duration,
    ) -> tollfree_embedder::Result<Vec<Vec<f32>>> {
        self.pool.embed(texts, deadline).await
    }

    /// A vector marked with the model that made it.
    pub fn vector(&self, values: Vec<f32>) -> Option<Vector> {
        Vector::new(&self.pool.model()?.to_string(), values).ok()
    }

    /// The static vector of a text, in microseconds.
    pub fn sketch(&self, text: &str) -> Option<Vec<f32>> {
        self.prefilter.as_ref().map(|model| model.embed(text))
    }

    /// Whether the embedder understands a language.
    pub fn knows(&self, language: &Language) -> bool {
        LANGUAGES.contains(&language.as_str())
    }

    /// Whether a text has more tokens than the embedder reads.
    pub fn exceeds_limit(&self, text: &str) -> bool {
        self.tokenizer
            .as_ref()
            .is_none_or(|tokenizer| tokenizer.exceeds_limit(text))
    }

    /// Tokens of a text, as the usage of an answer that no model wrote.
    pub fn count_tokens(&self, text: &str) -> u64 {
        self.tokenizer
            .as_ref()
            .map_or(text.len() / 4, |tokenizer| tokenizer.count(text)) as u64
    }
}
