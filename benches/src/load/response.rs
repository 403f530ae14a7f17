//! Reads HTTP/1.1 responses from bytes that arrive in any portions.
//!
//! The parser finds where a response ends and whether it is what the run expects; the body is counted and not kept.
//! Framing follows RFC 9112 section 6.3 for responses to GET and POST.

use std::sync::Arc;

use crate::{Error, Result};

use super::Expectation;

/// A longer response head is refused.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A response with more header lines is refused.
const MAX_HEADERS: usize = 100;
/// A longer chunk size line or trailer line is refused.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// A complete response.
#[derive(Debug)]
pub(super) struct Response {
    /// Length of the body without its framing.
    pub(super) body_bytes: u64,
    /// Whether the connection may carry another request.
    pub(super) reusable: bool,
    /// Whether status and headers are what the run expects.
    pub(super) verdict: Result<()>,
}

/// Reads one response after the other.
#[derive(Debug)]
pub(super) struct ResponseParser {
    expectations: Arc<[Expectation]>,
    stage: Stage,
    /// The beginning of a head or a line that has not ended yet.
    pending: Vec<u8>,
    /// What is known of the response whose body is being read.
    response: Option<Response>,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    /// A body of known length, of which so much is missing.
    Counted(u64),
    UntilClose,
    ChunkSize,
    /// A chunk of which so much is missing.
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    Complete,
}

impl ResponseParser {
    pub(super) fn new(expectations: Arc<[Expectation]>) -> Self {
        Self {
            expectations,
            stage: Stage::Head,
            pending: Vec::new(),
            response: None,
        }
    }

    /// Returns whether some bytes of a response were read and its end was not.
    pub(super) fn has_begun(&self) -> bool {
        self.stage != Stage::Head || !self.pending.is_empty()
    }

    /// Reads `input`, the bytes that follow those of the calls before; returns the response once it is complete.
    ///
    /// # Errors
    /// [`Error::Malformed`], also when bytes follow the response, since no request has asked for them. The parser
    /// and its connection are of no use afterwards.
    pub(super) fn read(&mut self, mut input: &[u8]) -> Result<Option<Response>> {
        loop {
            input = match self.stage {
                Stage::Complete => break,
                _ if input.is_empty() => return Ok(None),
                Stage::Head => self.head(input)?,
                Stage::Counted(missing) => {
                    let (missing, rest) = self.body(missing, input);
                    self.stage = if missing == 0 {
                        Stage::Complete
                    } else {
                        Stage::Counted(missing)
                    };
                    rest
                }
                Stage::UntilClose => self.body(u64::MAX, input).1,
                Stage::ChunkSize => self.line(input, Self::chunk_size)?,
                Stage::ChunkData(missing) => {
                    let (missing, rest) = self.body(missing, input);
                    self.stage = if missing == 0 {
                        Stage::ChunkEnd
                    } else {
                        Stage::ChunkData(missing)
                    };
                    rest
                }
                Stage::ChunkEnd => self.line(input, |line| match line {
                    [] => Ok(Stage::ChunkSize),
                    _ => Err(malformed("a chunk is longer than its size")),
                })?,
                Stage::Trailer => self.line(input, |line| match line {
                    [] => Ok(Stage::Complete),
                    _ => Ok(Stage::Trailer),
                })?,
            };
        }
        if !input.is_empty() {
            return Err(malformed("bytes follow the response"));
        }
        Ok(self.take())
    }

    /// Tells that the server closed the connection; returns the response when that is its end.
    ///
    /// # Errors
    /// [`Error::Closed`] when it is not.
    pub(super) fn close(&mut self) -> Result<Response> {
        let begun = self.has_begun();
        match self.stage {
            Stage::UntilClose => self.take().ok_or(Error::Closed { begun }),
            _ => Err(Error::Closed { begun }),
        }
    }

    fn take(&mut self) -> Option<Response> {
        self.stage = Stage::Head;
        self.response.take()
    }

