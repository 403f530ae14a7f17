//! The models a lookup needs: the embedder's pool, its tokenizer, and the static model that spares most of
//! its work.

use std::sync::Arc;
use std::time::Duration;

use tollfree_cache::entry::Vector;
use tollfree_cache::language::Language;
use tollfree_embedder::minilm::{MiniLm, WordPiece};
use tollfree_embedder::potion::StaticModel;
use tollfree_embedder::{Embedder, Pool, PoolOptions, Tokenizer};

/// How long commands and background work wait for an embedding.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The languages all-MiniLM-L6-v2 was trained on.
const LANGUAGES: [&str; 1] = ["en"];

/// The models; each may be missing, then what needs it is a miss.
pub struct Models {
    pool: Pool,
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
        let pool = Pool::start(options, {
            let dir = dir.clone();
            move || Ok(Box::new(MiniLm::open(&runtime, &dir)?) as Box<dyn Embedder>)
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
            tokenizer,
            prefilter,
        }
    }

    /// Uses these models, for tests with an embedder of their own.
    pub fn new(
        pool: Pool,
        tokenizer: Option<Arc<dyn Tokenizer>>,
        prefilter: Option<StaticModel>,
    ) -> Self {
        Self {
            pool,
            tokenizer,
            prefilter,
        }
    }

    /// Whether the embedder is loaded and warm.
    pub fn is_ready(&self) -> bool {
        self.pool.is_ready()
    }

    /// Why the embedder cannot be used, if it cannot.
    pub fn failure(&self) -> Option<String> {
        self.pool.failure()
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
