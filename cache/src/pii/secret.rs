//! Keys, tokens and private keys, by the prefixes their issuers gave them for just this purpose.

use super::run;

/// Longest token looked at; what follows does not matter.
const MAX_TOKEN: usize = 128;

/// Fewest letters and digits in one piece that no words joined by dashes have.
const MIN_PIECE: usize = 16;

/// Longest header of a web token looked at, and how a JSON object begins in base64.
const MAX_HEADER: usize = 256;
const OBJECT: &[u8] = b"eyJ";

/// A prefix and how many characters of a token must follow it at least.
const PREFIXES: [(&[u8], usize); 20] = [
    (b"sk-", 20),
    (b"sk_live_", 16),
    (b"sk_test_", 16),
    (b"rk_live_", 16),
    (b"pk_live_", 16),
    (b"AIza", 35),
    (b"ya29.", 20),
    (b"ghp_", 36),
    (b"gho_", 36),
    (b"ghu_", 36),
    (b"ghs_", 36),
    (b"ghr_", 36),
    (b"github_pat_", 22),
    (b"glpat-", 20),
    (b"AKIA", 16),
    (b"ASIA", 16),
    (b"hf_", 30),
    (b"r8_", 30),
    (b"xoxb-", 20),
    (b"xoxp-", 20),
];

/// Whether a secret begins at a place where a word begins.
pub(super) fn begins(bytes: &[u8], at: usize) -> bool {
    let Some(rest) = bytes.get(at..) else {
        return false;
    };
    match rest.first() {
        Some(b'-') => is_private_key(rest),
        Some(b'e') => is_web_token(rest),
        Some(b'B' | b'b') => is_bearer(rest),
        _ => PREFIXES.iter().any(|(prefix, length)| {
            rest.strip_prefix(*prefix)
                .is_some_and(|token| is_random(token, *length))
        }),
    }
}

/// Whether characters of a token follow, with a digit among them and a piece too long for words.
fn is_random(token: &[u8], min_length: usize) -> bool {
    let length = run(token, 0, MAX_TOKEN, is_token);
    let token = token.get(..length).unwrap_or_default();
    let longest = token
        .split(|byte| !byte.is_ascii_alphanumeric())
        .map(<[u8]>::len)
        .max();
    length >= min_length
        && token.iter().any(u8::is_ascii_digit)
        && longest.is_some_and(|longest| longest >= MIN_PIECE.min(min_length))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// `Bearer` and a token, as in a header.
fn is_bearer(rest: &[u8]) -> bool {
    let Some((word, token)) = rest.split_at_checked(7) else {
        return false;
    };
    word.eq_ignore_ascii_case(b"bearer ") && is_random(token, 20)
}

/// A JSON object in base64, a point, and another one: header and claims of a web token (RFC 7519).
fn is_web_token(rest: &[u8]) -> bool {
    if !rest.starts_with(OBJECT) {
        return false;
    }
    let header = run(rest, 0, MAX_HEADER, is_token);
    let claims = rest.get(header..).unwrap_or_default();
    header >= MIN_PIECE
        && claims
            .strip_prefix(b".")
            .is_some_and(|claims| claims.starts_with(OBJECT))
}

fn is_private_key(rest: &[u8]) -> bool {
    let line = rest.get(..rest.len().min(64)).unwrap_or_default();
    line.strip_prefix(b"-----BEGIN ").is_some_and(|label| {
        label
            .windows(b"PRIVATE KEY".len())
            .any(|words| words == b"PRIVATE KEY")
    })
}
