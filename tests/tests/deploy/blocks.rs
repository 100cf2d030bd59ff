//! The pieces of configuration in the documents: each is one that `config check` takes, or values that the chart takes.

use std::fs;
use std::process::Command;

use bellwether_tests::product::binary;
use serde_json::Value;
use tempfile::TempDir;

use crate::chart::rendered;
use crate::support::{clean, refused, tool, top};

pub const DOCUMENTS: [&str; 3] = ["README.md", "deploy/operations.md", "deploy/monitoring.md"];

/// What pieces take from the environment.
const VARIABLES: [(&str, &str); 3] = [
    ("CRM_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("SLACK_URL", "https://hooks.example/daily"),
    ("KAFKA_BROKERS", "kafka:9092"),
];

/// The blocks of YAML of a document, with what stands behind `yaml` in their first line.
pub fn blocks(document: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut parts = document.split("\n```");
    while let Some(part) = parts.next() {
        let Some(part) = part.strip_prefix("yaml") else { continue };
        let (kind, text) = part.split_once('\n').expect("a block has lines");
        blocks.push((kind.trim().to_owned(), format!("{text}\n")));
        // What follows the block is prose.
        parts.next();
    }
    blocks
}

/// A hash that is written as its first digits, in full.
pub fn with_whole_hashes(text: &str) -> String {
    let mut parts = text.split("...\"");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = whole.rsplit('"').next().unwrap_or_default().len();
        whole += &"0".repeat(64 - digits);
        whole.push('"');
        whole += part;
    }
    whole
}

fn check(directory: &TempDir, text: &str) -> Command {
    let file = directory.path().join("bellwether.yaml");
    fs::write(&file, text).expect("it can be written");
    let mut command = binary();
    command.args(["config", "check"]).arg(file).envs(VARIABLES);
    command
}

#[test]
fn every_piece_of_configuration_in_the_documents_is_right() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (mut configurations, mut values) = (0, 0);
    for document in DOCUMENTS {
        for (kind, text) in blocks(&fs::read_to_string(top(document)).expect("it is there")) {
            match kind.as_str() {
                "" => {
                    clean(&mut check(&directory, &with_whole_hashes(&text)));
                    configurations += 1;
                }
                "values" => {
                    let mut command = tool("python");
                    command.args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.argv[1])))", &text]);
                    let output = crate::support::output(&mut command);
                    let read: Value = serde_json::from_slice(&output.stdout).expect("it is YAML");
                    assert!(!rendered(&read).is_empty(), "{text}");
                    values += 1;
                }
                other => panic!("{document}: `yaml {other}` is no kind of block"),
            }
        }
    }
    assert!(configurations >= 4 && values >= 1, "{configurations} and {values}");
    let misspelt = "console:\n  adress: 127.0.0.1:9465\n";
    assert!(refused(&mut check(&directory, misspelt)).contains("did you mean `address`?"));
}

#[test]
fn hashes_are_written_in_full() {
    let whole = with_whole_hashes("a: [\"60...\", \"9f...\"]");
    assert_eq!(whole, format!("a: [\"60{}\", \"9f{}\"]", "0".repeat(62), "0".repeat(62)));
}
