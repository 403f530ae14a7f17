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

/// The library that answers and its vectors, once they are made.
#[derive(Default)]
pub struct Phrasings {
    prepared: ArcSwapOption<Prepared>,
    /// One library is made ready at a time, so that a later one never gives way to an earlier one.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Phrasings {
    /// The library that answers and its vectors, which belong together; `None` while the first are being made.
    pub fn load(&self) -> Option<(Arc<Library>, Arc<PhrasingVectors>)> {
        let prepared = self.prepared.load();
        prepared
            .as_ref()
            .map(|prepared| (Arc::clone(&prepared.library), Arc::clone(&prepared.vectors)))
    }

    /// Whether vectors have been made.
    pub fn is_ready(&self) -> bool {
        self.prepared.load().is_some()
    }

    /// The highest similarity of a static vector to any phrasing's; `None` when there are none to compare.
    pub fn best_sketch(&self, sketch: &[f32]) -> Option<f32> {
        let prepared = self.prepared.load();
        prepared
            .as_ref()?
            .sketches
            .iter()
            .map(|other| dot(sketch, other))
            .max_by(f32::total_cmp)
    }

    /// The library that answers and the similarity of a static vector of a goal to each of its phrasings; `None` while
    /// there are none, and where `sketch` makes no vector.
    pub fn sketch_similarities(
        &self,
        sketch: impl FnOnce(&Library) -> Option<Vec<f32>>,
    ) -> Option<(Arc<Library>, Vec<f32>)> {
        let prepared = self.prepared.load_full()?;
        let sketch = sketch(&prepared.library)?;
        let similarities = prepared.sketches.iter().map(|other| dot(&sketch, other));
        Some((Arc::clone(&prepared.library), similarities.collect()))
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
    let _turn = lookup.phrasings.turn.lock().await;
    let prepared = make(lookup, &model, lookup.library.load_full()).await?;
    lookup.phrasings.prepared.store(prepared.map(Arc::new));
    Ok(())
}

/// A library that is ready to answer.
pub(super) struct Ready {
    library: Arc<Library>,
    /// `None` where templates do not answer at all.
    prepared: Option<Prepared>,
}

/// Embeds a library's phrasings ahead of its use.
///
/// # Errors
/// When the embedder cannot be loaded or fails.
pub(super) async fn ready(lookup: &Lookup, library: Library) -> tollfree_embedder::Result<Ready> {
    let library = Arc::new(library);
    let mut prepared = None;
    if lookup.limits.templates {
        lookup.models.pool().ready().await?;
        if let Some(model) = lookup.models.pool().model() {
            prepared = make(lookup, &model.to_string(), Arc::clone(&library)).await?;
        }
    }
    Ok(Ready { library, prepared })
}

/// Lets a library answer from the next request on; no request waits or misses meanwhile.
pub(super) fn put(lookup: &Lookup, ready: Ready) {
    if let Some(prepared) = ready.prepared {
        lookup.phrasings.prepared.store(Some(Arc::new(prepared)));
    }
    lookup.library.store(ready.library);
}

async fn make(
    lookup: &Lookup,
    model: &str,
    library: Arc<Library>,
) -> tollfree_embedder::Result<Option<Prepared>> {
    let vectors = vectors(lookup, model, &library).await?;
    let sketches = library
        .phrasings()
        .iter()
        .filter_map(|phrasing| lookup.models.sketch(&phrasing.masked))
        .collect();
    let dimensions = vectors.first().map_or(0, Vec::len);
    match PhrasingVectors::new(dimensions, &vectors) {
        Ok(vectors) => Ok(Some(Prepared {
            library,
            vectors: Arc::new(vectors),
            sketches,
        })),
        Err(error) => {
            tracing::error!(%error, "the templates' vectors do not fit together");
            Ok(None)
        }
    }
}

/// The vector of each phrasing of a library: the one in use or stored, else made and put into the store.
async fn vectors(
    lookup: &Lookup,
    model: &str,
    library: &Library,
) -> tollfree_embedder::Result<Vec<Vec<f32>>> {
    let texts: Vec<&str> = library
        .phrasings()
        .iter()
        .map(|phrasing| phrasing.masked.as_str())
        .collect();
    let in_use = lookup.phrasings.prepared.load_full();
    let known = |text: &str| {
        let prepared = in_use.as_ref()?;
        let phrasings = prepared.library.phrasings();
        let place = phrasings.iter().position(|other| other.masked == text)?;
        prepared.vectors.get(place).map(<[f32]>::to_vec)
    };
    let mut vectors: Vec<Option<Vec<f32>>> = texts
        .iter()
        .map(|text| known(text).or_else(|| lookup.cache.phrasing(model, text)))
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
                lookup.cache.put_phrasing(model, text, vector.clone());
                *slot = Some(vector);
            }
        }
    }
    Ok(vectors.into_iter().map(Option::unwrap_or_default).collect())
}
