//! What one tenant brings reaches no other before somebody independent confirms it.

use tollfree_cache::cache::{Cache, Vote};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::entry::NewEntry;

use super::*;

fn tenant(name: &str) -> Contributor {
    Contributor::of_credential(name.as_bytes())
}

fn learned(n: u64, from: Contributor, text: &str) -> NewEntry {
    let mut new = new_entry(n);
    new.answer.text = text.to_owned();
    NewEntry {
        contributor: from,
        quarantine: true,
        ..new
    }
}

/// What a lookup of this contributor finds, by exact key and by meaning, its own keys first.
fn served(cache: &Cache, n: u64, caller: Contributor) -> Vec<String> {
    let text = |entry: std::sync::Arc<tollfree_cache::entry::Entry>| entry.answer.text.clone();
    let exact = [exact_key(n).private_to(caller), exact_key(n)];
    let partitions = [partition().private_to(caller), partition()];
    let mut texts: Vec<String> = exact
        .iter()
        .filter_map(|key| cache.exact(key, NOW))
        .map(text)
        .collect();
    for key in &partitions {
        let candidates = cache.candidates(key, &vector(n), 8, NOW);
        texts.extend(
            candidates
                .into_iter()
                .map(|candidate| text(candidate.entry)),
        );
    }
    texts.dedup();
    texts
}

#[test]
fn a_planted_answer_reaches_nobody_but_who_planted_it() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = open(directory.path());
    let (mallory, alice) = (tenant("mallory"), tenant("alice"));
    cache.admit(learned(1, mallory, "poison"), NOW).unwrap();
    let check = |cache: &Cache| {
        assert_eq!(served(cache, 1, mallory), ["poison"]);
        for other in [
            alice,
            Contributor::ANONYMOUS,
            Contributor::OPERATOR,
            Contributor::UNKNOWN,
        ] {
            assert!(served(cache, 1, other).is_empty(), "{other}");
        }
    };
    check(&cache);
    // An honest answer that differs is no confirmation, nor is the same one said twice by the same tenant.
    cache.admit(learned(1, alice, "honest"), NOW + 1).unwrap();
    cache.admit(learned(1, mallory, "poison"), NOW + 2).unwrap();
    assert_eq!(served(&cache, 1, mallory), ["poison"]);
    assert_eq!(served(&cache, 1, alice), ["honest"]);
    assert!(served(&cache, 1, tenant("bob")).is_empty());
    assert_eq!(cache.quarantined(), 2);
    drop(cache);
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, cache.quarantined()), (2, 2));
    assert_eq!(served(&cache, 1, mallory), ["poison"]);
    assert_eq!(served(&cache, 1, alice), ["honest"]);
    assert!(served(&cache, 1, tenant("bob")).is_empty());
}

#[test]
fn an_equal_answer_of_a_second_credential_shares_it_with_all() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = open(directory.path());
    cache
        .admit(learned(1, tenant("alice"), "one  two\n"), NOW)
        .unwrap();
    cache
        .admit(learned(1, tenant("bob"), "one two"), NOW + 1)
        .unwrap();
    for caller in [
        tenant("alice"),
        tenant("bob"),
        tenant("carol"),
        Contributor::ANONYMOUS,
    ] {
        assert_eq!(served(&cache, 1, caller), ["one two"], "{caller}");
    }
    assert_eq!((cache.quarantined(), cache.stats().entries), (0, 1));
    drop(cache);
    let (cache, _) = open(directory.path());
    assert_eq!(served(&cache, 1, tenant("carol")), ["one two"]);
}

#[test]
fn callers_who_cannot_be_told_apart_confirm_nothing() {
    let cache = Cache::in_memory(options());
    cache
        .admit(learned(1, tenant("mallory"), "poison"), NOW)
        .unwrap();
    cache
        .admit(learned(1, Contributor::ANONYMOUS, "poison"), NOW + 1)
        .unwrap();
    cache
        .admit(learned(1, Contributor::ANONYMOUS, "poison"), NOW + 2)
        .unwrap();
    assert!(served(&cache, 1, tenant("alice")).is_empty());
    assert_eq!(cache.quarantined(), 2);
}

#[test]
fn a_vote_of_a_second_credential_shares_an_entry_under_its_id_by_key_and_by_meaning() {
    let directory = tempfile::tempdir().unwrap();
    let (cache, _) = open(directory.path());
    let id = cache
        .admit(learned(1, tenant("alice"), "good"), NOW)
        .unwrap();
    assert_eq!(cache.vote(id, tenant("alice")), Vote::NotIndependent);
    assert_eq!(cache.vote(id, Contributor::ANONYMOUS), Vote::NotIndependent);
    assert!(served(&cache, 1, tenant("carol")).is_empty());
    assert_eq!(cache.vote(id, tenant("bob")), Vote::Shared);
    assert_eq!(cache.vote(id, tenant("bob")), Vote::NotWaiting);
    assert_eq!(served(&cache, 1, tenant("carol")), ["good"]);
    assert_eq!(cache.candidates(&partition(), &vector(1), 1, NOW).len(), 1);
    assert_eq!(cache.get(id).unwrap().contributor, tenant("alice"));
    drop(cache);
    let (cache, report) = open(directory.path());
    assert_eq!((report.entries, report.indexed), (1, 1));
    assert_eq!(served(&cache, 1, tenant("carol")), ["good"]);
}

#[test]
fn what_the_operator_brings_is_shared_at_once() {
    let cache = Cache::in_memory(options());
    cache
        .admit(learned(1, Contributor::OPERATOR, "warmed"), NOW)
        .unwrap();
    assert_eq!(served(&cache, 1, tenant("alice")), ["warmed"]);
}

#[test]
fn a_removed_or_expired_entry_in_quarantine_confirms_nothing() {
    let cache = Cache::in_memory(options());
    let id = cache
        .admit(learned(1, tenant("alice"), "old"), NOW)
        .unwrap();
    cache.remove(id);
    assert_eq!(cache.quarantined(), 0);
    cache
        .admit(learned(1, tenant("alice"), "old"), NOW)
        .unwrap();
    cache
        .admit(learned(1, tenant("bob"), "old"), NOW + TTL_MS + 1)
        .unwrap();
    assert!(cache.exact(&exact_key(1), NOW + TTL_MS + 1).is_none());
}
