use proptest::prelude::*;

use super::*;

fn parser(expectations: &[&str]) -> ResponseParser {
    let expectations: Result<Vec<_>, _> = expectations.iter().map(|text| text.parse()).collect();
    ResponseParser::new(expectations.unwrap_or_default().into())
}

/// Feeds `bytes` cut at the given places; returns what `read` said last.
fn read_cut(bytes: &[u8], cuts: &[usize]) -> Result<Option<Response>> {
    let mut parser = parser(&[]);
    let mut from = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        if let Some(response) = parser.read(bytes.get(from..cut).unwrap_or_default())? {
            assert_eq!(cut, bytes.len(), "the response ended before its last byte");
            return Ok(Some(response));
        }
        from = cut;
    }
    Ok(None)
}

#[track_caller]
fn check(bytes: &str, expected: &str) {
    let found = match read_cut(bytes.as_bytes(), &[]) {
        Ok(Some(Response {
            body_bytes,
            reusable,
            verdict,
        })) => {
            let verdict = verdict.map_or_else(|error| error.to_string(), |()| "good".to_owned());
            format!(
                "{body_bytes} {} {verdict}",
                if reusable { "kept" } else { "closing" }
            )
        }
        Ok(None) => "incomplete".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{bytes:?}");
}

#[test]
fn the_framing_decides_where_a_response_ends() {
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "3 kept good",
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "0 kept good",
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc",
        "incomplete",
    );
    check(
        "HTTP/1.1 204 No Content\r\n\r\n",
        "0 kept status 204 instead of 200",
    );
    check(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "3 kept good",
    );
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nt: v\r\n\r\n",
        "10 kept good",
    );
    check(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 9\r\n\r\n0\r\n\r\n",
        "0 kept good",
    );
    check("HTTP/1.1 200 OK\r\n\r\nabc", "incomplete");
}

#[test]
fn the_connection_is_reused_only_when_the_server_keeps_it() {
    check(
        "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 0\r\n\r\n",
        "0 closing good",
    );
    check(
        "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        "0 closing good",
    );
    check(
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
        "0 kept good",
    );
}

#[test]
fn interim_responses_are_skipped() {
    check(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
        "1 kept good",
    );
}

#[test]
fn malformed_responses_are_refused() {
    check(
        "HTTP/2 200\r\n\r\n",
        "malformed response: the head is no HTTP/1.1 response head",
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "malformed response: the content length is no number",
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        "malformed response: there are two different content lengths",
    );
    check(
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
        "malformed response: bytes follow the response",
    );
    let chunked =
        |body: &str| format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    check(
        &chunked("x\r\n"),
        "malformed response: a chunk size is no hexadecimal number",
    );
    check(
        &chunked("1\n"),
        "malformed response: a line does not end in CR LF",
    );
    check(
        &chunked("1\r\nab\r\n"),
        "malformed response: a chunk is longer than its size",
    );
}

#[test]
fn a_head_or_line_without_end_is_refused_and_not_collected() {
    let mut heads = parser(&[]);
    let line = format!("x: {}\r\n", "y".repeat(1000));
    let mut outcome = heads.read(b"HTTP/1.1 200 OK\r\n");
    for _ in 0..70 {
        if outcome.is_ok() {
            outcome = heads.read(line.as_bytes());
        }
    }
    assert!(
        matches!(
            outcome,
            Err(Error::Malformed {
                reason: "the head is too long"
            })
        ),
        "{outcome:?}"
    );

    let mut lines = parser(&[]);
    let outcome = lines
        .read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        .and_then(|_| lines.read("0".repeat(MAX_LINE_BYTES + 1).as_bytes()));
    assert!(
        matches!(outcome, Err(Error::Malformed { .. })),
        "{outcome:?}"
    );
}

