//! The fixed words themselves.

/// Where in a request the goal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GoalPlace {
    /// In the last user text; the system text is fixed.
    User,
    /// In the system text; the user text is fixed.
    System,
}

/// The words around a goal: the text before and after it, and the other text of the request, which holds no goal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FixedWords {
    /// Where the goal stands.
    pub place: GoalPlace,
    /// The whole text of the other place: the system text of [`GoalPlace::User`], the user text of
    /// [`GoalPlace::System`].
    pub other: String,
    /// The text before the goal.
    pub before: String,
    /// The text after it.
    pub after: String,
}

impl FixedWords {
    /// Takes the goal out of a request's texts; `None` when they are not of these words or the goal is blank.
    ///
    /// `before`, the goal and `after` make up the text again.
    pub fn goal<'a>(&self, system: &'a str, user: &'a str) -> Option<&'a str> {
        let (varying, other) = self.place.split(system, user);
        if other != self.other {
            return None;
        }
        varying
            .strip_prefix(self.before.as_str())?
            .strip_suffix(self.after.as_str())
            .filter(|goal| !goal.trim().is_empty())
    }

    /// Wraps a goal as the application does; returns system text and user text.
    pub fn wrap(&self, goal: &str) -> (String, String) {
        let varying = format!("{}{goal}{}", self.before, self.after);
        match self.place {
            GoalPlace::User => (self.other.clone(), varying),
            GoalPlace::System => (varying, self.other.clone()),
        }
    }

    /// Whether every text of `narrower` words is also one of these.
    pub fn covers(&self, narrower: &Self) -> bool {
        self.place == narrower.place
            && self.other == narrower.other
            && narrower.before.starts_with(&self.before)
            && narrower.after.ends_with(&self.after)
    }

    /// The number of words before and after the goal, those of the other text not counted.
    pub fn num_words(&self) -> usize {
        self.before.split_whitespace().count() + self.after.split_whitespace().count()
    }

    /// Length in bytes of the words before and after the goal.
    pub(super) fn num_bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }

    /// 16 hexadecimal digits that differ as soon as a fixed word does.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.other, &self.before, &self.after] {
            hasher
                .update(&(part.len() as u64).to_le_bytes())
                .update(part.as_bytes());
        }
        if self.place == GoalPlace::System {
            hasher.update(b"goal in system");
        }
        let hex = hasher.finalize().to_hex();
        hex.get(..16).unwrap_or_default().to_owned()
    }
}

impl GoalPlace {
    /// The text that holds the goal, and the other one.
    pub(super) fn split<'a>(self, system: &'a str, user: &'a str) -> (&'a str, &'a str) {
        match self {
            Self::User => (user, system),
            Self::System => (system, user),
        }
    }

    /// The word of the admin API: `user` or `system`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::System => "system",
        }
    }
}
