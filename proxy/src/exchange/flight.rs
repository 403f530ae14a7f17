//! Single-flight: one upstream call for concurrent equal misses.
//!
//! Requests with the same exact key, and so of the same namespace, share a `Flight`. It has one seat: whoever holds
//! it is the leader and asks the upstream, the others follow. The seat is a semaphore's permit, so that a leader that
//! fails, panics or is cancelled gives it up by being dropped, and exactly one follower, the one that waited longest,
//! takes it. An admitted answer ends the flight for all. The idea of permits instead of flags is pingora-cache's lock.
//!
//! Nothing here knows HTTP: who waits how long, and what is written to whom, is decided in `follow`.

pub mod feed;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tollfree_cache::entry::Entry;
use tollfree_cache::key::ExactKey;

use crate::protocol::reply::{FinishReason, StreamEvent};
use feed::{Feed, Heard, Reader};

/// The upstream calls under way that others may wait for.
pub struct Flights {
    by_key: Mutex<HashMap<ExactKey, Weak<Flight>>>,
    max_feed_bytes: usize,
}

/// One key's call, or series of calls until one is admitted.
struct Flight {
    key: ExactKey,
    seat: Arc<Semaphore>,
    phase: watch::Sender<Phase>,
    flights: Weak<Flights>,
}

#[derive(Clone)]
enum Phase {
    /// Nobody has asked yet, or the one who did has given up.
    Boarding,
    /// A leader is asking.
    Flying(Arc<Feed>),
    /// The answer was admitted.
    Landed(Arc<Entry>),
    /// Such an answer is never admitted: everyone asks alone.
    Dissolved,
}

/// What a request becomes.
pub enum Boarded {
    /// It asks the upstream.
    Leader(Permit),
    /// It waits for the one that does.
    Follower(Follower),
}

/// The right and duty to ask the upstream. Dropping it without [`Permit::land`] hands it to the next follower.
pub struct Permit {
    flight: Arc<Flight>,
    feed: Arc<Feed>,
    _seat: OwnedSemaphorePermit,
}

/// A request that waits.
pub struct Follower {
    flight: Arc<Flight>,
    phase: watch::Receiver<Phase>,
}

/// How waiting ended.
pub enum Turn {
    /// The leader's answer was admitted.
    Landed(Arc<Entry>),
    /// The leader's answer comes as a stream and has begun: these events, and all that the reader will hear.
    Streaming(Reader, Vec<StreamEvent>),
    /// The leader gave up, and this request takes its place.
    Lead(Permit),
    /// This request asks by itself, beside the others.
    Alone,
}

impl Flights {
    /// Makes an empty set; a feed holds up to `max_feed_bytes`.
    pub fn new(max_feed_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            by_key: Mutex::default(),
            max_feed_bytes,
        })
    }

    /// Joins the flight of a key, or begins one.
    pub fn board(self: &Arc<Self>, key: ExactKey) -> Boarded {
        let flight = self.flight(key);
        match Arc::clone(&flight.seat).try_acquire_owned() {
            Ok(seat) => Boarded::Leader(Permit::take(flight, seat)),
            Err(_) => Boarded::Follower(Follower {
                phase: flight.phase.subscribe(),
                flight,
            }),
        }
    }

    /// The number of flights under way.
    pub fn len(&self) -> usize {
        self.by_key.lock().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn flight(self: &Arc<Self>, key: ExactKey) -> Arc<Flight> {
        let mut by_key = self.by_key.lock();
        if let Some(flight) = by_key.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(Flight {
            key,
            seat: Arc::new(Semaphore::new(1)),
            phase: watch::Sender::new(Phase::Boarding),
            flights: Arc::downgrade(self),
        });
        by_key.insert(key, Arc::downgrade(&flight));
        flight
    }
}

impl Flight {
    /// Takes the flight off the list, so that nobody boards it any more.
    fn delist(&self) {
        let Some(flights) = self.flights.upgrade() else {
            return;
        };
        let mut by_key = flights.by_key.lock();
        if by_key
            .get(&self.key)
            .is_some_and(|listed| std::ptr::eq(listed.as_ptr(), self))
        {
            by_key.remove(&self.key);
        }
    }

    fn end(&self, phase: Phase) {
        // First the news, then the list: who boards in between still hears it.
        self.phase.send_replace(phase);
        self.delist();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.delist();
    }
}

