//! Paths of `generateContent`: model and method in the last segment.

/// Gives path and query for a model. Streams are asked for as server-sent events.
pub(super) fn target(model: &str, stream: bool) -> String {
    let method = if stream {
        ":streamGenerateContent?alt=sse"
    } else {
        ":generateContent"
    };
    format!("/v1beta/{}{method}", resource(model))
}

/// Puts another model into path and query and keeps the rest byte for byte.
pub(super) fn rename(target: &str, model: &str) -> Option<String> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let lower = path.to_ascii_lowercase();
    // The method follows the last colon, which may come percent-encoded.
    let method_at = lower.rfind(':').max(lower.rfind("%3a"))?;
    let (resource_path, method) = path.split_at_checked(method_at)?;
    let root_at = ["/models/", "/tunedModels/"]
        .iter()
        .filter_map(|root| resource_path.rfind(root))
        .max()?;
    let root = resource_path.get(..root_at)?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{root}/{}{method}{query}", resource(model)))
}

/// A model name may come with its collection (`models/x`, `tunedModels/x`) or without.
fn resource(model: &str) -> String {
    let collection = if model.starts_with("models/") || model.starts_with("tunedModels/") {
        ""
    } else {
        "models/"
    };
    let mut path = String::from(collection);
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'@' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_model_and_method() {
        assert_eq!(
            target("gemini-x", false),
            "/v1beta/models/gemini-x:generateContent"
        );
        assert_eq!(
            target("models/gemini-x", true),
            "/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
        );
        assert_eq!(
            target("tunedModels/a", false),
            "/v1beta/tunedModels/a:generateContent"
        );
        assert_eq!(
            target("a b?c", false),
            "/v1beta/models/a%20b%3Fc:generateContent"
        );
    }

    #[test]
    fn renaming_keeps_version_method_and_query() {
        for (before, after) in [
            (
                "/v1/models/a:generateContent",
                Some("/v1/models/b:generateContent"),
            ),
            (
                "/v1beta/models/a%3AstreamGenerateContent?alt=sse&key=k:1",
                Some("/v1beta/models/b%3AstreamGenerateContent?alt=sse&key=k:1"),
            ),
            (
                "/v1beta/tunedModels/a:generateContent",
                Some("/v1beta/models/b:generateContent"),
            ),
            ("/v1beta/models/a", None),
            ("/v1/chat:generateContent", None),
        ] {
            assert_eq!(rename(before, "b").as_deref(), after, "{before}");
        }
    }
}
