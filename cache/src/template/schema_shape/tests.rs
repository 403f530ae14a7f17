#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail by panic"
)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::template::plan::{Milestone, Task};
use crate::template::repeat::Repeat;

fn task(title: &str, minutes: u32, start_day: u32, end_day: u32) -> Task {
    Task {
        title: title.to_owned(),
        detail: format!("How to do: {title}"),
        minutes,
        repeat: Repeat::Daily,
        start_day,
        end_day,
    }
}

fn plan() -> Plan {
    Plan {
        title: "Spanish in 4 weeks".to_owned(),
        summary: "Speak a little every day.".to_owned(),
        duration: "4 weeks".to_owned(),
        days: 28,
        milestones: vec![
            Milestone {
                title: "First words".to_owned(),
                outcome: "You greet people.".to_owned(),
                start_day: 1,
                end_day: 10,
                tasks: vec![
                    task("Learn 100 words", 20, 1, 10),
                    task("Listen", 30, 5, 10),
                ],
            },
            Milestone {
                title: "Talking".to_owned(),
                outcome: "You hold a talk of five minutes.".to_owned(),
                start_day: 11,
                end_day: 28,
                tasks: vec![task("Talk with a partner", 60, 11, 28)],
            },
        ],
    }
}

fn render(schema: &Value) -> Result<Value, SchemaError> {
    SchemaShape::compile(schema)?.render(&plan())
}

