//! Tables of events: what is written reads back as the same events, and what other tools write is read or explained.

mod foreign;

use std::fs::File;
use std::path::{Path, PathBuf};

use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::{DecodedPart, EPOCH_LINES, InputSpec, IntakeError, PartReader, Sequencer};
use bellwether_codec::table::TableWriter;
use bellwether_engine::event_type::EventType;
use bellwether_engine::time::{MINUTE_MS, Time};
use tempfile::TempDir;

/// One event of every type, with all its fields.
const GOLDEN: &str = include_str!("../golden/events.jsonl");

/// A row as it was read: its event in the normalised form or its rejection, and the watermark that it is told with.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Read {
    text: String,
    watermark: Option<Time>,
}

fn write(directory: &TempDir, name: &str, events: &[(&str, Time)]) -> PathBuf {
    let path = directory.path().join(name);
    let mut writer = TableWriter::new(File::create(&path).unwrap()).unwrap();
    for (line, watermark) in events {
        writer.push(&Decoder::default().decode_journal(line).unwrap(), *watermark).unwrap();
    }
    writer.finish().unwrap();
    path
}

/// The rows of files by part, and whether an epoch ends with the part.
fn parts(files: &[&Path], part_rows: usize) -> Result<Vec<(Vec<Read>, bool)>, IntakeError> {
    let specs: Vec<InputSpec> = files.iter().map(|path| InputSpec::from(*path)).collect();
    let mut reader = PartReader::open(&specs, part_rows, None)?;
    let mut parts = Vec::new();
    while let Some(raw) = reader.next_part()? {
        let part = DecodedPart::decode(raw, &Decoder::default(), false);
        let row = |(index, line): (usize, &bellwether_codec::intake::DecodedLine<'_>)| {
            let text = match line {
                Ok(decoded) => {
                    assert_eq!(decoded.identity, decoded.event.identity());
                    let mut bytes = Vec::new();
                    encode_event(&decoded.event, &mut bytes);
                    String::from_utf8(bytes).unwrap()
                }
                Err(rejection) => rejection.to_string(),
            };
            Read { text, watermark: part.watermarks().get(index).copied().flatten() }
        };
        parts.push((part.lines().iter().enumerate().map(row).collect(), part.is_end()));
    }
    assert_eq!(reader.progress().bytes_total(), files.iter().map(|path| path.metadata().unwrap().len()).sum::<u64>());
    Ok(parts)
}

fn rows(files: &[&Path], part_rows: usize) -> Vec<Read> {
    parts(files, part_rows).unwrap().into_iter().flat_map(|(rows, _)| rows).collect()
}

fn login(id: usize, minute: i64) -> String {
    let time = bellwether_codec::timestamp::format_time(Time(minute * MINUTE_MS));
    format!(r#"{{"specversion":"1.0","id":"{id}","source":"/a","type":"login","subject":"c-{}","time":"{time}","data":{{}}}}"#, id % 7)
}

#[test]
fn events_of_every_type_read_back_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<(&str, Time)> = GOLDEN.lines().zip(1..).map(|(line, minute)| (line, Time(minute * MINUTE_MS))).collect();
    let kinds = EventType::ALL.iter().filter(|(_, name, _)| lines.iter().any(|(line, _)| line.contains(&format!("\"type\":\"{name}\""))));
    assert_eq!(kinds.count(), EventType::ALL.len());
    let path = write(&directory, "golden.parquet", &lines);
    let read: Vec<(String, Option<Time>)> = rows(&[&path], 10).into_iter().map(|row| (row.text, row.watermark)).collect();
    let expected: Vec<(String, Option<Time>)> = lines.iter().map(|(line, time)| ((*line).to_owned(), Some(*time))).collect();
    assert_eq!(read, expected);
}

#[test]
fn epochs_end_where_those_of_lines_do_however_large_the_parts_are() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..EPOCH_LINES + 100).map(|id| login(id, id as i64)).collect();
    let events: Vec<(&str, Time)> = lines.iter().zip(0..).map(|(line, minute)| (line.as_str(), Time(minute * MINUTE_MS))).collect();
    let path = write(&directory, "logins.parquet", &events);
    for part_rows in [1_000, 1_024, EPOCH_LINES] {
        let parts = parts(&[&path], part_rows).unwrap();
        let mut ends = Vec::new();
        let mut count = 0;
        for (rows, is_end) in &parts {
            count += rows.len();
            assert!(rows.len() <= part_rows);
            ends.extend(is_end.then_some(count));
        }
        assert_eq!(ends, [EPOCH_LINES, EPOCH_LINES + 100], "{part_rows}");
    }
    let none = write(&directory, "none.parquet", &[]);
    assert_eq!(parts(&[&none], 10).unwrap(), [(Vec::new(), true)]);
}

#[test]
fn several_tables_are_merged_by_journal_time_and_name() {
    let directory = tempfile::tempdir().unwrap();
    let minutes = |minutes: &[i64]| -> Vec<(String, Time)> {
        minutes.iter().map(|minute| (login(*minute as usize, 0), Time(*minute * MINUTE_MS))).collect()
    };
    let named = |name: &str, events: &[(String, Time)]| {
        let events: Vec<(&str, Time)> = events.iter().map(|(line, time)| (line.as_str(), *time)).collect();
        write(&directory, name, &events)
    };
    let (b, a) = (named("b.parquet", &minutes(&[1, 4, 5, 5, 9])), named("a.parquet", &minutes(&[2, 5, 6])));
    let late = named("late.parquet", &minutes(&[10, 11]));
    for part_rows in [1, 3, 100] {
        let order: Vec<i64> = rows(&[&b, &late, &a], part_rows).iter().map(|row| row.watermark.unwrap().0 / MINUTE_MS).collect();
        assert_eq!(order, [1, 2, 4, 5, 5, 5, 6, 9, 10, 11]);
    }
    // Of the rows at minute 5, those of `a` come first.
    let of_a = rows(&[&a], 100);
    assert_eq!(rows(&[&b, &a], 100)[3], of_a[1]);
}

#[test]
fn a_recorded_watermark_stands_and_is_not_judged_again() {
    let directory = tempfile::tempdir().unwrap();
    let far = login(1, 60 * 24 * 365 * 60);
    let path = write(&directory, "x.parquet", &[(&far, Time(5 * MINUTE_MS)), (&far, Time(3 * MINUTE_MS))]);
    let specs = [InputSpec::from(path.as_path())];
    let mut reader = PartReader::open(&specs, 10, None).unwrap();
    let part = DecodedPart::decode(reader.next_part().unwrap().unwrap(), &Decoder::default(), false);
    let mut sequencer = Sequencer::new(1);
    let sequenced = sequencer.sequence_from(part.lines(), part.watermarks(), Some(Time(0)));
    assert!(sequenced.rejected.is_empty());
    assert_eq!(sequenced.partitions[0].iter().map(|record| record.watermark.0 / MINUTE_MS).collect::<Vec<_>>(), [5, 5]);
}
