//! One spelling for field names: proto-JSON takes `camelCase` and `snake_case`, also mixed in one body.

use serde_json::{Map, Value};

use crate::protocol::json;

/// Members whose own members are data, not fields: their names are the caller's and stay as they are.
const FREE_FORM: &[&str] = &[
    "args",
    "labels",
    "parameters",
    "parameters_json_schema",
    "response",
    "response_json_schema",
    "response_schema",
];

/// Rewrites all field names to `snake_case`, drops members that say nothing (proto-JSON knows no difference between
/// empty and absent), and tells whether some field was given in both spellings.
pub(super) fn unify(value: Value) -> (Value, bool) {
    let mut both = false;
    (unify_value(value, true, &mut both), both)
}

fn unify_value(value: Value, drop_empty: bool, both: &mut bool) -> Value {
    match value {
        Value::Object(members) => {
            let mut unified = Map::new();
            for (name, member) in members {
                let name = snake(name);
                // A tool is switched on by an empty object: `{"googleSearch": {}}`.
                let drop_empty = drop_empty && name != "tools";
                let free = FREE_FORM.contains(&name.as_str());
                let member = if free {
                    member
                } else {
                    unify_value(member, drop_empty, both)
                };
                if (drop_empty && json::is_empty(&member)) || member.is_null() {
                    continue;
                }
                *both |= unified.insert(name, member).is_some();
            }
            Value::Object(unified)
        }
        Value::Array(items) => items
            .into_iter()
            .map(|item| unify_value(item, drop_empty, both))
            .collect(),
        scalar => scalar,
    }
}

fn snake(name: String) -> String {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return name;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_become_one() {
        let mixed =
            json!({"generationConfig": {"thinkingConfig": {"thinking_budget": 1}, "topK": 5}});
        let snake =
            json!({"generation_config": {"thinking_config": {"thinking_budget": 1}, "top_k": 5}});
        assert_eq!(unify(mixed), (snake.clone(), false));
        assert_eq!(unify(snake.clone()), (snake, false));
    }

    #[test]
    fn a_field_in_both_spellings_is_noticed_even_when_one_is_nested() {
        assert!(unify(json!({"a": {"topK": 1, "top_k": 2}})).1);
        assert!(!unify(json!({"topK": 1, "top_k": null})).1);
    }

    #[test]
    fn names_that_are_data_stay() {
        let value = json!({"function_call": {"args": {"dueDate": {}, "due_date": null}}});
        assert_eq!(unify(value.clone()), (value, false));
    }

    #[test]
    fn members_that_say_nothing_are_dropped() {
        let value = json!({"safetySettings": [], "generationConfig": {"topP": null}, "contents": [{"parts": [{}]}]});
        let (unified, _) = unify(value);
        // Elements of a list stay, so that their positions do.
        assert_eq!(unified.get("safety_settings"), None);
        assert_eq!(unified.get("generation_config"), None);
        assert_eq!(unified.pointer("/contents/0/parts/0"), Some(&json!({})));
        let tools = json!({"tools": [{"google_search": {}}]});
        assert_eq!(unify(tools.clone()).0, tools);
    }
}
