//! Shapes of callers' schemas, compiled once each and off the event loop.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tollfree_cache::template::{SchemaShape, Shape};

/// Longer schemas are not looked into, in bytes of canonical JSON. A plan's takes some thousands.
const MAX_BYTES: usize = 64 * 1024;

/// Schemas kept compiled. An application has a handful; beyond it all are forgotten.
const MAX_KEPT: usize = 256;

/// Schemas compiled at the same time.
const MAX_COMPILING: usize = 2;

/// A compiled schema, or why there is none.
type Compiled = Result<Arc<Shape>, Arc<str>>;

/// The schemas seen lately.
pub(super) struct Schemas {
    kept: Mutex<HashMap<blake3::Hash, Compiled>>,
    places: Arc<Semaphore>,
}

impl Schemas {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::default(),
            places: Arc::new(Semaphore::new(MAX_COMPILING)),
        })
    }

    /// The shape of a schema; the error says why a template is not written into it, or not now.
    pub(super) async fn shape(
        self: &Arc<Self>,
        schema: &str,
        deadline: Duration,
    ) -> Result<Arc<Shape>, Cow<'static, str>> {
        if schema.len() > MAX_BYTES {
            return Err("the schema is too long for a template".into());
        }
        let digest = blake3::hash(schema.as_bytes());
        if let Some(kept) = self.kept.lock().get(&digest) {
            return kept.clone().map_err(|reason| reason.to_string().into());
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err("other schemas are being read".into());
        };
        let (this, schema) = (Arc::clone(self), schema.to_owned());
        let compiling = tokio::task::spawn_blocking(move || {
            let _place = place;
            let compiled = compile(&schema);
            this.keep(digest, compiled.clone());
            compiled
        });
        match tokio::time::timeout(deadline, compiling).await {
            Ok(Ok(compiled)) => compiled.map_err(|reason| reason.to_string().into()),
            Ok(Err(_)) | Err(_) => Err("the schema could not be read in time".into()),
        }
    }

    fn keep(&self, digest: blake3::Hash, compiled: Compiled) {
        let mut kept = self.kept.lock();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(digest, compiled);
    }
}

fn compile(schema: &str) -> Compiled {
    let schema = serde_json::from_str(schema).map_err(|_| "the schema is not JSON")?;
    let shape = SchemaShape::compile(&schema).map_err(|error| error.to_string())?;
    Ok(Arc::new(Shape::of_schema(shape)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_schema_is_compiled_once_and_a_bad_one_refused_once() -> anyhow::Result<()> {
        let schemas = Schemas::new();
        let good = r#"{"type":"object","properties":{"tasks":{"type":"array","items":{"type":"string"}}}}"#;
        let first = schemas
            .shape(good, PATIENCE)
            .await
            .map_err(anyhow::Error::msg)?;
        let again = schemas
            .shape(good, Duration::ZERO)
            .await
            .map_err(anyhow::Error::msg)?;
        assert!(Arc::ptr_eq(&first, &again));
        let bad = r##"{"$ref":"#"}"##;
        assert!(schemas.shape(bad, PATIENCE).await.is_err());
        assert_eq!(schemas.kept.lock().len(), 2);
        Ok(())
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded() {
        let schemas = Schemas::new();
        for number in 0..2 * MAX_KEPT {
            let schema = format!(r#"{{"title":"{number}"}}"#);
            assert!(schemas.shape(&schema, PATIENCE).await.is_ok());
            assert!(schemas.kept.lock().len() <= MAX_KEPT);
        }
        let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(MAX_BYTES));
        assert!(schemas.shape(&long, PATIENCE).await.is_err());
    }
}
