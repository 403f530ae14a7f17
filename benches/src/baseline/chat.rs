//! The chat completion that baselines read and answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A plan of the length that an application gets for a goal; with it an answer has about 1.5 KB,
/// as in the measurements that the goals were taken from.
const PLAN: &str = "\
1. Foundations (weeks 1 to 3). Decide on two fixed times a day, 25 minutes each, and write them into your calendar. \
Collect one book, one audio course and one place to practise; no more than that. At the end of week 3 you have done \
36 sessions and can explain the basics to a friend without notes.
2. Daily practice (weeks 4 to 7). Keep the two sessions and add one longer session on Saturday. Note after every \
session what was hard, and begin the next one with it. Once a week, test yourself on everything so far and keep the \
results in one table; below 80 % you repeat the week.
3. In the open (weeks 8 to 10). Use what you have learned with other people at least three times a week. Ask them \
for one correction each time. Record yourself twice and compare it with the recording of week 4.
4. Review (weeks 11 and 12). Go through your notes, close the three largest gaps and do one complete run under real \
conditions. Write down what you can do now, compare it with what you wrote \
before the first session, show it to someone who has come further, and choose the next goal.
If you miss a day, do one session of ten minutes on the next and go on with the plan; if you miss a week, repeat the \
week before it.";

/// The part of a chat completion request that a handler must know at least, borrowed from its bytes.
#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) messages: Vec<Message<'a>>,
}

/// One message of a request whose content is text.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) role: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) content: Cow<'a, str>,
}

impl ChatRequest<'_> {
    /// Returns the text of the last message of the user; empty when there is none.
    pub(super) fn goal(&self) -> &str {
        let last = self.messages.iter().rfind(|message| message.role == "user");
        last.map_or("", |message| &message.content)
    }
}

/// Writes a complete, successful answer: the fixed plan, after a line that repeats the goal if one is given.
pub(super) fn completion(model: &str, goal: Option<&str>) -> Result<Vec<u8>, serde_json::Error> {
    let content = match goal {
        Some(goal) => Cow::Owned(format!("A plan for: {goal}\n{PLAN}")),
        None => Cow::Borrowed(PLAN),
    };
    serde_json::to_vec(&Completion {
        id: "chatcmpl-baseline",
        object: "chat.completion",
        created: 1_767_225_600,
        model,
        choices: [Choice {
            index: 0,
            message: Reply {
                role: "assistant",
                content,
            },
            finish_reason: "stop",
        }],
        usage: Usage {
            prompt_tokens: 24,
            completion_tokens: 283,
            total_tokens: 307,
        },
    })
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'a str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Reply<'a>,
    finish_reason: &'a str,
}

#[derive(Serialize)]
struct Reply<'a> {
    role: &'a str,
    content: Cow<'a, str>,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_is_the_last_user_message_and_plain_text_is_borrowed() -> serde_json::Result<()> {
        let body = br#"{"model":"m","temperature":1,"messages":[{"role":"user","content":"a"},
            {"role":"assistant","content":"b"},{"role":"user","name":"n","content":"learn \"go\""}]}"#;
        let request: ChatRequest<'_> = serde_json::from_slice(body)?;
        assert_eq!((request.goal(), &*request.model), ("learn \"go\"", "m"));
        assert!(matches!(
            request.messages.first(),
            Some(Message {
                content: Cow::Borrowed("a"),
                ..
            })
        ));
        Ok(())
    }

    #[test]
    fn an_answer_has_about_1488_bytes() -> serde_json::Result<()> {
        let length = completion("gpt-4o-mini", None)?.len();
        assert!((1450..1530).contains(&length), "{length}");
        Ok(())
    }

    #[test]
    fn an_echo_holds_the_goal() -> serde_json::Result<()> {
        let answer: serde_json::Value =
            serde_json::from_slice(&completion("m", Some("swim \"1 km\""))?)?;
        let text = answer
            .pointer("/choices/0/message/content")
            .and_then(|text| text.as_str());
        assert!(
            text.is_some_and(|text| text.starts_with("A plan for: swim \"1 km\"\n")),
            "{answer}"
        );
        Ok(())
    }
}
