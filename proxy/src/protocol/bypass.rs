//! Why a request gets no cache tier at all.

/// Closed set of reasons for a bypass, named as in metrics and in `x-tollfree-reason`.
///
/// A bypassed request is neither looked up nor admitted; it goes upstream as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BypassReason {
    /// A field is given twice, or in two spellings: the upstream may read the other one.
    AmbiguousField,
    /// A number has more digits than can be told apart.
    InexactNumber,
    /// Image, audio, file or another part that is not text, in any turn.
    NonTextPart,
    /// Tools, functions, grounding, or their calls and results in any turn.
    Tools,
    /// The answer must carry token probabilities.
    Logprobs,
    /// More than one answer is asked for.
    MultipleChoices,
    /// The request leans on state that the upstream keeps.
    ServerState,
    /// The caller salts the upstream's own cache.
    CacheSalt,
    /// Single tokens are made more or less likely.
    LogitBias,
    /// The caller predicts part of the answer.
    Prediction,
    /// The answer must not be text alone.
    NonTextOutput,
    /// The answer must follow a grammar, pattern or format that we cannot check.
    UnsupportedFormat,
    /// The answer must carry extras that are not stored (thoughts, token ids, the request itself).
    ReplyExtras,
    /// The last turn is not the user's, or has no text.
    NoGoal,
    /// The client said `Cache-Control: no-store`; set by the caller, never by a decoder.
    NoStore,
    /// The client asked for variety and the policy honours it; set by the caller, never by a decoder.
    Variety,
}

impl BypassReason {
    /// Gives the value of metric labels and headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AmbiguousField => "ambiguous_field",
            Self::InexactNumber => "inexact_number",
            Self::NonTextPart => "non_text_part",
            Self::Tools => "tools",
            Self::Logprobs => "logprobs",
            Self::MultipleChoices => "multiple_choices",
            Self::ServerState => "server_state",
            Self::CacheSalt => "cache_salt",
            Self::LogitBias => "logit_bias",
            Self::Prediction => "prediction",
            Self::NonTextOutput => "non_text_output",
            Self::UnsupportedFormat => "unsupported_format",
            Self::ReplyExtras => "reply_extras",
            Self::NoGoal => "no_goal",
            Self::NoStore => "no_store",
            Self::Variety => "variety",
        }
    }
}
