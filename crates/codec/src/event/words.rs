//! The words of the contract for each choice: decoding and encoding read the same tables.

use bellwether_engine::event::{EndReason, NoteKind, Priority, SurveyKind};

pub(super) const PRIORITIES: [(&str, Priority); 4] =
    [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High), ("urgent", Priority::Urgent)];

pub(super) const END_REASONS: [(&str, EndReason); 3] =
    [("voluntary", EndReason::Voluntary), ("involuntary", EndReason::Involuntary), ("other", EndReason::Other)];

pub(super) const SURVEY_KINDS: [(&str, SurveyKind); 4] =
    [("nps", SurveyKind::Nps), ("csat", SurveyKind::Csat), ("ces", SurveyKind::Ces), ("goal", SurveyKind::Goal)];

pub(super) const NOTE_KINDS: [(&str, NoteKind); 4] = [
    ("feature_request", NoteKind::FeatureRequest),
    ("observation", NoteKind::Observation),
    ("risk", NoteKind::Risk),
    ("praise", NoteKind::Praise),
];

/// Survey directions: whether high is good.
pub(super) const DIRECTIONS: [(&str, bool); 2] = [("up", true), ("down", false)];

/// Cost kinds: whether it is the cost of acquisition.
pub(super) const COST_KINDS: [(&str, bool); 2] = [("acquisition", true), ("retention", false)];

/// The incident severities that count as serious, in any case; every other one, and none, does not. The first is the normalised one.
pub(super) const SERIOUS_SEVERITIES: [&str; 10] = ["critical", "major", "high", "sev1", "sev2", "s1", "s2", "p1", "p2", "blocker"];

/// Severities given as a bare level: 1 and 2 are serious.
pub(super) const SERIOUS_LEVELS: [&str; 2] = ["1", "2"];

/// The word of a value.
pub(super) fn word_of<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| *word)
}
