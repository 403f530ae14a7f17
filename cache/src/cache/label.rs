//! Labels of entries: learned in memory, stored behind, gone with the entry.

use crate::bound::{Bound, Observation, Source};
use crate::cache::Cache;
use crate::entry::EntryId;
use crate::store::Store;

impl Cache {
    /// What is known of the entries' being right for other wordings, and the decision it leads to.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Labels an entry; says whether it is still there. Durable within a second, and dropped with the entry.
    ///
    /// `audited` is the risk of a would-be hit that was explored by the coin alone, see [`Bound::observe`].
    pub fn label(
        &self,
        id: EntryId,
        observation: Observation,
        source: Source,
        audited: Option<f64>,
    ) -> bool {
        // An entry that goes meanwhile must not leave labels behind.
        let _changing = self.changing.lock();
        if !self.residents.read().contains(id) {
            return false;
        }
        self.bound.observe(id, observation, source, audited);
        if let Some(writer) = &self.writer {
            let (labels, curve) = self.bound.encoded(id);
            writer.put_labels(id, labels.unwrap_or_default(), curve);
        }
        true
    }

    /// Takes in the stored labels of the entries that stayed, and the curve. Returns ids whose entry is gone and how
    /// many values could not be read: such an entry starts without labels.
    pub(super) fn load_labels(&self, store: &dyn Store) -> crate::Result<(Vec<EntryId>, usize)> {
        let (mut gone, mut corrupt) = (Vec::new(), 0);
        store.labels(&mut |id, labels| match labels {
            _ if !self.residents.read().contains(id) => gone.push(id),
            Ok(labels) => self.bound.restore(id, labels),
            Err(error) => {
                tracing::warn!(%id, %error, "stored labels skipped");
                corrupt += 1;
            }
        })?;
        match store.curve() {
            Ok(Some(curve)) => self.bound.restore_curve(curve),
            Ok(None) => {}
            Err(error) if error.is_damage() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "stored curve skipped");
                corrupt += 1;
            }
        }
        Ok((gone, corrupt))
    }
}
