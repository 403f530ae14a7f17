//! The static model: a table of token vectors, averaged (model2vec).
//!
//! It runs no network, so a vector costs microseconds and no thread. It cannot tell a good candidate from a near one
//! and is used to reject only: texts it finds unrelated are unrelated.

use std::path::Path;

use model2vec_rs::model::StaticModel as Table;

use crate::{Error, ModelId, Result, guard, model_files};

/// A static embedding model such as potion-base-8M. Cheap to share between threads by reference.
#[derive(Debug)]
pub struct StaticModel {
    table: Table,
    id: ModelId,
    dimensions: usize,
}

impl StaticModel {
    /// Loads `tokenizer.json`, `model.safetensors` and `config.json` from `dir`; about a tenth of a second.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when a file cannot be read, [`Error::Model`] when they make no model.
    pub fn open(dir: &Path) -> Result<Self> {
        let tokenizer = model_files::read(dir, "tokenizer.json")?;
        let weights = model_files::read(dir, "model.safetensors")?;
        let config = model_files::read(dir, "config.json")?;
        let broken = |reason: String| Error::Model {
            path: dir.to_owned(),
            reason,
        };
        // The first embedding is taken inside the guard as well: a table that is smaller than its vocabulary panics
        // on use, not on load.
        let load = || {
            let table = Table::from_bytes(&tokenizer, &weights, &config, Some(true))?;
            let dimensions = table.encode_single("warm up").len();
            Ok::<_, Box<dyn std::error::Error>>((table, dimensions))
        };
        let (table, dimensions) = guard::catch(|| load().map_err(|error| error.to_string()))
            .map_err(broken)?
            .map_err(broken)?;
        let id = ModelId::new(model_files::name(dir), &[&tokenizer, &weights, &config]);
        Ok(Self {
            table,
            id,
            dimensions,
        })
    }

    /// Returns which model writes the vectors.
    pub fn model(&self) -> &ModelId {
        &self.id
    }

    /// Returns the length of every vector, 256 for potion-base-8M.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Embeds `text`, of which it reads the first 512 tokens, as a vector of Euclidean length 1.
    ///
    /// A text without any known token (an empty one, say) is the zero vector, similar to nothing.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        self.table.encode_single(text)
    }
}
