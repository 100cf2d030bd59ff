//! Whoever reads a journal, a topic or that of an embedded run, reads what it holds of an erased customer from before as blanks: also where what
//! is asked for ends before the erasure.

use std::fs;
use std::path::Path;

use bellwether_codec::event::encode_event;
use bellwether_engine::time::Time;
use bellwether_live::erasing::erasure;
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{Product, binary, succeeded};
use serde_json::Value;

use crate::support::{command, lines};

const PARTITIONS: u16 = 3;

/// A customer whose name is found wherever it stands.
const CANARY: &str = "canary-5c1f";

/// The journal, and the part of it that is asked for.
struct Asked<'a> {
    directory: &'a Path,
    journal: String,
    range: Vec<String>,
}

impl Asked<'_> {
    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().expect("it is UTF-8").to_owned()
    }

    /// What a command writes into a file, beside what it prints.
    #[track_caller]
    fn written(&self, arguments: &[&str], range: &[String], file: (&str, &str)) -> String {
        let path = self.path(file.1);
        let mut command = binary();
        command.args(arguments).args(["--journal", &self.journal]).args(range).args([file.0, &path]);
        let output = command.output().expect("the binary starts");
        succeeded(&output);
        fs::read_to_string(&path).unwrap_or_default() + &lines(&output).join("\n")
    }

    /// How many events a backtest counts; and everything that tells of customers.
    #[track_caller]
    fn backtest(&self) -> (u64, String) {
        let until = ["backtest", "--to", "2025-06-01", "--signals", &self.path("backtest.jsonl")].map(str::to_owned);
        let arguments: Vec<&str> = until.iter().map(String::as_str).collect();
        let report = self.written(&arguments, &self.range, ("--json", "report.json"));
        let end = report.rfind('}').expect("it is JSON");
        let figures: Value = serde_json::from_str(&report[..=end]).expect("it is JSON");
        let events = figures["log"]["events"].as_u64().expect("a count");
        (events, report + &fs::read_to_string(self.path("backtest.jsonl")).expect("it is written"))
    }

    /// What each other reader tells of customers. `fit` tells how many it has learned from.
    #[track_caller]
    fn others(&self) -> Vec<(&'static str, String)> {
        let at = ["--at", "2025-01-01", "--json"].map(str::to_owned);
        let mut told = vec![
            ("features", self.written(&["features"], &self.range, ("--out", "features.csv"))),
            (
                "fit",
                self.written(&["fit", "--until", "2025-04-01", "--out", &self.path("fitted.yaml")], &self.range, ("--json", "fitted.json")),
            ),
            ("replay", self.written(&["replay"], &[], ("--signals", "replayed.jsonl"))),
        ];
        let mut explain = binary();
        explain.args(["explain", CANARY, "--journal", &self.journal]).args(at);
        let explained = explain.output().expect("the binary starts");
        told.push(("explain", lines(&explained).join("\n")));
        let mut inspect = binary();
        inspect.args(["journal", "inspect", "--journal", &self.journal, "--customer", CANARY, "--json", "--limit", "100000"]);
        let inspected = inspect.args(&self.range).output().expect("the binary starts");
        succeeded(&inspected);
        told.push(("journal inspect", lines(&inspected).join("\n")));
        let mut export = binary();
        let table = self.path("table.parquet");
        let _ = fs::remove_file(&table);
        succeeded(&export.args(["journal", "export", "--journal", &self.journal, "--to", &table]).output().expect("the binary starts"));
        let mut replay = binary();
        let rows = self.path("rows.jsonl");
        succeeded(&replay.args(["replay", "--events", &table, "--signals", &rows]).output().expect("the binary starts"));
        told.push(("journal export", fs::read_to_string(rows).expect("it is written")));
        told
    }
}

/// The history of a company in which one customer has the canary's name, as lines.
fn history(directory: &Path) -> Vec<String> {
    let out = directory.to_str().expect("it is UTF-8");
    let simulate = ["simulate", "--customers", "300", "--months", "18", "--seed", "5", "--out", out];
    succeeded(&binary().args(simulate).output().expect("the binary starts"));
    let bytes = zstd::decode_all(&fs::read(directory.join("events.jsonl.zst")).expect("it is there")[..]).expect("it is whole");
    let text = String::from_utf8(bytes).expect("it is UTF-8");
    // The first that gives notice: there are signals about it.
    let notice = text.lines().find(|line| line.contains("\"cancellation.requested\"")).expect("somebody leaves");
    let notice: Value = serde_json::from_str(notice).expect("it is JSON");
    let subject = format!("\"subject\":{}", notice["subject"]);
    text.replace(&subject, &format!("\"subject\":\"{CANARY}\"")).lines().map(str::to_owned).collect()
}

