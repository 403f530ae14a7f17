//! The vectors of the templates' phrasings: embedded once per model, kept in the store, held beside the library
//! they belong to.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tollfree_cache::template::{Library, PhrasingVectors};

use super::Lookup;
use super::models::PATIENCE;

/// Phrasings embedded in one call: long enough to spare overhead, short enough not to hold up a request.
const BATCH: usize = 8;

struct Prepared {
    library: Arc<Library>,
    vectors: Arc<PhrasingVectors>,
    sketches: Vec<Vec<f32>>,
}

/// The vectors of the library now loaded, once they are made.
#[derive(Default)]
pub struct Phrasings(ArcSwapOption<Prepared>);

impl Phrasings {
    /// The vectors of this very library; `None` while they are being made.
    pub fn load(&self, library: &Arc<Library>) -> Option<Arc<PhrasingVectors>> {
        let prepared = self.0.load();
        prepared
            .as_ref()
            .filter(|prepared| Arc::ptr_eq(&prepared.library, library))
            .map(|prepared| Arc::clone(&prepared.vectors))
    }

    /// Whether vectors have been made.
    pub fn is_ready(&self) -> bool {
        self.0.load().is_some()
    }

    /// The highest similarity of a static vector to any phrasing's; `None` when there are none to compare.
    pub fn best_sketch(&self, sketch: &[f32]) -> Option<f32> {
        let prepared = self.0.load();
        prepared
            .as_ref()?
            .sketches
            .iter()
            .map(|other| dot(sketch, other))
            .max_by(f32::total_cmp)
    }

    /// The similarity of a static vector to each phrasing of this very library; `None` while there are none.
    pub fn sketch_similarities(&self, library: &Arc<Library>, sketch: &[f32]) -> Option<Vec<f32>> {
        let prepared = self.0.load();
        let prepared = prepared
            .as_ref()
            .filter(|prepared| Arc::ptr_eq(&prepared.library, library))?;
        let similarities = prepared.sketches.iter().map(|other| dot(sketch, other));
        Some(similarities.collect())
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

/// Waits for the embedder, then makes what the semantic and the template tier need before the first request:
/// the store learns the model, and every phrasing gets its vector, from the store where it has one.
///
/// # Errors
/// When the embedder cannot be loaded or fails; both tiers then stay off.
pub async fn prepare(lookup: &Lookup) -> tollfree_embedder::Result<()> {
    lookup.models.pool().ready().await?;
    let Some(model) = lookup.models.pool().model() else {
        return Ok(());
    };
    let model = model.to_string();
    if let Err(error) = lookup.cache.use_model(&model) {
        tracing::warn!(error = %crate::error::chain(&error), "the store does not take the model");
    }
    if !lookup.limits.templates {
        return Ok(());
    }
    let library = lookup.library.load_full();
    let texts: Vec<&str> = library
        .phrasings()
        .iter()
        .map(|phrasing| phrasing.masked.as_str())
        .collect();
    let mut vectors: Vec<Option<Vec<f32>>> = texts
        .iter()
        .map(|text| lookup.cache.phrasing(&model, text))
        .collect();
    let missing: Vec<usize> = vectors
        .iter()
        .enumerate()
        .filter(|(_, vector)| vector.is_none())
        .map(|(index, _)| index)
        .collect();
    for batch in missing.chunks(BATCH) {
        let wanted: Vec<String> = batch
            .iter()
            .filter_map(|index| texts.get(*index))
            .map(|text| (*text).to_owned())
            .collect();
        let made = lookup.models.embed(wanted, PATIENCE).await?;
        for (index, vector) in batch.iter().zip(made) {
            if let (Some(text), Some(slot)) = (texts.get(*index), vectors.get_mut(*index)) {
                lookup.cache.put_phrasing(&model, text, vector.clone());
                *slot = Some(vector);
            }
        }
    }
    let sketches = texts
        .iter()
        .filter_map(|text| lookup.models.sketch(text))
        .collect();
    let vectors: Vec<Vec<f32>> = vectors.into_iter().map(Option::unwrap_or_default).collect();
    let dimensions = vectors.first().map_or(0, Vec::len);
    match PhrasingVectors::new(dimensions, &vectors) {
        Ok(vectors) => {
            let vectors = Arc::new(vectors);
            lookup.phrasings.0.store(Some(Arc::new(Prepared {
                library,
                vectors,
                sketches,
            })));
        }
        Err(error) => tracing::error!(%error, "the templates' vectors do not fit together"),
    }
    Ok(())
}
