//! Where a lookup looks when answers of one client are kept from the others: under the caller's own keys first.

use std::sync::Arc;

use tollfree_cache::decision::Terms;
use tollfree_cache::entry::Entry;
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::request::Request;

use super::Lookup;

impl Lookup {
    /// The entry that answers this very request on these terms: the caller's own in quarantine, or everybody's.
    pub(super) fn exact(
        &self,
        request: &Request,
        key: &ExactKey,
        terms: &Terms<'_>,
    ) -> Option<Arc<Entry>> {
        let find = |key: &ExactKey| {
            let entry = self.cache.exact(key, terms.now_ms)?;
            terms.admit(&entry).then_some(entry)
        };
        if self.limits.quarantine
            && let Some(own) = find(&key.private_to(request.caller))
        {
            return Some(own);
        }
        find(key)
    }

    /// The compatibility keys under which entries may answer a request, in the order they are searched.
    pub(super) fn keys(&self, request: &Request, key: CompatibilityKey) -> Vec<CompatibilityKey> {
        if self.limits.quarantine {
            vec![key.private_to(request.caller), key]
        } else {
            vec![key]
        }
    }
}
