//! Input files of the commands: plain text, JSON lines or TSV with a header, told apart by the first line.

use serde_json::{Map, Value, json};

/// Field that carries the 1-based line number of an input line.
pub const LINE_NUMBER: &str = "\u{0}line";
/// Field that carries why an input line could not be read.
pub const LINE_ERROR: &str = "\u{0}error";

/// Reads a whole input file: one object for each line but the header of a TSV.
///
/// `field` is the name that a line of plain text gets; `columns` are the names a TSV header must hold one of,
/// else the file is plain text.
pub fn read(text: &str, field: &str, columns: &[&str]) -> Vec<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = text.lines().any(|line| line.trim_start().starts_with('{'));
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let header: Option<Vec<&str>> = (!json)
        .then(|| first.split('\t').map(str::trim).collect::<Vec<_>>())
        .filter(|names| columns.iter().all(|column| names.contains(column)));
    let mut skip_header = header.is_some();
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if skip_header && !line.trim().is_empty() {
            skip_header = false;
            continue;
        }
        let mut object = match &header {
            _ if line.trim().is_empty() => error("line is empty"),
            Some(names) => tab_separated(names, line),
            None if json => json_object(line),
            None => Map::from_iter([(field.to_owned(), Value::from(line.trim()))]),
        };
        object.insert(LINE_NUMBER.to_owned(), json!(index + 1));
        lines.push(Value::Object(object));
    }
    lines
}

fn json_object(line: &str) -> Map<String, Value> {
    let error = match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(object)) => return object,
        Ok(_) => "line is not a JSON object".to_owned(),
        Err(error) => format!("line is not JSON: {error}"),
    };
    self::error(&error)
}

fn error(message: &str) -> Map<String, Value> {
    Map::from_iter([(LINE_ERROR.to_owned(), Value::from(message))])
}

fn tab_separated(names: &[&str], line: &str) -> Map<String, Value> {
    let values: Vec<&str> = line.split('\t').collect();
    if values.len() != names.len() {
        let error = format!(
            "line has {} tab-separated values, the header has {}",
            values.len(),
            names.len()
        );
        return Map::from_iter([(LINE_ERROR.to_owned(), Value::from(error))]);
    }
    names
        .iter()
        .zip(values)
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.trim())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: Vec<Value>) -> Vec<Value> {
        lines
            .into_iter()
            .map(|mut line| {
                if let Some(object) = line.as_object_mut()
                    && let Some(number) = object.remove(LINE_NUMBER)
                {
                    object.insert("n".to_owned(), number);
                }
                line
            })
            .collect()
    }

    #[test]
    fn text_json_and_tsv_are_told_apart() {
        assert_eq!(
            plain(read("learn Spanish\n\n  run 5 km \n", "goal", &["goal"])),
            [
                json!({"goal": "learn Spanish", "n": 1}),
                json!({LINE_ERROR: "line is empty", "n": 2}),
                json!({"goal": "run 5 km", "n": 3})
            ]
        );
        assert_eq!(
            plain(read("{\"goal\": \"x\", \"id\": 7}\n", "goal", &["goal"])),
            [json!({"goal": "x", "id": 7, "n": 1})]
        );
        assert_eq!(
            plain(read("a\tb\tlabel\nx\ty\t0\n", "goal", &["a", "b"])),
            [json!({"a": "x", "b": "y", "label": "0", "n": 2})]
        );
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_and_keeps_its_place() {
        let lines = read("{\"goal\": \"x\"}\n{oops\n[1]\n", "goal", &["goal"]);
        assert_eq!(lines.len(), 3);
        assert!(
            lines[1][LINE_ERROR]
                .as_str()
                .is_some_and(|error| error.starts_with("line is not JSON"))
        );
        assert_eq!(lines[2][LINE_ERROR], "line is not a JSON object");
        assert_eq!(lines[2][LINE_NUMBER], 3);
    }
}
