//! Events that are received one by one: the clock is the watermark, whatever they are dated.

use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::{DAY_MS, SECOND_MS, Time};

use super::super::{DecodedEpoch, SequencedEpoch, Sequencer};
use super::{Files, START_MS, event};
use crate::event::Decoder;
use crate::rejection::RejectReason;

fn at(second: i64) -> Time {
    Time(START_MS + second * SECOND_MS)
}

fn receive(sequencer: &mut Sequencer, lines: &[String], now: Time) -> SequencedEpoch {
    let files = Files::new(&[("a.jsonl", lines.join("\n").as_bytes())]);
    let raw = files.epochs(&["a.jsonl"], None).swap_remove(0);
    sequencer.receive(&DecodedEpoch::decode(raw, &Decoder::default(), false), now)
}

#[test]
fn the_watermark_is_the_receipt() {
    let mut sequencer = Sequencer::new(1);
    let day = DAY_MS / SECOND_MS;
    // Long ago, in the next hours, and too far ahead.
    let lines = [event(-90 * day, "a"), event(60 + 3_600, "a"), event(61 + day, "a"), "nonsense".into()];
    let epoch = receive(&mut sequencer, &lines, at(60));
    assert_eq!(epoch.partitions[0].iter().map(|record| (record.line, record.watermark)).collect::<Vec<_>>(), [(0, at(60)), (1, at(60))]);
    let rejected: Vec<_> = epoch.rejected.iter().map(|(line, rejection)| (*line, rejection.reason)).collect();
    assert_eq!(rejected, [(2, RejectReason::FutureDated), (3, RejectReason::InvalidJson)]);
    // A clock that goes back moves nothing back.
    let back = receive(&mut sequencer, &[event(0, "a")], at(10));
    assert_eq!((back.partitions[0][0].watermark, sequencer.watermark()), (at(60), at(60)));
}

#[test]
fn time_passes_without_events() {
    let mut sequencer = Sequencer::new(2);
    let partition = CustomerKey::of("a").partition(2);
    let first = receive(&mut sequencer, &[event(0, "a")], at(0));
    assert_eq!(first.ticks, [(1 - partition, at(0))]);
    assert_eq!(receive(&mut sequencer, &[], at(59)).ticks, []);
    assert_eq!(receive(&mut sequencer, &[], at(60)).ticks, [(0, at(60)), (1, at(60))]);
}
