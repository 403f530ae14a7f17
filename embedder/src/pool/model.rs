//! What a pool's threads do with a model: warm it up, run one job, hold it to its word.

use crate::{Embedder, Error, ModelId, Result, SameAnswer};

/// What the models of a [`Pool`](crate::Pool) are for.
///
/// A type of its own beside the model's: a future that names `Box<dyn Embedder>` is not `Send` for every lifetime.
pub trait Role: 'static {
    /// The model that a thread owns.
    type Model: Send;
    /// What one job gives the model.
    type Input: Send + 'static;
    /// What it gets back.
    type Output: Send + 'static;
    /// The name in threads and messages.
    const NAME: &'static str;

    /// Returns which model it is.
    fn id(model: &Self::Model) -> &ModelId;

    /// Runs the model until it is as fast as it will be: the first runs of a session are ten times slower.
    ///
    /// # Errors
    /// When the model does not work.
    fn warm_up(model: &mut Self::Model) -> Result<()>;

    /// Runs one job and holds the model to its word.
    ///
    /// # Errors
    /// When the model fails or returns what it must not. It stays usable.
    fn run(model: &mut Self::Model, input: &Self::Input) -> Result<Self::Output>;
}

/// Texts to unit vectors.
#[derive(Debug)]
pub enum Embedding {}

impl Role for Embedding {
    type Model = Box<dyn Embedder>;
    type Input = Vec<String>;
    type Output = Vec<Vec<f32>>;
    const NAME: &'static str = "embedder";

    fn id(model: &Self::Model) -> &ModelId {
        model.model()
    }

    /// Once alone and once in a batch.
    fn warm_up(model: &mut Self::Model) -> Result<()> {
        embed_checked(model.as_mut(), &["warm up"])?;
        embed_checked(
            model.as_mut(),
            &["warm up", "warm up with a text of another length"],
        )
        .map(drop)
    }

    fn run(model: &mut Self::Model, texts: &Self::Input) -> Result<Self::Output> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        embed_checked(model.as_mut(), &texts)
    }
}

/// A cached and an asked request to the probability that one answer does for both.
#[derive(Debug)]
pub enum Judging {}

impl Role for Judging {
    type Model = Box<dyn SameAnswer>;
    type Input = (String, String);
    type Output = f32;
    const NAME: &'static str = "verifier";

    fn id(model: &Self::Model) -> &ModelId {
        model.model()
    }

    fn warm_up(model: &mut Self::Model) -> Result<()> {
        for (cached, asked) in [("warm up", "warm up"), ("warm up", "with a longer text")] {
            Self::run(model, &(cached.to_owned(), asked.to_owned()))?;
        }
        Ok(())
    }

    fn run(model: &mut Self::Model, (cached, asked): &Self::Input) -> Result<f32> {
        let probability = model.compare(cached, asked)?;
        if (0.0..=1.0).contains(&probability) {
            Ok(probability)
        } else {
            Err(Error::Malformed {
                expected: "a probability".to_owned(),
                actual: probability.to_string(),
            })
        }
    }
}

/// Embeds and holds the embedder to its word: one finite vector of its dimensions for each text. A vector of another
/// length, or NaN, in the cache's index would be found only when it does harm.
fn embed_checked(embedder: &mut dyn Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
    let vectors = embedder.embed(texts)?;
    if vectors.len() != texts.len() {
        return Err(Error::Malformed {
            expected: format!("{} vectors", texts.len()),
            actual: format!("{} vectors", vectors.len()),
        });
    }
    let dimensions = embedder.dimensions();
    for vector in &vectors {
        if vector.len() != dimensions {
            return Err(Error::Malformed {
                expected: format!("{dimensions} dimensions"),
                actual: format!("{} dimensions", vector.len()),
            });
        }
        if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
            return Err(Error::Malformed {
                expected: "finite numbers".to_owned(),
                actual: value.to_string(),
            });
        }
    }
    Ok(vectors)
}
