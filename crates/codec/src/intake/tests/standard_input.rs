//! Standard input: no position, and epochs that do not wait for more than a moment.

use std::io::{self, Read};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::super::{InputSpec, Intake};
use super::{Files, delivered, drain, event};

/// A pipe whose other end is the test.
struct Pipe(Receiver<Vec<u8>>);

impl Read for Pipe {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let Ok(bytes) = self.0.recv() else { return Ok(0) };
        target[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn open(others: &[InputSpec]) -> (SyncSender<Vec<u8>>, Intake) {
    let (sender, receiver) = sync_channel(0);
    let specs = [&[InputSpec::StandardInput], others].concat();
    (sender, Intake::open_with(&specs, None, || None, Box::new(Pipe(receiver))).unwrap())
}

#[test]
fn a_pause_ends_an_epoch_and_the_end_comes_by_itself() {
    let (sender, mut intake) = open(&[]);
    sender.send(b"a\nb\nunfin".to_vec()).unwrap();
    let first = intake.next_epoch().unwrap().unwrap();
    assert_eq!((first.lines.len(), first.is_last, first.positions.len()), (2, false, 0));
    sender.send(b"ished\n".to_vec()).unwrap();
    let second = intake.next_epoch().unwrap().unwrap();
    assert_eq!(delivered(&[second])[0].text, b"unfinished");
    drop(sender);
    let last = intake.next_epoch().unwrap().unwrap();
    assert_eq!((last.number, last.lines.len(), last.is_last), (2, 0, true));
    assert!(intake.next_epoch().unwrap().is_none());
}

#[test]
fn it_is_merged_with_files() {
    let files = Files::new(&[("a.jsonl", [event(1, "a"), event(3, "a")].join("\n").as_bytes())]);
    let (sender, intake) = open(&[InputSpec::from(files.path("a.jsonl").as_str())]);
    sender.send([event(2, "in"), event(4, "in")].join("\n").into_bytes()).unwrap();
    drop(sender);
    let lines = delivered(&drain(intake));
    assert_eq!(lines.iter().map(|line| line.input.as_str()).collect::<Vec<_>>(), ["a.jsonl", "-", "a.jsonl", "-"]);
}

#[test]
fn dropping_does_not_wait_for_input() {
    let (sender, intake) = open(&[]);
    drop(intake);
    drop(sender);
}

#[test]
fn a_stop_hands_over_what_has_arrived_and_leaves_files_where_they_are() {
    let files = Files::new(&[("a.jsonl", [event(3, "a"), event(5, "a")].join("\n").as_bytes())]);
    let (sender, mut intake) = open(&[InputSpec::from(files.path("a.jsonl").as_str())]);
    sender.send(format!("{}\n{}\n", event(1, "in"), event(2, "in")).into_bytes()).unwrap();
    // A send ends when it is read, and the next read begins when what was read before has arrived. A blank line counts for nothing.
    sender.send(b"\n".to_vec()).unwrap();
    let stop = AtomicBool::new(true);
    let mut epochs = Vec::new();
    while let Some(epoch) = intake.next_epoch_until(&stop).unwrap() {
        assert!(!epoch.is_last);
        assert!(epoch.positions.iter().all(|position| position.offset == 0));
        epochs.push(epoch);
    }
    assert_eq!(delivered(&epochs).iter().map(|line| line.input.as_str()).collect::<Vec<_>>(), ["-", "-"]);
    assert!(intake.next_epoch().unwrap().is_none());
    drop(sender);
}
