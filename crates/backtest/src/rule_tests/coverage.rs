//! Which rules lack a test that shows them raise, one that shows them clear, a near miss, or one with events late or twice.

use std::fmt;

use bellwether_codec::rules::{RuleFile, RuleTest};
use bellwether_engine::signal::Transition;

/// What the tests of a rule do not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A signal raised.
    Raise,
    /// An episode cleared or resolved.
    Clear,
    /// No transition at all.
    NearMiss,
    /// An event that arrives late or twice.
    LateOrTwice,
}

/// A gap in the tests of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule.
    pub rule: String,
    /// Its line in the rule file.
    pub line: usize,
    /// What is missing.
    pub missing: Missing,
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = match self.missing {
            Missing::Raise => "no test in which it raises",
            Missing::Clear => "no test in which it clears or is resolved",
            Missing::NearMiss => "no near miss (a test with `expect: []`)",
            Missing::LateOrTwice => "no test in which an event arrives late or twice",
        };
        write!(formatter, "{} (line {}): {missing}", self.rule, self.line)
    }
}

/// Every gap in the tests of a file, in the order of its rules.
#[must_use]
pub fn coverage(file: &RuleFile) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (rule, line) in file.rules.iter().zip(&file.rule_lines) {
        let shown = |missing: Missing| {
            let mut tests = file.tests.iter().filter(|test| test.rule == rule.name);
            tests.any(|test| shows(test, missing))
        };
        let missing =
            [Missing::Raise, Missing::Clear, Missing::NearMiss, Missing::LateOrTwice].into_iter().filter(|missing| !shown(*missing));
        gaps.extend(missing.map(|missing| Gap { rule: rule.name.clone(), line: *line, missing }));
    }
    gaps
}

fn shows(test: &RuleTest, missing: Missing) -> bool {
    let mut expect = test.expect.iter();
    match missing {
        Missing::Raise => expect.any(|one| one.transition == Transition::Raised && is_shown(one.suppressed.as_deref())),
        Missing::Clear => expect.any(|one| matches!(one.transition, Transition::Cleared | Transition::Resolved)),
        Missing::NearMiss => test.expect.is_empty(),
        Missing::LateOrTwice => test.events.iter().any(|event| event.twice || event.late_ms > 0),
    }
}

/// Whether a transition is one that the rule shows by itself: sent, or withheld only because the rule is in shadow mode.
fn is_shown(suppressed: Option<&str>) -> bool {
    suppressed.is_none_or(|reason| reason == "shadow")
}
