#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

use std::time::Duration;

use tollfree_cache::cache::{Cache, CacheOptions};
use tollfree_cache::contributor::Contributor;
use tollfree_cache::entry::{Answer, Finish, NewEntry, Usage};
use tollfree_cache::key::CompatibilityKey;
use tollfree_cache::language::Language;
use tollfree_cache::namespace::Namespace;

use super::*;

fn key(byte: u8) -> ExactKey {
    ExactKey::from_bytes([byte; 32])
}

/// An entry as the cache makes it.
fn entry() -> Arc<Entry> {
    let cache = Cache::in_memory(CacheOptions {
        max_entries: 1,
        max_answer_bytes: 100,
        ttl_jitter: 0.0,
        refuse_pii: true,
        ttl: Duration::from_secs(60),
        stale_while_revalidate: Duration::ZERO,
        model: None,
    });
    let new = NewEntry {
        namespace: Namespace::new("test").unwrap(),
        exact: key(1),
        compatibility: CompatibilityKey::from_bytes([1; 32]),
        goal: "goal".to_owned(),
        answer: Answer {
            text: "answer".to_owned(),
            finish: Finish::Stop,
            usage: Usage::default(),
            model: String::new(),
        },
        upstream: "upstream".to_owned(),
        model_requested: "model".to_owned(),
        language: Language::new("en"),
        contributor: Contributor::UNKNOWN,
        quarantine: false,
        ttl: None,
        vector: None,
        sketch: None,
    };
    let id = cache.admit(new, 0).unwrap();
    cache.get(id).unwrap()
}

fn lead(flights: &Arc<Flights>, key: ExactKey) -> Permit {
    match flights.board(key) {
        Boarded::Leader(permit) => permit,
        Boarded::Follower(_) => panic!("somebody leads already"),
    }
}

fn follow(flights: &Arc<Flights>, key: ExactKey) -> Follower {
    match flights.board(key) {
        Boarded::Follower(follower) => follower,
        Boarded::Leader(_) => panic!("nobody leads"),
    }
}

fn text(text: &str) -> Vec<StreamEvent> {
    vec![StreamEvent::Text(text.to_owned())]
}

#[tokio::test]
async fn followers_are_answered_from_the_leaders_entry_and_the_flight_is_over() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    let mut followers: Vec<_> = (0..3).map(|_| follow(&flights, key(1))).collect();
    leader.land(entry());
    for follower in &mut followers {
        let Turn::Landed(entry) = follower.turn(true).await else {
            panic!("not landed")
        };
        assert_eq!(entry.answer.text, "answer");
    }
    assert!(flights.is_empty());
    drop(lead(&flights, key(1)));
}

#[tokio::test]
async fn different_keys_never_meet() {
    let flights = Flights::new(1000);
    let (_one, _other) = (lead(&flights, key(1)), lead(&flights, key(2)));
    assert_eq!(flights.len(), 2);
}

#[tokio::test]
async fn exactly_one_follower_takes_a_failed_leaders_place() {
    let flights = Flights::new(1000);
    let mut leader = lead(&flights, key(1));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let mut follower = follow(&flights, key(1));
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(async move {
                sender.send(follower.turn(false).await).ok();
            });
            (task, receiver)
        })
        .collect();
    let mut waiting: Vec<_> = tasks.into_iter().map(|(_, receiver)| receiver).collect();
    while !waiting.is_empty() {
        drop(leader);
        let (turn, index, rest) = first(waiting).await;
        let Turn::Lead(permit) = turn else {
            panic!("follower {index} was not given the lead")
        };
        assert!(!permit.is_awaited() || !rest.is_empty());
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        waiting = rest;
        for receiver in &mut waiting {
            assert!(receiver.try_recv().is_err(), "two lead at once");
        }
        leader = permit;
    }
    drop(leader);
    assert!(flights.is_empty());
}

async fn first(
    mut waiting: Vec<tokio::sync::oneshot::Receiver<Turn>>,
) -> (Turn, usize, Vec<tokio::sync::oneshot::Receiver<Turn>>) {
    loop {
        for index in 0..waiting.len() {
            if let Ok(turn) = waiting[index].try_recv() {
                waiting.remove(index);
                return (turn, index, waiting);
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_follower_that_leaves_is_passed_over() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    let (mut gone, mut stays) = (follow(&flights, key(1)), follow(&flights, key(1)));
    {
        // It waits in the line before it leaves.
        let turn = gone.turn(false);
        tokio::pin!(turn);
        assert!(
            tokio::time::timeout(Duration::ZERO, &mut turn)
                .await
                .is_err()
        );
    }
    drop(gone);
    drop(leader);
    assert!(matches!(stays.turn(false).await, Turn::Lead(_)));
}

#[tokio::test]
async fn a_panic_gives_the_lead_away() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    let mut follower = follow(&flights, key(1));
    let task = tokio::spawn(async move {
        let _held = leader;
        panic!("on purpose");
    });
    assert!(task.await.is_err());
    assert!(matches!(follower.turn(false).await, Turn::Lead(_)));
}

#[tokio::test]
async fn a_dissolved_flight_lets_everyone_go_at_once() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    let (mut one, mut other) = (follow(&flights, key(1)), follow(&flights, key(1)));
    leader.dissolve();
    assert!(matches!(one.turn(false).await, Turn::Alone));
    assert!(matches!(other.turn(true).await, Turn::Alone));
    assert!(flights.is_empty());
}

#[tokio::test]
async fn a_streaming_follower_reads_along_and_another_waits() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    let (mut streams, mut waits) = (follow(&flights, key(1)), follow(&flights, key(1)));
    assert!(!leader.is_read());
    let task = tokio::spawn(async move {
        let turn = streams.turn(true).await;
        drop(streams);
        turn
    });
    while !leader.is_read() {
        tokio::task::yield_now().await;
    }
    leader.share(text("one "));
    let Turn::Streaming(mut reader, events) = task.await.unwrap() else {
        panic!("not streaming")
    };
    assert_eq!(events, text("one "));
    leader.share(text("two"));
    assert_eq!(reader.next().await, Heard::Events(text("two")));
    leader.land(entry());
    assert_eq!(reader.next().await, Heard::Over);
    assert!(matches!(waits.turn(false).await, Turn::Landed(_)));
}

#[tokio::test]
async fn a_stream_that_is_no_answer_is_not_begun() {
    let spoilt = [
        StreamEvent::Finish(FinishReason::Length),
        StreamEvent::Finish(FinishReason::ContentFilter),
        StreamEvent::Unstorable(crate::protocol::reply::NotStorable::Refusal),
        StreamEvent::Malformed,
    ];
    for event in spoilt {
        let flights = Flights::new(1000);
        let leader = lead(&flights, key(1));
        let mut follower = follow(&flights, key(1));
        let task = tokio::spawn(async move { follower.turn(true).await });
        while !leader.is_read() {
            tokio::task::yield_now().await;
        }
        let mut events = text("cut");
        events.push(event.clone());
        leader.share(events);
        drop(leader);
        assert!(
            matches!(task.await.unwrap(), Turn::Lead(_)),
            "{event:?} was shared"
        );
    }
}

#[tokio::test]
async fn a_leader_knows_when_nobody_waits_any_more() {
    let flights = Flights::new(1000);
    let leader = lead(&flights, key(1));
    assert!(!leader.is_awaited());
    let follower = follow(&flights, key(1));
    assert!(leader.is_awaited());
    drop(follower);
    leader.unawaited().await;
    assert!(!leader.is_awaited());
}