    fn head<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8]> {
        let before = self.pending.len();
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        // The whole head is in the first portion nearly always: it is copied only when it is not.
        let bytes = if before == 0 {
            input
        } else {
            self.pending.extend_from_slice(input);
            &self.pending
        };
        let status = parsed
            .parse(bytes)
            .map_err(|_| malformed("the head is no HTTP/1.1 response head"))?;
        match status {
            httparse::Status::Complete(length) => {
                (self.stage, self.response) = begin(&parsed, &self.expectations)?;
                self.pending.clear();
                input
                    .get(length.saturating_sub(before)..)
                    .ok_or_else(|| malformed("the head has no end"))
            }
            httparse::Status::Partial if bytes.len() > MAX_HEAD_BYTES => {
                Err(malformed("the head is too long"))
            }
            httparse::Status::Partial => {
                if before == 0 {
                    self.pending.extend_from_slice(input);
                }
                Ok(&[])
            }
        }
    }

    /// Counts at most `missing` bytes of `input` as body; returns what is still missing and the bytes behind.
    fn body<'a>(&mut self, missing: u64, input: &'a [u8]) -> (u64, &'a [u8]) {
        let here = usize::try_from(missing).map_or(input.len(), |missing| missing.min(input.len()));
        if let Some(response) = &mut self.response {
            response.body_bytes += here as u64;
        }
        (missing - here as u64, input.get(here..).unwrap_or_default())
    }

    /// Reads up to the end of a line; `next` turns the whole line into the next stage.
    fn line<'a>(
        &mut self,
        input: &'a [u8],
        next: impl FnOnce(&[u8]) -> Result<Stage>,
    ) -> Result<&'a [u8]> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            self.pending.extend_from_slice(input);
            if self.pending.len() > MAX_LINE_BYTES {
                return Err(malformed("a line of the chunked body is too long"));
            }
            return Ok(&[]);
        };
        let (line, rest) = input.split_at(end + 1);
        self.pending.extend_from_slice(line);
        let line = self
            .pending
            .strip_suffix(b"\r\n")
            .ok_or_else(|| malformed("a line does not end in CR LF"))?;
        self.stage = next(line)?;
        self.pending.clear();
        Ok(rest)
    }

    fn chunk_size(line: &[u8]) -> Result<Stage> {
        let digits = line
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let size = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| malformed("a chunk size is no hexadecimal number"))?;
        Ok(if size == 0 {
            Stage::Trailer
        } else {
            Stage::ChunkData(size)
        })
    }
}

/// Decides from a complete head how the body is framed and whether the answer is a good one.
fn begin(
    head: &httparse::Response<'_, '_>,
    expectations: &[Expectation],
) -> Result<(Stage, Option<Response>)> {
    let status = head.code.unwrap_or_default();
    if (100..200).contains(&status) {
        return Ok((Stage::Head, None));
    }
    let headers = &*head.headers;
    let verdict = match status {
        200 => expectations
            .iter()
            .try_for_each(|expectation| expectation.check(headers)),
        _ => Err(Error::Status { status }),
    };
    let stage = match (
        values(headers, "transfer-encoding").last(),
        content_length(headers)?,
    ) {
        _ if matches!(status, 204 | 304) => Stage::Complete,
        (Some(coding), _) if ends_in(coding, "chunked") => Stage::ChunkSize,
        (Some(_), _) | (None, None) => Stage::UntilClose,
        (None, Some(0)) => Stage::Complete,
        (None, Some(length)) => Stage::Counted(length),
    };
    let says = |option: &str| {
        values(headers, "connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
    };
    let kept = if head.version == Some(1) {
        !says("close")
    } else {
        says("keep-alive")
    };
    let reusable = kept && stage != Stage::UntilClose;
    Ok((
        stage,
        Some(Response {
            body_bytes: 0,
            reusable,
            verdict,
        }),
    ))
}

fn content_length(headers: &[httparse::Header<'_>]) -> Result<Option<u64>> {
    let mut lengths = values(headers, "content-length").map(|value| {
        std::str::from_utf8(value)
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| malformed("the content length is no number"))
    });
    let first = lengths.next().transpose()?;
    for other in lengths {
        if Some(other?) != first {
            return Err(malformed("there are two different content lengths"));
        }
    }
    Ok(first)
}

fn values<'a>(
    headers: &'a [httparse::Header<'a>],
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}

fn ends_in(codings: &[u8], coding: &str) -> bool {
    codings
        .rsplit(|byte| *byte == b',')
        .next()
        .is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(coding.as_bytes()))
}

fn malformed(reason: &'static str) -> Error {
    Error::Malformed { reason }
}

#[cfg(test)]
mod tests;