impl Permit {
    fn take(flight: Arc<Flight>, seat: OwnedSemaphorePermit) -> Self {
        let max_bytes = flight
            .flights
            .upgrade()
            .map_or(0, |flights| flights.max_feed_bytes);
        let feed = Arc::new(Feed::new(max_bytes));
        flight.phase.send_replace(Phase::Flying(Arc::clone(&feed)));
        Self {
            flight,
            feed,
            _seat: seat,
        }
    }

    /// Whether anybody waits for this call or reads along.
    pub fn is_awaited(&self) -> bool {
        self.flight.phase.receiver_count() > 0 || self.feed.is_read()
    }

    /// Returns once nobody waits and nobody reads along.
    pub async fn unawaited(&self) {
        while self.is_awaited() {
            self.flight.phase.closed().await;
            self.feed.unread().await;
        }
    }

    /// Whether anybody reads along.
    pub fn is_read(&self) -> bool {
        self.feed.is_read()
    }

    /// Passes on what the upstream's stream said.
    pub fn share(&self, events: Vec<StreamEvent>) {
        self.feed.push(events);
    }

    /// Answers all followers from an entry.
    pub fn land(self, entry: Arc<Entry>) {
        self.flight.end(Phase::Landed(entry));
    }

    /// Lets all followers ask by themselves: what this call brings is never admitted.
    pub fn dissolve(self) {
        self.flight.end(Phase::Dissolved);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.feed.close();
        // Who boards before the seat is taken again finds no closed feed to read.
        self.flight.phase.send_if_modified(|phase| {
            let flying = matches!(phase, Phase::Flying(_));
            if flying {
                *phase = Phase::Boarding;
            }
            flying
        });
    }
}

impl Follower {
    /// Waits for the leader's answer, for the leader's place, or, with `streamed`, for the leader's first words.
    ///
    /// May be dropped at any time; the seat then goes to another.
    pub async fn turn(&mut self, streamed: bool) -> Turn {
        let seat = Arc::clone(&self.flight.seat).acquire_owned();
        tokio::pin!(seat);
        loop {
            let phase = self.phase.borrow_and_update().clone();
            let mut opening = match phase {
                Phase::Landed(entry) => return Turn::Landed(entry),
                Phase::Dissolved => return Turn::Alone,
                Phase::Flying(feed) if streamed => feed.reader().map(Opening::new),
                Phase::Flying(_) | Phase::Boarding => None,
            };
            loop {
                tokio::select! {
                    biased;
                    changed = self.phase.changed() => match changed {
                        Ok(()) => break,
                        Err(_) => return Turn::Alone,
                    },
                    worthy = Opening::heard(&mut opening) => {
                        if let (true, Some(opening)) = (worthy, opening.take()) {
                            return Turn::Streaming(opening.reader, opening.events);
                        }
                    }
                    seat = &mut seat => {
                        let Ok(seat) = seat else { return Turn::Alone };
                        // It may have landed between the two looks.
                        let phase = self.phase.borrow().clone();
                        return match phase {
                            Phase::Landed(entry) => Turn::Landed(entry),
                            Phase::Dissolved => Turn::Alone,
                            Phase::Boarding | Phase::Flying(_) => {
                                Turn::Lead(Permit::take(Arc::clone(&self.flight), seat))
                            }
                        };
                    }
                }
            }
        }
    }
}

/// The first events of a feed, until it is clear that they lead to an answer.
struct Opening {
    reader: Reader,
    events: Vec<StreamEvent>,
}

impl Opening {
    fn new(reader: Reader) -> Self {
        Self {
            reader,
            events: Vec::new(),
        }
    }

    /// Waits for the first text: true. False for a stream that ends before it, or that says at once that it is no
    /// answer to share; then nothing was given away yet.
    async fn heard(this: &mut Option<Self>) -> bool {
        let Some(this) = this else {
            return std::future::pending().await;
        };
        loop {
            let Heard::Events(new) = this.reader.next().await else {
                return false;
            };
            this.events.extend(new);
            if this.events.iter().any(spoils) {
                return false;
            }
            if this
                .events
                .iter()
                .any(|event| matches!(event, StreamEvent::Text(_)))
            {
                return true;
            }
        }
    }
}

/// Whether an event says that the answer is not to be shared.
fn spoils(event: &StreamEvent) -> bool {
    match event {
        StreamEvent::Finish(finish) => *finish != FinishReason::Stop,
        StreamEvent::ToolCall(_)
        | StreamEvent::Unstorable(_)
        | StreamEvent::Error(_)
        | StreamEvent::Malformed => true,
        StreamEvent::Model(_)
        | StreamEvent::Text(_)
        | StreamEvent::Usage(_)
        | StreamEvent::Done => false,
    }
}

#[cfg(test)]
mod tests;
