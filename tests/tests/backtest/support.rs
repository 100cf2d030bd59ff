//! What the tests share: a simulated company, and a backtest of it.

use std::path::PathBuf;
use std::process::{Command, Output};

use bellwether_tests::product::{binary, succeeded};
use tempfile::TempDir;

/// A simulated company with a directory for what is made of it.
pub struct Company {
    directory: TempDir,
}

impl Company {
    /// A company of so many customers over so many months.
    pub fn new(customers: u32, months: u32, seed: u32) -> Self {
        let company = Self { directory: TempDir::new().expect("a temporary directory") };
        let [customers, months, seed] = [customers, months, seed].map(|number| number.to_string());
        let out = company.directory.path().to_str().expect("UTF-8").to_owned();
        let arguments = ["simulate", "--customers", &customers, "--months", &months, "--seed", &seed, "--out", &out];
        succeeded(&binary().args(arguments).output().expect("the binary starts"));
        company
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A backtest of its events with all that it writes: `signals.jsonl`, `observations.csv`, `report.json`, `report.html`.
    pub fn backtest(&self) -> Output {
        self.backtest_with(&[])
    }

    /// The same, with further arguments.
    pub fn backtest_with(&self, more: &[&str]) -> Output {
        let mut command: Command = binary();
        command.arg("backtest").args(more);
        let files = [
            ("--events", "events.jsonl.zst"),
            ("--signals", "signals.jsonl"),
            ("--observations", "observations.csv"),
            ("--json", "report.json"),
            ("--html", "report.html"),
        ];
        for (argument, name) in files {
            command.arg(argument).arg(self.path(name));
        }
        let output = command.output().expect("the binary starts");
        succeeded(&output);
        output
    }
}
