//! Bytes are a contract: what this crate writes into a store beside states, against committed files. `UPDATE_GOLDEN=1` writes them anew.
//!
//! Data directories hold these bytes for years: a change must read the old ones too, and then gets a golden file of its own.

use std::path::Path;
use std::{env, fs};

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedEvent, InputPosition, Sequenced};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Run, TICK_LINE};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;

use crate::journal::{block_text, decode_block, encode_block, encode_control, encode_text};
use crate::outbox;
use crate::output_files::OutputFiles;
use crate::process_state::{PROCESS_STATE, ProcessState, RulesState, Totals, outbox_name};
use crate::rebuilding::{REBUILD, Rebuild};

/// What every zstd frame begins with.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bits of the byte behind it of which one is set where the frame tells the size of its text.
const TELLS_SIZE: u8 = 0b1110_0000;

/// The committed file, after a comparison with what is written now.
#[track_caller]
fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, written).unwrap();
    }
    let committed = fs::read(&path).unwrap_or_default();
    assert!(
        committed == written,
        "{} is no longer what is written:\n{}\nData directories hold the committed bytes, so they must be read as well",
        path.display(),
        String::from_utf8_lossy(written)
    );
    committed
}

/// A state in which every field says something.
fn process_state() -> ProcessState {
    let position = |name: &str, ended: bool| InputPosition {
        name: name.to_owned(),
        fingerprint: 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff,
        fingerprint_length: 4_096,
        file_length: 1_000_000,
        offset: 654_321,
        unfinished_bytes: if ended { 21 } else { 0 },
        line: 4_321,
        running_max_time_ms: if ended { 1_767_225_600_000 } else { i64::MIN },
        ended,
    };
    let sequencer = r#"{"watermark":1767225600000,"partition_watermarks":[1767225599000,-9223372036854775808],"closed_at":1767225600000}"#;
    let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    ProcessState {
        journal_id: "0123-journal".to_owned(),
        partitions: 2,
        pseudonym_key_id: "00000000000000ff".to_owned(),
        next_epoch: 17,
        inputs: vec![position("events/größe.jsonl", true), position("events/second.jsonl.zst", false)],
        sequencer: serde_json::from_str(sequencer).unwrap(),
        journal_ends: vec![70_001, 1],
        output_bytes: (12_345, 678),
        dead_letter_bytes: 90,
        kpis_bytes: 1_234,
        files: OutputFiles { signals: Some("signals.jsonl".into()), kpis: Some("/var/lib/kpis.jsonl".into()) },
        rules: RulesState { number: 3, hash: "c0ffee".to_owned() },
        totals: Totals {
            events: 70_010,
            journaled: 70_000,
            rejected: counts(&[("invalid_json", 9), ("unknown_type", 1)]),
            signals: [("no-login-30d".to_owned(), counts(&[("cleared", 4), ("raised", 5)]))].into(),
        },
    }
}

#[test]
fn the_process_state_keeps_its_bytes() {
    let committed = golden("process_state.json", &serde_json::to_vec(&process_state()).unwrap());
    let read: ProcessState = serde_json::from_slice(&committed).unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", process_state()));
    assert_eq!((PROCESS_STATE, outbox_name(258)), ("process", "outbox/258".to_owned()), "the names under which the store keeps them");
}

/// As data directories have it that no run has opened since.
#[test]
fn a_process_state_without_what_was_added_later_is_read() {
    let mut stored = serde_json::to_string(&process_state()).unwrap();
    let files = serde_json::to_string(&process_state().files).unwrap();
    for added in [r#""unfinished_bytes":21,"#, r#""unfinished_bytes":0,"#, r#""kpis_bytes":1234,"#, &format!(r#""files":{files},"#)] {
        assert!(stored.contains(added), "{added}");
        stored = stored.replace(added, "");
    }
    let read: ProcessState = serde_json::from_str(&stored).unwrap();
    assert_eq!((read.inputs[0].unfinished_bytes, read.kpis_bytes, read.files), (0, 0, OutputFiles::default()));
}

