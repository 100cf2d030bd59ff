//! Tests of intake: files in, epochs out.

mod broken;
mod decoding;
mod following;
mod inputs;
mod lines;
mod merging;
mod parts;
mod receiving;
mod renamed;
mod resuming;
mod sequencing;
mod standard_input;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use bellwether_engine::time::{SECOND_MS, Time};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::{Flaw, InputSpec, Intake, IntakeError, RawEpoch, Resume};
use crate::timestamp::format_time;

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;

/// A directory with files, and intake over some of them.
struct Files {
    directory: TempDir,
}

/// What there is to know of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Delivered {
    input: String,
    number: u64,
    offset: u64,
    text: Vec<u8>,
    flaw: Option<Flaw>,
}

impl Files {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let directory = TempDir::new().unwrap();
        let files_of = Self { directory };
        for (name, bytes) in files {
            files_of.write(name, bytes);
        }
        files_of
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn append(&self, name: &str, bytes: &[u8]) {
        let path = self.directory.path().join(name);
        fs::OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn open(&self, names: &[&str], resume: Option<Resume>) -> Result<Intake, IntakeError> {
        self.open_at(names, resume, || None)
    }

    fn open_at(&self, names: &[&str], resume: Option<Resume>, clock: fn() -> Option<Time>) -> Result<Intake, IntakeError> {
        let specs: Vec<InputSpec> = names.iter().map(|name| InputSpec::from(self.directory.path().join(name).as_path())).collect();
        Intake::open_with(&specs, resume, clock, Box::new(io::empty()))
    }

    fn epochs(&self, names: &[&str], resume: Option<Resume>) -> Vec<RawEpoch> {
        drain(self.open(names, resume).unwrap())
    }

    /// The texts of all lines as they are merged.
    fn texts(&self, names: &[&str]) -> Vec<String> {
        delivered(&self.epochs(names, None)).into_iter().map(|line| String::from_utf8(line.text).unwrap()).collect()
    }

    fn root(&self) -> &Path {
        self.directory.path()
    }
}

fn drain(mut intake: Intake) -> Vec<RawEpoch> {
    let mut epochs = Vec::new();
    while let Some(epoch) = intake.next_epoch().unwrap() {
        epochs.push(epoch);
    }
    assert_eq!(epochs.iter().filter(|epoch| epoch.is_last).count(), 1, "one epoch is the last");
    assert!(epochs.last().unwrap().is_last);
    epochs
}

fn delivered(epochs: &[RawEpoch]) -> Vec<Delivered> {
    let of_epoch = |epoch: &RawEpoch| -> Vec<Delivered> {
        let of_line = |line: &super::Line| Delivered {
            input: Path::new(epoch.input_name(line)).file_name().unwrap().to_str().unwrap().to_owned(),
            number: line.number,
            offset: line.offset,
            text: epoch.bytes(line).to_vec(),
            flaw: line.flaw.as_deref().cloned(),
        };
        epoch.lines.iter().map(of_line).collect()
    };
    epochs.iter().flat_map(of_epoch).collect()
}

fn resume_after(epoch: &RawEpoch) -> Option<Resume> {
    Some(Resume { next_epoch: epoch.number + 1, positions: epoch.positions.clone() })
}

/// An event of a customer, so many seconds after the start.
fn event(second: i64, customer: &str) -> String {
    let time = format_time(Time(START_MS + second * SECOND_MS));
    format!(r#"{{"id":"{customer}-{second}","source":"/t","type":"login","subject":"{customer}","time":"{time}","data":{{}}}}"#)
}

/// So many events, one a second.
fn log(count: i64, customer: &str) -> Vec<u8> {
    (0..count).flat_map(|second| (event(second, customer) + "\n").into_bytes()).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Packs in three frames or members, cut anywhere.
fn in_three(bytes: &[u8], pack: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (one, rest) = bytes.split_at(bytes.len() / 3);
    let (two, three) = rest.split_at(rest.len() / 2);
    [pack(one), pack(two), pack(three)].concat()
}