/// How often a reader names the canary; `fit`, the number of rows.
fn count(told: &str) -> usize {
    told.matches(CANARY).count()
}

/// Before the erasure every reader names the canary, and behind it none does. Returns how many events a backtest still counts.
fn assert_forgotten(asked: &Asked<'_>, erase: impl FnOnce(), theirs: usize) -> u64 {
    let (events, before) = asked.backtest();
    let rows_before = asked.others();
    for (reader, told) in rows_before.iter().chain(&[("backtest", before)]).filter(|(reader, _)| *reader != "fit") {
        assert!(count(told) > 0, "{reader} of {} tells of the customer", asked.journal);
    }
    erase();
    let (events_after, after) = asked.backtest();
    assert_eq!(events - events_after, theirs as u64, "backtest of {}", asked.journal);
    let rows_after = asked.others();
    for (reader, told) in rows_after.iter().chain(&[("backtest", after)]).filter(|(reader, _)| *reader != "explain") {
        assert_eq!(count(told), 0, "{reader} of {} tells of the customer", asked.journal);
    }
    for ((reader, before), (_, after)) in
        rows_before.iter().zip(&rows_after).filter(|((reader, _), _)| matches!(*reader, "fit" | "explain"))
    {
        assert_ne!(before, after, "{reader} of {}", asked.journal);
    }
    let explained = &rows_after.iter().find(|(reader, _)| *reader == "explain").expect("it is there").1;
    assert!(!explained.contains("\"timeline\":[{"), "{explained}");
    events_after
}

#[test]
fn every_reader_of_a_topic_knows_who_was_erased_behind_its_part() {
    let product = Product::new(Broker::shared().bootstrap(), "erasedpart", PARTITIONS);
    product.create();
    let history = history(product.directory.path());
    let file = product.directory.path().join("history.jsonl");
    fs::write(&file, history.join("\n") + "\n").expect("it can be written");
    command(&product, &["journal", "import", "--events", file.to_str().expect("it is UTF-8")]);
    let mut ends = [0; PARTITIONS as usize];
    for (partition, offset) in product.read("journal", PARTITIONS, |record| (record.at.partition as usize, record.offset)) {
        ends[partition] = ends[partition].max(offset + 1);
    }
    let part = ends.iter().enumerate().map(|(partition, end)| format!("{partition}:{end}")).collect::<Vec<String>>().join(",");
    let journal = format!("kafka://{}/{}", Broker::shared().bootstrap(), product.topic("journal"));
    let asked = Asked { directory: product.directory.path(), journal, range: vec!["--journal-to".to_owned(), part] };
    let theirs = history.iter().filter(|line| line.contains(CANARY) && is_before(line, "2025-06-01")).count();
    assert_forgotten(&asked, || drop(command(&product, &["erase", CANARY, "--time", "2026-01-01"])), theirs);
}

#[test]
fn every_reader_of_an_embedded_journal_knows_who_was_erased_later() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let history = history(directory.path());
    let file = directory.path().join("history.jsonl");
    fs::write(&file, history.join("\n") + "\n").expect("it can be written");
    let data = directory.path().join("data");
    let run = |events: &Path| {
        let mut run = binary();
        run.args(["run", "--once", "--metrics", "off", "--partitions", "3", "--events"]).arg(&file);
        succeeded(&run.arg(events).arg("--data").arg(&data).output().expect("the binary starts"));
    };
    run(&file);
    let mut erased = Vec::new();
    encode_event(&erasure(CANARY, Time(1_767_225_600_000)), &mut erased);
    let behind = directory.path().join("behind.jsonl");
    fs::write(&behind, erased).expect("it can be written");
    let asked = Asked { directory: directory.path(), journal: data.to_str().expect("it is UTF-8").to_owned(), range: Vec::new() };
    let theirs = history.iter().filter(|line| line.contains(CANARY) && is_before(line, "2025-06-01")).count();
    let left = assert_forgotten(&asked, || run(&behind), theirs);

    // The rewritten journal does not hold it at all.
    let new = directory.path().join("new");
    let mut rewrite = binary();
    succeeded(&rewrite.args(["journal", "rewrite", "--journal", &asked.journal, "--to"]).arg(&new).output().expect("the binary starts"));
    let rewritten = Asked { journal: new.to_str().expect("it is UTF-8").to_owned(), ..asked };
    let (events, told) = rewritten.backtest();
    assert_eq!((count(&told), events), (0, left));
    assert!(rewritten.others().iter().all(|(reader, told)| *reader == "explain" || count(told) == 0));
}

fn is_before(line: &str, date: &str) -> bool {
    let event: Value = serde_json::from_str(line).expect("it is JSON");
    event["time"].as_str() <= Some(date)
}
