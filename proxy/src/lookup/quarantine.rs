//! Where a lookup looks when answers of one client are kept from the others: under the caller's own keys first.

use std::sync::Arc;

use tollfree_cache::decision::Terms;
use tollfree_cache::entry::Entry;
use tollfree_cache::key::{CompatibilityKey, ExactKey};
use tollfree_cache::request::Request;

use super::{Lookup, Options};

impl Lookup {
    /// The entry that answers this very request on these terms: the caller's own in quarantine, or everybody's.
    pub(super) fn exact(
        &self,
        request: &Request,
        key: &ExactKey,
        terms: &Terms<'_>,
    ) -> Option<Arc<Entry>> {
        self.own_or_shared(request, key, |key| {
            let entry = self.cache.exact(key, terms.now_ms)?;
            terms.admit(&entry).then_some(entry)
        })
    }

    /// The entry that answered this very request until its time was over: the caller's own, or everybody's.
    pub(super) fn stale(
        &self,
        request: &Request,
        key: &ExactKey,
        options: &Options,
        terms: &Terms<'_>,
    ) -> Option<Arc<Entry>> {
        if options.template_only || self.limits.stale_for.is_zero() {
            return None;
        }
        self.own_or_shared(request, key, |key| {
            let entry = self.cache.stale(key, self.limits.stale_for, terms.now_ms)?;
            terms.admit(&entry).then_some(entry)
        })
    }

    fn own_or_shared(
        &self,
        request: &Request,
        key: &ExactKey,
        find: impl Fn(&ExactKey) -> Option<Arc<Entry>>,
    ) -> Option<Arc<Entry>> {
        let own = self
            .limits
            .quarantine
            .then(|| find(&key.private_to(request.caller)))
            .flatten();
        own.or_else(|| find(key))
    }

    /// The key under which equal requests share an upstream's call: the caller's own in quarantine, where nobody else
    /// may have the answer yet.
    pub fn flight_key(&self, request: &Request, key: &ExactKey) -> ExactKey {
        if self.limits.quarantine {
            key.private_to(request.caller)
        } else {
            *key
        }
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
