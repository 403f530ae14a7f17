use super::{index, library};
use crate::goal::quantities::{Currency, TimeUnit};
use crate::template::{Content, Plan, Shape, SlotValue, Slots};

/// The plan of a template at its typical values and the given ones.
fn plan(id: &str, changes: &[(&str, SlotValue)]) -> Plan {
    let library = library();
    let template = index(&library, id);
    let mut slots: Slots = library
        .templates()
        .nth(template)
        .map(|t| t.typical())
        .unwrap_or_default();
    slots.extend(
        changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    match library.plan(template, &slots) {
        Ok(plan) => plan,
        Err(error) => unreachable!("{id} renders: {error}"),
    }
}

fn weeks(count: f64) -> SlotValue {
    SlotValue::Duration {
        count,
        unit: TimeUnit::Week,
    }
}

#[test]
fn values_print_as_people_write_them() {
    for (value, text) in [
        (
            SlotValue::Duration {
                count: 1.0,
                unit: TimeUnit::Month,
            },
            "1 month",
        ),
        (
            SlotValue::Duration {
                count: 0.5,
                unit: TimeUnit::Year,
            },
            "6 months",
        ),
        (
            SlotValue::Duration {
                count: 2.5,
                unit: TimeUnit::Month,
            },
            "2.5 months",
        ),
        (
            SlotValue::Money {
                value: 12_500.0,
                currency: Currency::Dollar,
            },
            "$12,500",
        ),
        (
            SlotValue::Money {
                value: 7.5,
                currency: Currency::Euro,
            },
            "\u{20ac}7.50",
        ),
        (SlotValue::Count(12), "12"),
    ] {
        assert_eq!(value.to_string(), text);
    }
}

#[test]
fn a_duration_stretches_the_plan_and_an_amount_changes_its_numbers() {
    let (short, long) = (
        plan("speak", &[("duration", weeks(4.0))]),
        plan("speak", &[("duration", weeks(24.0))]),
    );
    assert_eq!((short.days, long.days), (28, 168));
    let first_task = |plan: &Plan| {
        plan.milestones
            .first()
            .and_then(|m| m.tasks.first())
            .map(|t| t.title.clone())
    };
    assert_eq!(first_task(&short).as_deref(), Some("Learn 33 words"));
    assert_eq!(first_task(&long).as_deref(), Some("Learn 200 words"));
    // The diary is for six weeks and more.
    let tasks = |plan: &Plan| plan.milestones.get(1).map_or(0, |m| m.tasks.len());
    assert_eq!((tasks(&short), tasks(&long)), (1, 2));
    let save = plan(
        "save",
        &[(
            "amount",
            SlotValue::Money {
                value: 3000.0,
                currency: Currency::Sterling,
            },
        )],
    );
    assert_eq!(save.title, "Save \u{a3}3,000 in 1 year");
    assert_eq!(save.summary, "\u{a3}250 a month, for 1 trip.");
    assert_eq!(
        save.milestones.first().map(|m| m.outcome.as_str()),
        Some("\u{a3}750 is in the account.")
    );
}

#[test]
fn days_follow_the_shares_of_the_duration() {
    let plan = plan("speak", &[("duration", weeks(10.0))]);
    let days: Vec<(u32, u32)> = plan
        .milestones
        .iter()
        .map(|m| (m.start_day, m.end_day))
        .collect();
    assert_eq!(days, [(1, 18), (18, 42), (43, 70)]);
    let record = plan
        .milestones
        .get(2)
        .and_then(|m| m.tasks.get(1))
        .map(|t| (t.start_day, t.end_day));
    assert_eq!(record, Some((64, 70)));
}

#[test]
fn facts_of_a_choice_reach_the_texts() {
    let plan = plan("race", &[]);
    assert_eq!(plan.summary, "Three runs a week up to 5 km.");
    assert_eq!(
        plan.milestones.get(1).map(|m| m.outcome.as_str()),
        Some("You run 4 km.")
    );
}

#[test]
fn the_json_shape_numbers_milestones_and_tasks() -> Result<(), Box<dyn std::error::Error>> {
    let text = Shape::json_tasks().render(&plan("speak", &[]))?;
    let json: serde_json::Value = serde_json::from_str(&text)?;
    let tasks = json
        .get("tasks")
        .and_then(|tasks| tasks.as_array())
        .cloned()
        .unwrap_or_default();
    assert_eq!(tasks.len(), 6);
    let last = tasks.last().cloned().unwrap_or_default();
    assert_eq!(last.get("id"), Some(&6.into()));
    assert_eq!(last.get("milestone"), Some(&3.into()));
    assert_eq!(last.get("repeat"), Some(&"once".into()));
    assert_eq!(json.get("days"), Some(&91.into()));
    Ok(())
}

#[test]
fn a_configured_shape_sees_the_whole_plan() -> Result<(), Box<dyn std::error::Error>> {
    let source = "{{ title }}: {% for m in milestones %}{{ m.start_day }}-{{ m.end_day }} {{ m.tasks | length }};{% endfor %}";
    let shape = Shape::configured("short", source, Content::Text)?;
    assert_eq!(
        shape.render(&plan("race", &[]))?,
        "Run a 5K in 14 weeks: 1-30 2;30-79 2;79-98 2;"
    );
    let json = Shape::configured("json", "{\"t\": {{ title | tojson }}}", Content::Json)?;
    assert_eq!(
        json.render(&plan("race", &[]))?,
        "{\"t\": \"Run a 5K in 14 weeks\"}"
    );
    assert_eq!(json.content(), Content::Json);
    Ok(())
}

#[test]
fn a_shape_that_cannot_be_trusted_fails_instead_of_answering()
-> Result<(), Box<dyn std::error::Error>> {
    let plan = plan("race", &[]);
    assert!(Shape::configured("broken", "{{ title", Content::Text).is_err());
    let fails = |source: &str, content: Content| -> Result<bool, Box<dyn std::error::Error>> {
        Ok(Shape::configured("s", source, content)?
            .render(&plan)
            .is_err())
    };
    assert!(fails("{{ titel }}", Content::Text)?);
    assert!(fails("{\"t\": {{ title }}}", Content::Json)?);
    assert!(fails(
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        Content::Text
    )?);
    assert!(fails(
        "{% for a in range(9999) %}{{ summary }} {{ summary }}{% endfor %}",
        Content::Text
    )?);
    Ok(())
}

proptest::proptest! {
    #[test]
    fn any_valid_values_render_with_ordered_days(count in 1u32..800, unit in 0usize..4, id in 0usize..3) {
        let unit = [TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Year][unit];
        let id = ["speak", "race", "save"][id];
        let plan = plan(id, &[("duration", SlotValue::Duration { count: f64::from(count), unit })]);
        let mut last = (1, 1);
        for milestone in &plan.milestones {
            proptest::prop_assert!(milestone.start_day >= last.0 && milestone.end_day >= last.1);
            proptest::prop_assert!(milestone.start_day <= milestone.end_day && milestone.end_day <= plan.days);
            for task in &milestone.tasks {
                proptest::prop_assert!(task.start_day <= task.end_day && task.end_day <= milestone.end_day);
            }
            last = (milestone.start_day, milestone.end_day);
        }
        proptest::prop_assert_eq!(last.1, plan.days);
    }
}
