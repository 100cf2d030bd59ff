//! Partitions, watermarks, ticks, and events from the future.

use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::{DAY_MS, SECOND_MS, Time};

use super::super::{DecodedEpoch, SequencedEpoch, Sequencer};
use super::{Files, START_MS, event};
use crate::event::Decoder;
use crate::rejection::RejectReason;

const DAY_SECONDS: i64 = DAY_MS / SECOND_MS;

fn at(second: i64) -> Time {
    Time(START_MS + second * SECOND_MS)
}

fn sequence(sequencer: &mut Sequencer, lines: &[String], clock: Option<Time>, closing: bool) -> SequencedEpoch {
    let files = Files::new(&[("a.jsonl", lines.join("\n").as_bytes())]);
    let raw = files.epochs(&["a.jsonl"], None).swap_remove(0);
    sequencer.sequence(&DecodedEpoch::decode(raw, &Decoder::default(), false), clock, closing)
}

/// The seconds of the watermarks of a partition's records, with their lines.
fn watermarks(epoch: &SequencedEpoch, partition: usize) -> Vec<(u32, i64)> {
    epoch.partitions[partition].iter().map(|record| (record.line, record.watermark.since_ms(at(0)) / SECOND_MS)).collect()
}

#[test]
fn the_watermark_is_the_largest_time_so_far() {
    let mut sequencer = Sequencer::new(1);
    let epoch = sequence(&mut sequencer, &[event(5, "a"), event(3, "b"), "nonsense".into(), event(9, "a")], None, false);
    assert_eq!(watermarks(&epoch, 0), [(0, 5), (1, 5), (3, 9)]);
    assert_eq!(epoch.rejected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2]);
    assert_eq!((epoch.watermark_after, sequencer.watermark()), (at(9), at(9)));
    assert!(epoch.ticks.is_empty());
    let next = sequence(&mut sequencer, &[event(7, "a")], None, false);
    assert_eq!(watermarks(&next, 0), [(0, 9)]);
}

#[test]
fn records_go_to_the_partition_of_their_customer() {
    let mut sequencer = Sequencer::new(7);
    let customers: Vec<String> = (0..50).map(|index| format!("c-{index}")).collect();
    let lines: Vec<String> = customers.iter().map(|customer| event(1, customer)).collect();
    let epoch = sequence(&mut sequencer, &lines, None, false);
    assert_eq!(epoch.partitions.iter().map(Vec::len).sum::<usize>(), 50);
    for (partition, records) in epoch.partitions.iter().enumerate() {
        for record in records {
            let key = CustomerKey::of(&customers[record.line as usize]);
            assert_eq!((record.key, usize::from(key.partition(7))), (key, partition));
        }
    }
}

#[test]
fn quiet_partitions_get_a_tick_every_minute() {
    let partition = CustomerKey::of("a").partition(2);
    let quiet = 1 - partition;
    let mut sequencer = Sequencer::new(2);
    let ticks = |sequencer: &mut Sequencer, second| sequence(sequencer, &[event(second, "a")], None, false).ticks;
    assert_eq!(ticks(&mut sequencer, 0), [(quiet, at(0))]);
    assert_eq!(ticks(&mut sequencer, 59), []);
    assert_eq!(ticks(&mut sequencer, 60), [(quiet, at(60))]);
    assert_eq!(ticks(&mut sequencer, 119), []);
    assert_eq!(ticks(&mut sequencer, 500), [(quiet, at(500))]);
}

#[test]
fn the_end_of_the_input_ticks_every_partition_once() {
    let mut sequencer = Sequencer::new(3);
    assert_eq!(sequence(&mut sequencer, &[], None, true).ticks, [], "nothing to tell before the first event");
    let all = |second| vec![(0, at(second)), (1, at(second)), (2, at(second))];
    assert_eq!(sequence(&mut sequencer, &[event(5, "a")], None, true).ticks, all(5));
    assert_eq!(sequence(&mut sequencer, &[], None, true).ticks, [], "a run that finds nothing new writes nothing");
    assert_eq!(sequence(&mut sequencer, &[event(6, "a")], None, true).ticks, all(6));
}

#[test]
fn events_from_the_future_are_rejected() {
    let mut sequencer = Sequencer::new(1);
    let clock = Some(at(0));
    let lines = [event(DAY_SECONDS + 1, "a"), event(DAY_SECONDS, "b"), event(0, "c")];
    let epoch = sequence(&mut sequencer, &lines, clock, false);
    assert_eq!(watermarks(&epoch, 0), [(1, DAY_SECONDS), (2, DAY_SECONDS)]);
    let (0, rejection) = &epoch.rejected[0] else { panic!("{:?}", epoch.rejected) };
    assert_eq!(rejection.reason, RejectReason::FutureDated);
    assert_eq!(rejection.detail, "time: 2026-01-02T00:00:01Z is more than 24 hours after the present, 2026-01-01T00:00:00Z");
}

#[test]
fn events_a_year_after_all_before_are_rejected() {
    let mut sequencer = Sequencer::new(1);
    let year = 365 * DAY_SECONDS;
    let lines = [event(0, "a"), event(year + 1, "b"), event(year, "c"), event(year + 1, "d")];
    let epoch = sequence(&mut sequencer, &lines, None, false);
    assert_eq!(watermarks(&epoch, 0), [(0, 0), (2, year), (3, year + 1)]);
    let (1, rejection) = &epoch.rejected[0] else { panic!("{:?}", epoch.rejected) };
    let expected = "time: 2027-01-01T00:00:01Z is more than 365 days after the largest time before it, 2026-01-01T00:00:00Z";
    assert_eq!((rejection.reason, rejection.detail.as_str()), (RejectReason::FutureDated, expected));
}

#[test]
fn a_restored_sequencer_goes_on() {
    let mut sequencer = Sequencer::new(4);
    sequence(&mut sequencer, &[event(5, "a"), event(90, "b")], None, false);
    let mut restored: Sequencer = serde_json::from_str(&serde_json::to_string(&sequencer).unwrap()).unwrap();
    assert_eq!(restored, sequencer);
    let lines = [event(91, "a"), event(700, "c")];
    assert_eq!(sequence(&mut restored, &lines, None, true), sequence(&mut sequencer, &lines, None, true));
}
