//! The known word that a mistyped one may mean.

/// Returns the known word nearest to `word`; `None` when none is near enough to be meant.
///
/// Near is at most a third of the letters changed, a swap of neighbours counting once.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let distance = |known: &str| strsim::osa_distance(&word, &known.replace('-', "_"));
    let (distance, best) = known
        .into_iter()
        .map(|known| (distance(known), known))
        .min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= best.chars().count()).then_some(best)
}

/// Returns the words in quotes, with commas between.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words
        .into_iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_recognised_and_another_word_is_not() {
        let known = ["listen", "admin_listen", "data_dir", "threads"];
        let check =
            |word, expected: Option<&str>| assert_eq!(nearest(word, known), expected, "{word}");
        check("listen", Some("listen"));
        check("lsiten", Some("listen"));
        check("Admin-Listen", Some("admin_listen"));
        check("datadir", Some("data_dir"));
        check("port", None);
        check("", None);
        assert_eq!(nearest("listen", []), None);
    }
}
