//! What a leader's stream says, for followers that read along.
//!
//! One list for all of them, each with its own place in it: a slow follower holds nobody up. The list is bounded in
//! bytes; a follower that falls further behind than that has lost the thread.

use std::collections::VecDeque;

use tokio::sync::watch;

use crate::protocol::reply::StreamEvent;

/// Bytes an event takes besides its text, roughly.
const EVENT_BYTES: usize = 64;

/// The events of one upstream call.
pub struct Feed {
    state: watch::Sender<State>,
    max_bytes: usize,
}

#[derive(Default)]
struct State {
    /// The number of the first event still held.
    first: usize,
    events: VecDeque<StreamEvent>,
    bytes: usize,
    over: bool,
}

/// A follower's place in a feed.
pub struct Reader {
    state: watch::Receiver<State>,
    next: usize,
}

/// What a reader has learned.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// More of the stream, at least one event.
    Events(Vec<StreamEvent>),
    /// The call has ended and everything was read.
    Over,
    /// Events were dropped before they were read.
    Lagged,
}

impl Feed {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            state: watch::Sender::default(),
            max_bytes,
        }
    }

    /// A place at the beginning; `None` once the beginning is gone.
    pub(super) fn reader(&self) -> Option<Reader> {
        let state = self.state.subscribe();
        let complete = state.borrow().first == 0;
        complete.then_some(Reader { state, next: 0 })
    }

    pub(super) fn is_read(&self) -> bool {
        self.state.receiver_count() > 0
    }

    /// Returns once nobody reads.
    pub(super) async fn unread(&self) {
        self.state.closed().await;
    }

    pub(super) fn push(&self, events: Vec<StreamEvent>) {
        if events.is_empty() {
            return;
        }
        self.state.send_modify(|state| {
            for event in events {
                state.bytes += size(&event);
                state.events.push_back(event);
            }
            while state.bytes > self.max_bytes
                && let Some(oldest) = state.events.pop_front()
            {
                state.bytes -= size(&oldest);
                state.first += 1;
            }
        });
    }

    pub(super) fn close(&self) {
        self.state.send_modify(|state| state.over = true);
    }
}

impl Reader {
    /// Waits for more of the stream. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Heard {
        loop {
            {
                let state = self.state.borrow_and_update();
                let Some(read) = self.next.checked_sub(state.first) else {
                    return Heard::Lagged;
                };
                let new: Vec<_> = state.events.iter().skip(read).cloned().collect();
                if !new.is_empty() {
                    self.next += new.len();
                    return Heard::Events(new);
                }
                if state.over {
                    return Heard::Over;
                }
            }
            if self.state.changed().await.is_err() {
                return Heard::Over;
            }
        }
    }
}

fn size(event: &StreamEvent) -> usize {
    let text = match event {
        StreamEvent::Text(text) | StreamEvent::Model(text) => text.len(),
        StreamEvent::ToolCall(call) => call.arguments.len(),
        StreamEvent::Error(error) => error.message.len(),
        StreamEvent::Finish(_)
        | StreamEvent::Usage(_)
        | StreamEvent::Unstorable(_)
        | StreamEvent::Malformed
        | StreamEvent::Done => 0,
    };
    EVENT_BYTES + text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use super::*;

    fn text(text: &str) -> StreamEvent {
        StreamEvent::Text(text.to_owned())
    }

    #[tokio::test]
    async fn every_reader_hears_everything_from_the_beginning() {
        let feed = Feed::new(10_000);
        let mut early = feed.reader().unwrap();
        feed.push(vec![text("a")]);
        assert_eq!(early.next().await, Heard::Events(vec![text("a")]));
        let mut late = feed.reader().unwrap();
        feed.push(vec![text("b"), StreamEvent::Done]);
        feed.close();
        assert_eq!(
            early.next().await,
            Heard::Events(vec![text("b"), StreamEvent::Done])
        );
        assert_eq!(early.next().await, Heard::Over);
        let all = vec![text("a"), text("b"), StreamEvent::Done];
        assert_eq!(late.next().await, Heard::Events(all));
        assert_eq!(late.next().await, Heard::Over);
    }

    #[tokio::test]
    async fn a_feed_stays_within_its_bound_and_only_the_slow_reader_pays() {
        let feed = Feed::new(1_000);
        let (mut slow, mut quick) = (feed.reader().unwrap(), feed.reader().unwrap());
        for _ in 0..100 {
            feed.push(vec![text("0123456789")]);
            assert!(matches!(quick.next().await, Heard::Events(_)));
            assert!(feed.state.borrow().bytes <= 1_000);
        }
        assert_eq!(slow.next().await, Heard::Lagged);
        assert!(feed.reader().is_none(), "the beginning is gone");
    }

    #[tokio::test]
    async fn a_feed_knows_whether_it_is_read() {
        let feed = Feed::new(1_000);
        assert!(!feed.is_read());
        let reader = feed.reader();
        assert!(feed.is_read());
        drop(reader);
        feed.unread().await;
        assert!(!feed.is_read());
    }
}
