//! Decoding an epoch, alone and in parallel.

use bellwether_engine::event::CustomerKey;

use super::super::{DecodedEpoch, MAX_LINE_BYTES};
use super::{Files, event, gzip, log, zstd};
use crate::event::Decoder;
use crate::rejection::RejectReason;

fn decoded(content: &[u8], parallel: bool) -> DecodedEpoch {
    let files = Files::new(&[("a.jsonl", content)]);
    let epoch = files.epochs(&["a.jsonl"], None).swap_remove(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| DecodedEpoch::decode(epoch, &Decoder::default(), parallel))
}

#[test]
fn parallel_decoding_gives_the_same() {
    let mut content = log(5_000, "c");
    content.extend_from_slice(b"{\xff}\nnonsense\n");
    content.extend(log(3_000, "d"));
    let (one, other) = (decoded(&content, false), decoded(&content, true));
    assert_eq!(one.lines().len(), 8_002);
    assert!(one.lines() == other.lines());
    assert_eq!(one.lines().iter().filter(|line| line.is_err()).count(), 2);
}

#[test]
fn an_event_comes_with_its_hashes() {
    let epoch = decoded(event(5, "c-1").as_bytes(), false);
    let decoded = epoch.lines()[0].as_ref().unwrap();
    assert_eq!(decoded.key, CustomerKey::of("c-1"));
    assert_eq!(decoded.identity, decoded.event.identity());
    assert_eq!(epoch.event(0), Some(&decoded.event));
    assert_eq!(epoch.event(1), None);
}

#[test]
fn a_character_is_not_completed_by_the_next_line() {
    // Without their line ends, the two halves of the character meet in the epoch's text.
    let content = ["{\"id\":\"".as_bytes(), b"\xe2\x82\n\xac\n", event(1, "c").as_bytes()].concat();
    let epoch = decoded(&content, false);
    assert!(std::str::from_utf8(&epoch.raw().text).is_ok());
    let reasons: Vec<_> = epoch.lines().iter().map(|line| line.as_ref().err().map(|rejection| rejection.reason)).collect();
    assert_eq!(reasons, [Some(RejectReason::InvalidUtf8), Some(RejectReason::InvalidUtf8), None]);
}

#[test]
fn flawed_lines_are_rejected_with_their_measure() {
    let content = "x".repeat(MAX_LINE_BYTES + 7);
    let epoch = decoded(content.as_bytes(), false);
    let rejection = epoch.lines()[0].as_ref().unwrap_err();
    assert_eq!(rejection.reason, RejectReason::LineTooLong);
    assert_eq!(rejection.detail, "the line has 1048583 bytes, more than the 1048576 allowed");
    let letter = epoch.raw().dead_letter(&epoch.raw().lines[0], rejection);
    assert_eq!((letter.length, letter.hash), (content.len() as u64, xxhash_rust::xxh3::xxh3_128(content.as_bytes())));

    // Within a line that is too long already: what could be read of it is measured, not what is kept.
    let packed = gzip(content.as_bytes());
    let files = Files::new(&[("a.gz", &packed[..packed.len() - 3])]);
    let epoch = DecodedEpoch::decode(files.epochs(&["a.gz"], None).swap_remove(0), &Decoder::default(), false);
    let rejection = epoch.lines()[0].as_ref().unwrap_err();
    assert_eq!(rejection.reason, RejectReason::InputTruncated);
    let letter = epoch.raw().dead_letter(&epoch.raw().lines[0], rejection);
    assert!(rejection.detail.contains(&format!("after {} readable bytes", letter.length)), "{}", rejection.detail);
    let length = usize::try_from(letter.length).unwrap();
    assert!(length > MAX_LINE_BYTES, "{length} bytes could be read");
    assert_eq!(letter.hash, xxhash_rust::xxh3::xxh3_128(&content.as_bytes()[..length]));

    let packed = zstd(&log(10, "c"));
    let files = Files::new(&[("a.zst", &packed[..packed.len() - 2])]);
    let epoch = DecodedEpoch::decode(files.epochs(&["a.zst"], None).swap_remove(0), &Decoder::default(), false);
    assert_eq!(epoch.lines().last().unwrap().as_ref().unwrap_err().reason, RejectReason::InputTruncated);
}
