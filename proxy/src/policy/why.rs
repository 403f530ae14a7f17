//! The policy's choice in words.

use super::Plan;

impl Plan {
    /// Why the first choice is the first, or why there is none; `configured` is the number of all upstreams.
    pub fn why(&self, configured: usize) -> String {
        match (self.choices.first(), self.choices.len(), configured) {
            (Some(_), 1, 1) => "the only upstream".to_owned(),
            (Some(_), 1, _) => "the only eligible upstream".to_owned(),
            (Some(choice), _, _) => format!("next by weight ({})", choice.upstream.weight),
            (None, _, 0) => "no upstream is configured".to_owned(),
            (None, _, _) => "no upstream is eligible".to_owned(),
        }
    }
}