fn object(properties: &Value) -> Value {
    let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

#[test]
fn milestones_with_tasks_find_their_places_whatever_they_are_called() {
    let text = json!({"type": "string"});
    let whole = json!({"type": "integer"});
    let action = object(
        &json!({"name": text, "description": text, "estimated_minutes": whole, "frequency": text}),
    );
    let phase = object(&json!({
        "phaseNumber": whole, "title": text, "goal": text, "start_day": whole, "endDay": whole, "actions": list(&action)
    }));
    let schema = object(
        &json!({"goalTitle": text, "overview": text, "total_days": whole, "phases": list(&phase)}),
    );
    let value = render(&schema).unwrap();
    assert_eq!(value["goalTitle"], "Spanish in 4 weeks");
    assert_eq!(value["total_days"], 28);
    let talking = &value["phases"][1];
    assert_eq!(talking["phaseNumber"], 2);
    assert_eq!(
        (&talking["start_day"], &talking["endDay"]),
        (&json!(11), &json!(28))
    );
    assert_eq!(talking["goal"], "You hold a talk of five minutes.");
    assert_eq!(talking["actions"][0]["estimated_minutes"], 60);
    assert_eq!(talking["actions"][0]["frequency"], "daily");
}

#[test]
fn steps_are_milestones_where_they_hold_tasks_and_tasks_where_they_do_not() {
    let text = json!({"type": "string"});
    let flat = object(
        &json!({"title": text, "steps": list(&object(&json!({"order": {"type": "integer"}, "title": text})))}),
    );
    let value = render(&flat).unwrap();
    let titles: Vec<_> = value["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["title"].clone())
        .collect();
    assert_eq!(titles, ["Learn 100 words", "Listen", "Talk with a partner"]);
    assert_eq!(value["steps"][2]["order"], 3);
    let deep =
        object(&json!({"steps": list(&object(&json!({"title": text, "tasks": list(&text)})))}));
    let value = render(&deep).unwrap();
    assert_eq!(value["steps"][0]["title"], "First words");
    assert_eq!(value["steps"].as_array().unwrap().len(), 2);
    assert!(
        value["steps"][0]["tasks"][1]
            .as_str()
            .unwrap()
            .starts_with("Listen (30 min, daily).")
    );
}

#[test]
fn a_plan_is_cut_into_weeks() {
    let text = json!({"type": "string"});
    let week = object(&json!({"week": {"type": "integer"}, "focus": text, "tasks": list(&text)}));
    for name in ["weeks", "weekly_plan", "weeklySchedule"] {
        let value = render(&object(&json!({name: list(&week)}))).unwrap();
        let weeks = value[name].as_array().unwrap();
        assert_eq!(weeks.len(), 4);
        assert_eq!(
            (&weeks[1]["week"], &weeks[1]["focus"]),
            (&json!(2), &json!("Talking"))
        );
        assert_eq!(weeks[0]["tasks"].as_array().unwrap().len(), 2);
    }
    let number = object(&json!({"weeks": {"type": "integer"}, "tasks": list(&text)}));
    assert_eq!(render(&number).unwrap()["weeks"], 4);
}

#[test]
fn references_wrappers_nullables_and_constants_are_followed() {
    let schema = json!({
        "$defs": {
            "Task": {"type": "object", "title": "Task", "required": ["title", "status", "done", "notes"], "properties": {
                "title": {"type": "string", "title": "Title"},
                "status": {"enum": ["in_progress", "not_started", "done"]},
                "done": {"type": "boolean"},
                "notes": {"anyOf": [{"type": "string", "maxLength": 400}, {"type": "null"}]},
                "assignee": {"type": ["string", "null"]}
            }},
            "Plan": {"allOf": [
                {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "plan"}}},
                {"required": ["tasks"], "properties": {"tasks": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Task"}}}}
            ]}
        },
        "type": "object", "required": ["plan"], "properties": {"plan": {"$ref": "#/$defs/Plan"}}
    });
    let value = render(&schema).unwrap();
    assert_eq!(value["plan"]["kind"], "plan");
    let task = &value["plan"]["tasks"][0];
    assert_eq!(
        (&task["status"], &task["done"]),
        (&json!("not_started"), &json!(false))
    );
    assert_eq!(task["notes"], "How to do: Learn 100 words");
}

#[test]
fn descriptions_tell_what_names_do_not() {
    let schema = object(&json!({
        "t": {"type": "string", "description": "Title of the plan"},
        "s": {"type": "array", "description": "The tasks", "items": {"type": "string"}}
    }));
    let value = render(&schema).unwrap();
    assert_eq!(value["t"], "Spanish in 4 weeks");
    assert_eq!(value["s"].as_array().unwrap().len(), 3);
}

#[test]
fn a_text_for_the_whole_answer_gets_the_whole_plan() {
    let value = render(&object(&json!({"answer": {"type": "string"}}))).unwrap();
    let text = value["answer"].as_str().unwrap();
    for part in [
        "# Spanish in 4 weeks",
        "Learn 100 words",
        "Talk with a partner",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_a_plan_does_not_hold_is_not_made_up() {
    let text = json!({"type": "string"});
    let tasks = list(&text);
    let cases = [
        (
            object(&json!({"tasks": tasks, "difficulty": text})),
            "/difficulty",
        ),
        (
            object(&json!({"tasks": list(&object(&json!({"title": text, "priority": text})))})),
            "/tasks/0/priority",
        ),
        (
            object(&json!({"tasks": tasks, "price": {"type": "number"}})),
            "/price",
        ),
        (
            object(&json!({"tasks": tasks, "due": {"type": "string"}})),
            "/due",
        ),
        (
            object(
                &json!({"tasks": tasks, "name": {"type": "string", "description": "Name of the user"}}),
            ),
            "/name",
        ),
        (
            object(
                &json!({"tasks": list(&object(&json!({"title": text, "frequency": {"enum": ["hourly", "yearly"]}})))}),
            ),
            "/tasks/0/frequency",
        ),
    ];
    for (schema, path) in cases {
        assert_eq!(
            render(&schema),
            Err(SchemaError::Unfillable {
                path: path.to_owned()
            }),
            "{schema}"
        );
    }
    let nullable = object(&json!({"tasks": tasks, "difficulty": {"type": ["string", "null"]}}));
    assert_eq!(render(&nullable).unwrap()["difficulty"], Value::Null);
    let optional = json!({"type": "object", "properties": {"tasks": tasks, "difficulty": text}, "required": ["tasks"]});
    assert!(render(&optional).unwrap().get("difficulty").is_none());
}

#[test]
fn a_schema_without_a_place_for_steps_is_no_plan() {
    let text = json!({"type": "string"});
    assert_eq!(
        render(&object(&json!({"title": text, "summary": text}))),
        Err(SchemaError::NoSteps)
    );
    assert!(render(&json!({"type": "object"})).is_err());
    assert!(render(&json!({})).is_err());
    assert!(render(&json!(true)).is_err());
}

#[test]
fn what_does_not_satisfy_the_schema_is_refused() {
    let tasks = |items: Value, more: Value| {
        let mut list = json!({"type": "array", "items": items});
        list.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"type": "object", "properties": {"tasks": list}, "required": ["tasks"]})
    };
    let text = json!({"type": "string"});
    for schema in [
        tasks(text.clone(), json!({"minItems": 9})),
        tasks(text.clone(), json!({"maxItems": 2})),
        tasks(json!({"type": "string", "maxLength": 5}), json!({})),
        tasks(json!({"type": "string", "pattern": "^[0-9]+$"}), json!({})),
        tasks(json!({"type": "string", "format": "uuid"}), json!({})),
        tasks(
            object(&json!({"title": text, "minutes": {"type": "integer", "maximum": 20}})),
            json!({}),
        ),
    ] {
        assert!(
            matches!(render(&schema), Err(SchemaError::Unsatisfied { .. })),
            "{schema}"
        );
    }
}

#[test]
fn hostile_schemas_are_turned_away_before_they_are_compiled() {
    let doubling: serde_json::Map<_, _> = (0..40)
        .map(|n| {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            (
                format!("d{n}"),
                json!({"properties": {"a": next, "b": next}}),
            )
        })
        .chain([("d40".to_owned(), json!({"type": "string"}))])
        .collect();
    let deep = (0..200).fold(json!({"type": "string"}), |inner, _| list(&inner));
    let wide: serde_json::Map<_, _> = (0..3_000)
        .map(|n| (format!("p{n}"), json!({"type": "string"})))
        .collect();
    let forking = json!({
        "anyOf": [{"properties": {"tasks": {"items": {"$ref": "#"}}}}, {"properties": {"steps": {"items": {"$ref": "#"}}}}]
    });
    for schema in [
        json!({"$defs": doubling, "$ref": "#/$defs/d0"}),
        deep,
        json!({"type": "object", "properties": wide}),
        forking,
        json!({"$ref": "#"}),
        json!({"anyOf": [{"$ref": "#"}]}),
        json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        json!({"$ref": "https://example.com/schema.json"}),
        json!({"$ref": "file:///etc/passwd"}),
        json!({"$ref": "#/nowhere"}),
        json!({"$id": "https://example.com/", "type": "object"}),
        json!({"properties": {"tasks": {"items": {"type": "string", "pattern": "a".repeat(10_000)}}}}),
        json!({"not": {"type": "object"}}),
        json!({"if": true, "then": false}),
        json!({"type": 7}),
        json!({"$schema": "https://example.com/my-own-draft", "type": "object"}),
        json!(7),
    ] {
        let started = std::time::Instant::now();
        assert!(SchemaShape::compile(&schema).is_err(), "{schema}");
        assert!(
            started.elapsed().as_millis() < 200,
            "slow to refuse: {schema}"
        );
    }
}

#[test]
fn a_property_may_be_named_like_a_keyword() {
    let schema = object(&json!({"tasks": list(&json!({"type": "string"}))}));
    let mut named = schema;
    named["properties"]["not"] = json!({"type": "string"});
    named["properties"]["$ref"] = json!({"type": "string"});
    assert!(render(&named).is_ok());
}

#[test]
fn a_schema_that_holds_itself_is_written_as_deep_as_the_plan() {
    let schema = json!({
        "type": "object", "required": ["title", "steps"],
        "properties": {"title": {"type": "string"}, "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}}},
        "$defs": {"step": {"type": "object", "required": ["title"], "properties": {
            "title": {"type": "string"}, "substeps": {"type": "array", "items": {"$ref": "#/$defs/step"}}
        }}}
    });
    let value = render(&schema).unwrap();
    assert_eq!(value["steps"][0]["substeps"][0]["title"], "Learn 100 words");
}

fn schemas() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "title",
        "name",
        "tasks",
        "steps",
        "milestones",
        "weeks",
        "day",
        "order",
        "minutes",
        "description",
        "plan",
        "x",
        "status",
        "done",
        "frequency",
        "answer",
    ]);
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "integer", "minimum": 1})),
        Just(json!({"type": "boolean"})),
        Just(json!({"enum": ["todo", "daily", "done"]})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!(true)),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 1..5);
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.prop_map(|schema| json!({"anyOf": [schema, {"type": "null"}]})),
            (members, any::<bool>()).prop_map(|(members, all)| {
                let required: Vec<_> = members.keys().filter(|_| all).copied().collect();
                json!({"type": "object", "properties": members, "required": required, "additionalProperties": false})
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_rendered_satisfies_the_schema(schema in schemas()) {
        if let Ok(value) = render(&schema) {
            prop_assert!(jsonschema::is_valid(&schema, &value), "{schema} {value}");
        }
    }
}