/// What a rebuild aims at is written by one program, and may be read by a later one: it survives what makes the rebuild necessary.
#[test]
fn what_a_rebuild_aims_at_keeps_its_bytes() {
    let positions =
        [(0, (70_001, 0, 0)), (258, (9, i64::MAX, 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)), (3, (7, 1_767_225_600_000, u128::MAX))];
    let rebuild = Rebuild { from: 2, positions: positions.into() };
    let read: Rebuild = serde_json::from_slice(&golden("rebuild.json", &serde_json::to_vec(&rebuild).unwrap())).unwrap();
    assert_eq!((read, REBUILD), (rebuild, "rebuild"));
}

#[test]
fn an_outbox_keeps_its_bytes() {
    let counts = [(("no-login-30d".to_owned(), "raised"), 2), (("promoter".to_owned(), "decided"), 1)];
    let outbox = Rendered {
        signals: b"{\"id\":\"1\"}\n{\"subject\":\"gr\xc3\xb6\xc3\x9fe\"}\n".to_vec(),
        decisions: b"{\"id\":\"2\"}\n".to_vec(),
        counts: counts.into(),
        ..Rendered::default()
    };
    let read = outbox::decode(&golden("outbox.json", &outbox::encode(&outbox)), 0).unwrap();
    assert_eq!((read.signals, read.decisions, read.counts), (outbox.signals, outbox.decisions, outbox.counts));
}

/// The text of a block is pinned, and that it is a zstd frame which tells its size; how well zstd compresses may change.
#[test]
fn journal_blocks_keep_their_framing() {
    let lines = [
        r#"{"specversion":"1.0","id":"e1","source":"/a","type":"login","subject":"c-1","time":"2026-01-01T00:00:00Z","data":{"user":"u-0000000000000001"}}"#,
        r#"{"specversion":"1.0","id":"e2","source":"/a","type":"usage","subject":"größe","time":"2025-12-31T23:59:59.001Z","data":{"feature":"a\tb\n","count":2}}"#,
    ];
    let decoder = Decoder::default();
    let decoded: Vec<_> = lines.map(|line| Ok(DecodedEvent::from(decoder.decode_journal(line).unwrap()))).into_iter().collect();
    let record = |line: u32, watermark: i64| Sequenced { line, key: CustomerKey(0), identity: 0, watermark: Time(watermark) };
    let records = [record(0, 1_767_225_600_000), record(TICK_LINE, 1_767_225_600_001), record(1, 1_767_225_600_001)];
    let run = Run { first_offset: 1, offsets: None, lines: &decoded, records: &records, tick: Some(Time(1_767_225_660_000)) };
    let block = encode_block(&run);
    assert!(block.starts_with(&ZSTD_MAGIC) && block[4] & TELLS_SIZE != 0, "{block:02x?}");
    let text = block_text(&block).unwrap();
    let committed = String::from_utf8(golden("journal_block.txt", text.as_bytes())).unwrap();
    let read = decode_block(&committed, &decoder).unwrap();
    assert_eq!(read.tick, run.tick);
    let watermarks: Vec<Time> = read.records.iter().map(|record| record.watermark).collect();
    assert_eq!(watermarks, records.map(|record| record.watermark));
    let events: Vec<_> = read.lines.iter().flatten().map(|line| line.event.clone()).collect();
    assert_eq!(events, decoded.iter().flatten().map(|line| line.event.clone()).collect::<Vec<_>>());
    assert_eq!(block_text(&encode_text(&committed)).unwrap(), committed);
}

#[test]
fn control_records_of_a_data_directory_keep_their_framing() {
    let created = serde_json::json!({ "type": "journal.created", "journal": "j", "partitions": 4, "pseudonym_key_id": "00000000000000ff" });
    let rules = serde_json::json!({ "type": "rules.published", "number": 2, "text": "signals: []\n" });
    let blocks = [encode_control(Time(0), &created), encode_control(Time(1_767_225_600_000), &rules)];
    let text = blocks.map(|block| block_text(&block).unwrap()).concat();
    golden("journal_controls.txt", text.as_bytes());
}
