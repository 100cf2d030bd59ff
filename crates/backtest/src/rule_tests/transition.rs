//! What a rule did in a test, in the words of the rule file.

use std::collections::BTreeMap;
use std::fmt;

use bellwether_codec::pseudonym::{Pseudonymiser, token_text};
use bellwether_codec::rules::{Expectation, TEST_START, format_duration};
use bellwether_engine::outcome::OUTCOME_REASON;
use bellwether_engine::rule::{Mode, Severity};
use bellwether_engine::signal::{Output, Transition};

/// The users of a test by their tokens: signals know only those, and tests name users in plain text.
#[derive(Default)]
pub(super) struct Users(BTreeMap<String, String>);

impl Users {
    pub fn add(&mut self, user: &str) {
        self.0.insert(token_text(Pseudonymiser::default().token(user)), user.to_owned());
    }
}

/// A transition of the rule under test.
pub(super) struct Found {
    at_ms: i64,
    transition: Transition,
    severity: Severity,
    object: String,
    /// Why it was not sent.
    suppressed: Option<String>,
}

impl Found {
    /// The transition, if it is one of that rule.
    pub fn of(output: &Output, rule: &str, users: &Users) -> Option<Self> {
        let (signal, reason) = match output {
            Output::Signal(signal) => (signal, None),
            Output::Decision(signal, reason) => (signal, Some(reason.to_string())),
            Output::Kpis(_) => return None,
        };
        // An outcome is no step in the life of an episode.
        if reason.as_deref() == Some(OUTCOME_REASON) {
            return None;
        }
        let object = users.0.get(&*signal.object).map_or(&*signal.object, String::as_str);
        (signal.rule.name == rule).then(|| Found {
            at_ms: signal.time.since_ms(TEST_START),
            transition: signal.transition,
            severity: signal.severity,
            object: object.to_owned(),
            // A test shows what a rule does, which is the same in shadow mode.
            suppressed: reason.filter(|reason| signal.rule.mode == Mode::Live || reason != "shadow"),
        })
    }

    /// Whether it is what a test expects, as far as the test says.
    pub fn meets(&self, expected: &Expectation) -> bool {
        let suppressed = expected.suppressed.as_ref().filter(|reason| *reason != "shadow");
        self.at_ms == expected.at_ms
            && self.transition == expected.transition
            && expected.severity.is_none_or(|severity| severity == self.severity)
            && expected.object.as_ref().is_none_or(|object| *object == self.object)
            && suppressed == self.suppressed.as_ref()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = Some(self.object.as_str()).filter(|object| !object.is_empty());
        let suppressed = self.suppressed.as_deref();
        formatter.write_str(&words(self.at_ms, self.transition, Some(self.severity), object, suppressed))
    }
}

/// An expectation in the words in which transitions are told.
pub(super) fn expected_words(expected: &Expectation) -> String {
    let Expectation { at_ms, transition, severity, object, suppressed, .. } = expected;
    words(*at_ms, *transition, *severity, object.as_deref(), suppressed.as_deref())
}

fn words(at_ms: i64, transition: Transition, severity: Option<Severity>, object: Option<&str>, suppressed: Option<&str>) -> String {
    let mut text = format!("at {}: {}", format_duration(at_ms), transition.name());
    for (name, value) in [("", severity.map(Severity::name)), ("object ", object), ("suppressed by ", suppressed)] {
        if let Some(value) = value {
            text.push_str(&format!(", {name}{value}"));
        }
    }
    text
}
