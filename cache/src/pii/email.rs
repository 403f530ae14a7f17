//! E-mail addresses.

use super::run;

/// RFC 5321: longest part before and after the sign.
const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 253;

/// Domains and top-level domains that RFC 2606 reserves for examples; nobody is reached there.
const EXAMPLES: [&str; 7] = [
    "example.com",
    "example.org",
    "example.net",
    "example",
    "test",
    "invalid",
    "localhost",
];

/// Whether the sign at a place stands in an address of somebody.
pub(super) fn is_address(bytes: &[u8], at: usize) -> bool {
    let before = bytes
        .get(at.saturating_sub(MAX_LOCAL)..at)
        .unwrap_or_default();
    let local = before
        .iter()
        .rev()
        .take_while(|byte| is_local(**byte))
        .count();
    let local = before
        .get(before.len().saturating_sub(local)..)
        .unwrap_or_default();
    // `git@` is how a repository is reached, by everybody.
    if !local.iter().any(u8::is_ascii_alphanumeric) || local.eq_ignore_ascii_case(b"git") {
        return false;
    }
    let from = at + 1;
    let length = run(bytes, from, MAX_DOMAIN, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
    });
    let domain = bytes.get(from..from + length).unwrap_or_default();
    let domain = domain
        .strip_suffix(b".")
        .unwrap_or(domain)
        .to_ascii_lowercase();
    let Ok(domain) = std::str::from_utf8(&domain) else {
        return false;
    };
    let Some((name, top)) = domain.rsplit_once('.') else {
        return false;
    };
    let top_is_sound = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_example = EXAMPLES.iter().any(|example| {
        domain
            .strip_suffix(example)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    !name.is_empty() && !name.starts_with(['.', '-']) && top_is_sound && !is_example
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}