#[test]
fn an_expected_header_must_be_there_and_equal() {
    let read = |header: &str| {
        let bytes = format!("HTTP/1.1 200 OK\r\n{header}content-length: 0\r\n\r\n");
        let response = parser(&["x-tollfree-cache=exact"]).read(bytes.as_bytes());
        response
            .ok()
            .flatten()
            .map(|response| response.verdict.map_err(|error| error.to_string()))
    };
    assert_eq!(read("X-Tollfree-Cache: exact\r\n"), Some(Ok(())));
    let expected = "instead of \"exact\"";
    assert_eq!(
        read("x-tollfree-cache: miss\r\n"),
        Some(Err(format!(
            "header x-tollfree-cache is Some(\"miss\") {expected}"
        )))
    );
    assert_eq!(
        read(""),
        Some(Err(format!("header x-tollfree-cache is None {expected}")))
    );
}

#[test]
fn the_end_of_the_connection_ends_only_a_body_without_length() {
    let closed = |bytes: &[u8]| {
        let mut parser = parser(&[]);
        parser
            .read(bytes)
            .and_then(|_| parser.close())
            .map(|response| response.body_bytes)
    };
    assert!(matches!(closed(b"HTTP/1.1 200 OK\r\n\r\nabc"), Ok(3)));
    assert!(matches!(closed(b""), Err(Error::Closed { begun: false })));
    assert!(matches!(
        closed(b"HTTP/1.1 2"),
        Err(Error::Closed { begun: true })
    ));
    assert!(matches!(
        closed(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabc"),
        Err(Error::Closed { begun: true })
    ));
}

#[test]
fn one_response_after_the_other_is_read() {
    let mut parser = parser(&[]);
    for length in [3, 0, 5] {
        let bytes = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}",
            "x".repeat(length)
        );
        let response = parser.read(bytes.as_bytes());
        assert!(
            matches!(response, Ok(Some(Response { body_bytes, .. })) if body_bytes == length as u64)
        );
        assert!(!parser.has_begun());
    }
}

/// A chunked response with its body cut into chunks, and the length of that body.
fn chunked_response() -> impl Strategy<Value = (Vec<u8>, u64)> {
    let chunk = (
        prop::collection::vec(any::<u8>(), 1..300),
        "(;[a-z]{1,5}=[a-z]{1,5})?",
    );
    (
        prop::collection::vec(chunk, 0..8),
        prop::collection::vec("[a-z]{1,8}: [a-z]{0,8}", 0..3),
    )
        .prop_map(|(chunks, trailers)| {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            let mut length = 0;
            for (data, extension) in chunks {
                bytes.extend_from_slice(format!("{:x}{extension}\r\n", data.len()).as_bytes());
                bytes.extend_from_slice(&data);
                bytes.extend_from_slice(b"\r\n");
                length += data.len() as u64;
            }
            bytes.extend_from_slice(b"0\r\n");
            for trailer in trailers {
                bytes.extend_from_slice(format!("{trailer}\r\n").as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
            (bytes, length)
        })
}

fn counted_response() -> impl Strategy<Value = (Vec<u8>, u64)> {
    prop::collection::vec(any::<u8>(), 0..2000).prop_map(|body| {
        let mut bytes =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(&body);
        (bytes, body.len() as u64)
    })
}

proptest! {
    #[test]
    fn a_response_reads_the_same_however_it_is_cut(
        (bytes, length) in prop_oneof![chunked_response(), counted_response()],
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let response = read_cut(&bytes, &cuts);
        prop_assert!(
            matches!(&response, Ok(Some(Response { body_bytes, reusable: true, verdict: Ok(()) })) if *body_bytes == length),
            "{:?}", response
        );
    }

    #[test]
    fn a_response_is_complete_at_its_last_byte_and_not_before(
        (bytes, length) in prop_oneof![chunked_response(), counted_response()],
    ) {
        let mut parser = parser(&[]);
        for (at, byte) in bytes.iter().enumerate() {
            let response = parser.read(std::slice::from_ref(byte));
            let complete = matches!(&response, Ok(Some(Response { body_bytes, .. })) if *body_bytes == length);
            prop_assert!(response.is_ok() && complete == (at + 1 == bytes.len()), "byte {}: {:?}", at, response);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parser(&[]).read(&bytes);
        let mut chunked = parser(&[]);
        let begun = chunked.read(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        prop_assert!(matches!(begun, Ok(None)));
        let _ = chunked.read(&bytes);
    }
}
