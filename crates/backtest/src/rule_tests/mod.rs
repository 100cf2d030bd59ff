//! Unit tests of rules: each test of a rule file is played to the engine, and what its rule did is compared with what it should do.

mod coverage;
mod diff;
mod transition;

use std::fmt;
use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::rules::{RuleFile, RuleTest, TEST_START};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

pub use coverage::{Gap, Missing, coverage};
use transition::{Found, Users};

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// The test.
    pub name: String,
    /// Its rule.
    pub rule: String,
    /// Its line in the rule file.
    pub line: usize,
    /// Whether the rule did what it should.
    pub outcome: Outcome,
}

/// Whether a rule did what its test expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did.
    Ok,
    /// It did something else.
    Mismatch {
        /// The transitions that should be, a line each.
        expected: Vec<String>,
        /// Those that were.
        found: Vec<String>,
        /// Both together: `-` should be and was not, `+` was and should not be.
        diff: String,
    },
    /// The test could not be played to its end: an event was refused, or folding panicked.
    Broken {
        /// What happened.
        detail: String,
    },
}

impl TestResult {
    /// Whether the test passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Ok
    }
}

impl fmt::Display for TestResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rule, line, outcome } = self;
        let status = if self.passed() { "ok" } else { "FAILED" };
        write!(formatter, "{status:<6} {rule}: {name} (line {line})")?;
        match outcome {
            Outcome::Ok => Ok(()),
            Outcome::Mismatch { diff, .. } => write!(formatter, "\n{diff}"),
            Outcome::Broken { detail } => write!(formatter, "\n    {detail}"),
        }
    }
}

/// Runs every test of a rule file, in its order.
#[must_use]
pub fn run(file: &RuleFile) -> Vec<TestResult> {
    let mut rules = file.rule_set(1);
    // A test is about a rule, whatever time the file keeps silent until.
    rules.settings.quiet_until = Time::MIN;
    let rules = Arc::new(rules);
    let result =
        |test: &RuleTest| TestResult { name: test.name.clone(), rule: test.rule.clone(), line: test.line, outcome: outcome(test, &rules) };
    file.tests.iter().map(result).collect()
}

fn outcome(test: &RuleTest, rules: &Arc<RuleSet>) -> Outcome {
    let mut users = Users::default();
    match play(test, rules, &mut users) {
        Ok(outputs) => {
            let found: Vec<Found> = outputs.iter().filter_map(|output| Found::of(output, &test.rule, &users)).collect();
            diff::compare(&test.expect, &found)
        }
        Err(detail) => Outcome::Broken { detail },
    }
}

/// Plays a test to the engine: each event at its time, then the closing tick.
fn play(test: &RuleTest, rules: &Arc<RuleSet>, users: &mut Users) -> Result<Vec<Output>, String> {
    let decoder = Decoder::new(Pseudonymiser::default());
    let mut partition = Partition::new(rules.clone(), Header::default());
    let mut outputs = Vec::new();
    for line in test.lines() {
        let at = |detail: String| format!("event at line {}: {detail}", line.line);
        let event = decoder.decode_text(&line.text).map_err(|rejection| at(rejection.to_string()))?;
        line.user.iter().for_each(|user| users.add(user));
        let payload = Payload::Event { event: &event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        for _ in 0..line.copies {
            apply(&mut partition, Record { watermark: line.arrives, payload }, &mut outputs).map_err(at)?;
        }
    }
    let tick = Record { watermark: TEST_START.plus_ms(test.until_ms), payload: Payload::Tick };
    apply(&mut partition, tick, &mut outputs).map_err(|detail| format!("closing tick: {detail}"))?;
    Ok(outputs)
}

fn apply(partition: &mut Partition, record: Record<'_>, outputs: &mut Vec<Output>) -> Result<(), String> {
    match partition.apply(&record, &mut u64::MAX.clone(), outputs) {
        Progress::Done => Ok(()),
        progress if progress.is_poisoned() => Err("folding it panicked".to_owned()),
        other => unreachable!("every customer is in memory and the budget is endless, yet {other:?}"),
    }
}
