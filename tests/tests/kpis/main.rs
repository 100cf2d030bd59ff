//! KPIs against a recomputation from the events alone: SQL run by DuckDB, which shares nothing with the engine but the definitions.

mod cases;
mod due;
mod flat;
mod grades;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_tests::company::Random;
use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::recomputed::recompute;
use bellwether_tests::sample_logs::sample_log;
use flat::{flat, text};
use serde_json::Value;
use tempfile::TempDir;

/// Days on which everything is compared.
const COMPARED_DAYS: usize = 10;

/// Labels as `kpis.sql` has them.
const KPIS: &str = "
kpis:
  segments: [small, mid-market, enterprise]
  plans: [starter, team, business, enterprise]
  industries: [software, retail, health]
  channels: [email, chat]
  campaigns: [2024-q2-news, 2024-q4-news]
";

/// Stages as `kpis.sql` has them, in an order of their own; the names are some of those that the rules of the pack know.
const STAGES: &str = "
stages:
  - { name: adoption, when: onboarded }
  - { name: onboarding, when: '!onboarded' }
  - { name: engagement, when: onboarded && active_days_28d >= 8 }
  - { name: churned, when: subscriptions == 0 }
";

struct Case {
    directory: TempDir,
}

impl Case {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The default pack with the labels and stages of this test.
    fn rules(&self) -> PathBuf {
        let pack = include_str!("../../../deploy/rules/default.yaml");
        let sections = pack.split("\n\n").filter(|section| !section.starts_with("kpis:") && !section.contains("\nstages:"));
        let pack = sections.collect::<Vec<_>>().join("\n\n");
        fs::write(self.at("rules.yaml"), pack + KPIS + STAGES).expect("the rules can be written");
        self.at("rules.yaml")
    }

    /// The events of a simulated company, one a line.
    fn company(&self, customers: u32, seed: u32) -> Vec<String> {
        let out = self.at("company");
        let (customers, seed) = (customers.to_string(), seed.to_string());
        let arguments = ["simulate", "--customers", &customers, "--months", "20", "--seed", &seed, "--out", path(&out)];
        succeeded(&binary().args(arguments).output().expect("the binary starts"));
        lines(&out.join("events.jsonl.zst"))
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        fs::write(self.at(name), lines.join("\n") + "\n").expect("the events can be written");
        self.at(name)
    }

    /// The daily records of a replay, by day.
    fn replay(&self, events: &Path, partitions: u16) -> BTreeMap<String, Value> {
        let (signals, kpis, rules) = (self.at("replayed.jsonl"), self.at("replayed-kpis.jsonl"), self.rules());
        let partitions = partitions.to_string();
        let mut command = binary();
        command.args(["replay", "--events", path(events), "--rules", path(&rules), "--signals", path(&signals)]);
        command.args(["--kpis", path(&kpis), "--partitions", &partitions, "--summary", path(&self.at("summary.json"))]);
        succeeded(&command.output().expect("the binary starts"));
        by_day(&kpis)
    }

    /// What the summary of the last replay counts.
    fn count(&self, name: &str) -> u64 {
        let summary: Value = serde_json::from_slice(&fs::read(self.at("summary.json")).expect("there is a summary")).expect("JSON");
        summary[name].as_u64().expect("a count")
    }

    /// Compares the records of a replay with the recomputation on ten days, the last one among them. Returns how many numbers were compared.
    fn compare(&self, events: &Path) -> usize {
        let records = self.replay(events, 4);
        // A full table gives up what it cannot hold, and says so: then there would be nothing to compare.
        assert_eq!(self.count("limited"), 0, "take another seed");
        let days: Vec<&String> = records.keys().collect();
        let days = (1..=COMPARED_DAYS).map(|part| days[days.len() * part / COMPARED_DAYS - 1]);
        let recomputed = recompute(events, days.map(String::as_str));
        assert_eq!(recomputed.len(), COMPARED_DAYS);
        for (day, expected) in &recomputed {
            let found = flat(&records[day]);
            let names = expected.keys().chain(found.keys()).filter(|name| expected.get(*name) != found.get(*name));
            let differing: Vec<_> = names.map(|name| (name, found.get(name), expected.get(name))).take(20).collect();
            assert!(differing.is_empty(), "{day}: name, found, recomputed: {differing:#?}");
        }
        recomputed.values().map(BTreeMap::len).sum()
    }
}

