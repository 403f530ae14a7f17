//! Which entry goes when there is no room for one more: the one that is worth least.
//!
//! An entry is worth what its next use saves, times how often it was used of late, by the time since its last use:
//! the rate at which it may be expected to save (hyperbolic caching, Blankstein, Sen and Freedman 2017). Uses are
//! counted by exact key in a small sketch that forgets (see [`sketch`]) and that outlives the entries, so that a
//! goal asked again and again is recognised even if its answer was evicted in between. A new entry is always taken
//! in: it spends a while in a window of its own, and when it has to leave that, it competes with the worth of
//! those that stayed (TinyLFU, Einziger, Friedman and Manes 2017). So a stream of goals asked once washes through
//! the window and leaves what is in use alone.

pub(crate) mod sketch;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::entry::{Entry, EntryId};
use crate::eviction::sketch::Sketch;

/// The part of all entries that the window holds: one in so many.
const WINDOW_SHARE: usize = 50;

/// Uses that every entry is credited with, so that of two whose uses are forgotten the dearer one is worth more.
const CREDIT: f64 = 0.25;

/// Bytes of text that make about one token, for answers whose upstream counted none.
const BYTES_PER_TOKEN: u64 = 4;

/// What entries are worth.
pub(crate) struct Worth {
    uses: Sketch,
    /// Sums over all hits with a known price, by which the others are estimated.
    saved_micro_usd: AtomicU64,
    priced_tokens: AtomicU64,
}

impl Worth {
    /// Prepares for so many entries.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            uses: Sketch::new(max_entries),
            saved_micro_usd: AtomicU64::new(0),
            priced_tokens: AtomicU64::new(0),
        }
    }

    /// Notes that an entry was asked for, in vain or not.
    pub(crate) fn note_use(&self, entry: &Entry) {
        self.uses.add(&entry.exact);
    }

    /// Notes what a hit of this entry saved.
    pub(crate) fn note_saving(&self, entry: &Entry, micro_usd: u64) {
        if micro_usd > 0 {
            self.saved_micro_usd.fetch_add(micro_usd, Ordering::Relaxed);
            self.priced_tokens
                .fetch_add(tokens(entry), Ordering::Relaxed);
        }
    }

    /// Returns the worth of an entry whose last hit saved so much, 0 where that is unknown, and which was not used
    /// for so long.
    ///
    /// The unit is a millionth of a dollar by the millisecond once any saving is known, a token by it until then;
    /// comparable at one moment.
    pub(crate) fn of(&self, entry: &Entry, saved_micro_usd: u64, idle_ms: u64) -> f64 {
        let cost = if saved_micro_usd > 0 {
            saved_micro_usd as f64
        } else {
            tokens(entry) as f64 * self.micro_usd_per_token()
        };
        let uses = f64::from(self.uses.estimate(&entry.exact)) + CREDIT;
        uses * cost / (idle_ms as f64 + 1.0)
    }

    fn micro_usd_per_token(&self) -> f64 {
        let saved = self.saved_micro_usd.load(Ordering::Relaxed);
        let tokens = self.priced_tokens.load(Ordering::Relaxed);
        if saved == 0 || tokens == 0 {
            1.0
        } else {
            saved as f64 / tokens as f64
        }
    }
}

/// Tokens the upstream's call took, at least 1.
fn tokens(entry: &Entry) -> u64 {
    let usage = entry.answer.usage;
    let counted = usage.input_tokens.saturating_add(usage.output_tokens);
    let estimated = entry.answer.text.len() as u64 / BYTES_PER_TOKEN;
    if counted > 0 {
        counted
    } else {
        estimated.max(1)
    }
}

/// The newest entries, oldest first. It may name entries that are gone; whoever asks skips those.
pub(crate) struct Window {
    newest: VecDeque<EntryId>,
    max: usize,
}

impl Window {
    /// Makes the window of a cache of so many entries.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            newest: VecDeque::new(),
            max: (max_entries / WINDOW_SHARE).max(1),
        }
    }

    /// Takes a new entry in.
    pub(crate) fn push(&mut self, id: EntryId) {
        self.newest.push_back(id);
    }

    /// Takes the oldest entry out if one more would be too many.
    pub(crate) fn pop_if_full(&mut self) -> Option<EntryId> {
        if self.newest.len() >= self.max {
            self.newest.pop_front()
        } else {
            None
        }
    }

    /// Takes the oldest entry out if there are too many.
    pub(crate) fn pop_surplus(&mut self) -> Option<EntryId> {
        if self.newest.len() > self.max {
            self.newest.pop_front()
        } else {
            None
        }
    }
}
