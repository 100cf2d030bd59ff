//! The commands of the operations guide, run in their order as they stand there, with a real Kafka.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bellwether_tests::broker::{Broker, class_path, tool};
use bellwether_tests::product::binary;
use tempfile::TempDir;

use crate::support::{output, told, top};

/// How a block of the guide is run: what follows `sh` in its first line.
#[derive(Debug, PartialEq)]
enum Mode {
    /// To its end, which is this exit code.
    Exits(i32),
    /// Beside what follows, until the end.
    Background,
}

/// The blocks of a document that are for a shell; `console` is what cannot be run here.
fn blocks(document: &str) -> Vec<(Mode, String)> {
    let mut blocks = Vec::new();
    let mut parts = document.split("\n```");
    while let Some(part) = parts.next() {
        let Some(part) = part.strip_prefix("sh").filter(|part| part.starts_with(['\n', ' '])) else { continue };
        let (mode, script) = part.split_once('\n').expect("a block has lines");
        let mode = match mode.trim() {
            "" => Mode::Exits(0),
            "exits=1" => Mode::Exits(1),
            "background" => Mode::Background,
            other => panic!("`{other}` is no way to run a block"),
        };
        blocks.push((mode, script.to_owned()));
        // What follows the block is prose.
        parts.next();
    }
    blocks
}

/// A directory as the guide has it: the binary and Kafka's tools on the path, the repository's `deploy` in it.
struct Desk {
    directory: TempDir,
    path: String,
    brokers: String,
    metrics: u16,
}

impl Desk {
    fn new(broker: &Broker) -> Self {
        let directory = TempDir::with_prefix("bellwether-guide-").expect("a temporary directory can be made");
        let programs = directory.path().join("bin");
        fs::create_dir(&programs).expect("it can be made");
        symlink(binary().get_program(), programs.join("bellwether")).expect("it can be linked");
        symlink(top("deploy"), directory.path().join("deploy")).expect("it can be linked");
        for (name, class) in [("kafka-topics.sh", tool::TOPICS), ("kafka-transactions.sh", tool::TRANSACTIONS)] {
            let script = format!("#!/bin/sh\nexec java -cp '{}' {class} \"$@\"\n", class_path());
            fs::write(programs.join(name), script).expect("it can be written");
            fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).expect("they can be set");
        }
        let path = format!("{}:{}", programs.display(), env::var("PATH").expect("there is a PATH"));
        let metrics = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free").port();
        Self { directory, path, brokers: broker.bootstrap(), metrics }
    }

    fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn shell(&self, script: &str) -> Command {
        // Others run beside this test, and have the usual port.
        let script = script.replace("9464", &self.metrics.to_string());
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &script]).current_dir(self.directory());
        command.env("PATH", &self.path).env("KAFKA_BROKERS", &self.brokers).stdin(Stdio::null());
        command
    }
}

/// A process that ends with the test.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
fn every_command_does_what_the_guide_says() {
    let document = fs::read_to_string(top("deploy/operations.md")).expect("it is there");
    let blocks = blocks(&document);
    let broker = Broker::start();
    let desk = Desk::new(&broker);
    let mut background = Vec::new();
    for (mode, script) in &blocks {
        match mode {
            Mode::Background => {
                // `exec`, so that the process which is killed is the one that runs.
                let child = desk.shell(&format!("exec {script}")).stdout(Stdio::null()).spawn();
                background.push(Background(child.expect("bash starts")));
            }
            Mode::Exits(code) => {
                let output = output(&mut desk.shell(script));
                assert_eq!(output.status.code(), Some(*code), "{script}\n{}", told(&output));
            }
        }
    }
    assert!(blocks.len() >= 16, "{}", blocks.len());
    assert!(blocks.iter().any(|(mode, _)| *mode == Mode::Exits(1)));
    assert_eq!(background.len(), 1);
    let made: Vec<PathBuf> = ["report.html", "snapshots", "state"].map(|name| desk.directory().join(name)).into();
    assert!(made.iter().all(|path| path.exists()), "{made:?}");
}