fn by_day(kpis: &Path) -> BTreeMap<String, Value> {
    let lines = fs::read_to_string(kpis).expect("there are records");
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records.map(|record| (text(&record, "day").to_owned(), record)).collect()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn lines(file: &Path) -> Vec<String> {
    let bytes = fs::read(file).expect("it can be read");
    let text = zstd::decode_all(&bytes[..]).expect("it is compressed");
    String::from_utf8(text).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// The same events, some of them late by up to a day or by weeks, and some of them twice.
fn disturbed(lines: &[String], seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    let mut placed: Vec<(u64, &String)> = Vec::new();
    let a_day = lines.len() as u64 / 600;
    for (place, line) in (0..).zip(lines) {
        let delay = match random.below(200) {
            0 => random.below(40 * a_day),
            1..10 => random.below(a_day),
            _ => 0,
        };
        placed.push((place + delay, line));
        if random.one_in(50) {
            // Near enough to be among the customer's last events: those further back count again, as documented.
            placed.push((place + delay + random.below(30), line));
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, line)| line.clone()).collect()
}

/// The events, and one of our own sixty days after the last of them.
fn then_silence(mut lines: Vec<String>, time: &str) -> Vec<String> {
    let data = r#"{"kind":"retention","amount_minor":100,"currency":"EUR","period":"2025-10"}"#;
    lines.push(format!(
        r#"{{"specversion":"1.0","id":"end","source":"/test","type":"cost.recorded","subject":"_company","time":"{time}","data":{data}}}"#
    ));
    lines
}

#[test]
fn every_kpi_is_what_sql_makes_of_the_events_also_after_sixty_silent_days() {
    let case = Case::new();
    let lines = then_silence(case.company(110, 7), "2025-10-31T12:00:00Z");
    let compared = case.compare(&case.write("events.jsonl", &lines));
    assert!(compared > 3_000, "only {compared} numbers were compared");
}

#[test]
fn late_and_repeated_events_are_corrected_and_counted_once_also_after_sixty_silent_days() {
    let case = Case::new();
    let lines = then_silence(disturbed(&case.company(110, 7), 11), "2025-10-31T12:00:00Z");
    let compared = case.compare(&case.write("events.jsonl", &lines));
    assert!(compared > 3_000, "only {compared} numbers were compared");
    assert!(case.count("duplicates") > 1_000, "few events came twice");
}

#[test]
fn sums_over_partitions_do_not_depend_on_their_number() {
    let case = Case::new();
    let events = case.write("events.jsonl", &disturbed(&case.company(60, 3), 5));
    let records = case.replay(&events, 4);
    assert!(records.len() > 500, "a record for each day");
    for partitions in [1, 12] {
        assert!(case.replay(&events, partitions) == records, "{partitions} partitions");
    }
}

#[test]
fn a_run_writes_the_records_of_a_replay_wherever_it_was_stopped() {
    let case = Case::new();
    let lines = case.company(60, 3);
    let events = case.write("events.jsonl", &lines);
    case.replay(&events, 4);
    let (data, kpis, rules) = (case.at("data"), case.at("kpis.jsonl"), case.rules());
    let run = |events: &Path| {
        let mut command = binary();
        command.args(["run", "--events", path(events), "--data", path(&data), "--rules", path(&rules), "--kpis", path(&kpis)]);
        command.args(["--once", "--metrics", "off", "--batch-records", "700", "--batch-reviews", "90"]);
        succeeded(&command.output().expect("the binary starts"));
    };
    // A file that grows: the first run ends in the middle, and the second goes on.
    let growing = case.write("growing.jsonl", &lines[..lines.len() / 2]);
    run(&growing);
    let half = fs::read(&kpis).expect("there are records").len();
    case.write("growing.jsonl", &lines);
    run(&growing);
    let (run, replayed) = (fs::read(&kpis).expect("records"), fs::read(case.at("replayed-kpis.jsonl")).expect("records"));
    assert!(half > 0 && half < run.len(), "the first run ended in the middle");
    assert!(run == replayed, "records of the run differ from the replay's");
}

#[test]
fn a_public_log_agrees_too() {
    let Some(sample) = sample_log("crm6.jsonl.zst", "its KPIs were not computed again") else { return };
    let case = Case::new();
    let lines = lines(&sample);
    let compared = case.compare(&case.write("events.jsonl", &lines));
    assert!(compared > 500, "only {compared} numbers were compared");
    let compared = case.compare(&case.write("late.jsonl", &disturbed(&lines, 2)));
    assert!(compared > 500, "only {compared} numbers were compared");
}
