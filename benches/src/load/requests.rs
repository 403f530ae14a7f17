//! What a load run sends, written before the run so that sending costs nothing but the write.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::Target;

/// The requests of a run, handed out in order.
#[derive(Debug)]
pub struct Requests {
    written: Vec<Bytes>,
    /// How many may be handed out; beyond `written` it begins again.
    limit: usize,
    given: AtomicUsize,
}

impl Requests {
    /// Makes a supply that sends `body` again and again, at most `limit` times if there is one.
    pub fn repeat(target: &Target, body: &[u8], limit: Option<usize>) -> Self {
        Self::new(vec![target.request(body)], limit.unwrap_or(usize::MAX))
    }

    /// Makes a supply that sends each of the `bodies` once, in order, and at most the first `limit` of them.
    pub fn once<'a>(
        target: &Target,
        bodies: impl IntoIterator<Item = &'a [u8]>,
        limit: Option<usize>,
    ) -> Self {
        let written: Vec<Bytes> = bodies
            .into_iter()
            .map(|body| target.request(body))
            .collect();
        let limit = limit.map_or(written.len(), |limit| limit.min(written.len()));
        Self::new(written, limit)
    }

    fn new(written: Vec<Bytes>, limit: usize) -> Self {
        Self {
            written,
            limit,
            given: AtomicUsize::new(0),
        }
    }

    /// Returns the next request, `None` when all were handed out.
    pub(super) fn next(&self) -> Option<Bytes> {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        if number >= self.limit {
            return None;
        }
        self.written
            .get(number % self.written.len().max(1))
            .cloned()
    }

    /// Returns whether a request was asked for when all were handed out.
    pub(super) fn ran_out(&self) -> bool {
        self.given.load(Ordering::Relaxed) > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(requests: &Requests, most: usize) -> anyhow::Result<Vec<u8>> {
        let taken = std::iter::from_fn(|| requests.next()).take(most);
        Ok(taken
            .filter_map(|request| request.last().copied())
            .collect())
    }

    #[test]
    fn each_body_is_sent_once_in_order() -> anyhow::Result<()> {
        let target = Target::new("http://localhost/", &[])?;
        let list: [&[u8]; 3] = [b"1", b"2", b"3"];
        let requests = Requests::once(&target, list, None);
        assert_eq!(bodies(&requests, 3)?, b"123");
        assert!(!requests.ran_out());
        assert!(requests.next().is_none());
        assert!(requests.ran_out());
        assert_eq!(bodies(&Requests::once(&target, list, Some(2)), 9)?, b"12");
        assert_eq!(bodies(&Requests::once(&target, [], None), 9)?, b"");
        Ok(())
    }

    #[test]
    fn one_body_is_repeated_up_to_the_limit() -> anyhow::Result<()> {
        let target = Target::new("http://localhost/", &[])?;
        assert_eq!(
            bodies(&Requests::repeat(&target, b"1", Some(3)), 9)?,
            b"111"
        );
        assert_eq!(bodies(&Requests::repeat(&target, b"1", None), 5)?, b"11111");
        Ok(())
    }
}
