//! Journal blocks: the records that one epoch gives to one partition, as compressed text.
//!
//! A line is the watermark in milliseconds, a tab, and the normalised event; without an event it is a tick. A line
//! whose second part begins with `!` is a control record: `journal.created` or `rules.published`. zstd compresses it all.

use bellwether_codec::dead_letter::DeadLetter;
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::{DecodedEvent, DecodedLine, Sequenced};
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_codec::run::{Run, TICK_LINE};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::time::Time;

use crate::error::LiveError;

/// zstd level of journal blocks: the fastest; a block shrinks to about a tenth.
const COMPRESSION_LEVEL: i32 = 1;

/// The largest block when decompressed, bytes.
const MAX_BLOCK_BYTES: usize = 1 << 30;

/// Encodes the records of a run as a block.
#[must_use]
pub fn encode_block(run: &Run<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(run.records.len() * 256);
    for record in run.records {
        put_watermark(record.watermark, &mut text);
        if let Some(Ok(decoded)) = run.lines.get(record.line as usize) {
            text.push(b'\t');
            encode_event(&decoded.event, &mut text);
        }
        text.push(b'\n');
    }
    if let Some(tick) = run.tick {
        put_watermark(tick, &mut text);
        text.push(b'\n');
    }
    compress(&text)
}

/// Encodes one control record as a block.
#[must_use]
pub fn encode_control(watermark: Time, control: &serde_json::Value) -> Vec<u8> {
    let mut text = Vec::new();
    put_watermark(watermark, &mut text);
    text.extend_from_slice(format!("\t!{control}\n").as_bytes());
    compress(&text)
}

/// Encodes the text of a block.
#[must_use]
pub fn encode_text(text: &str) -> Vec<u8> {
    compress(text.as_bytes())
}

/// The text of a block.
pub fn block_text(block: &[u8]) -> Result<String, LiveError> {
    let damaged = |error: String| LiveError::Damaged(format!("a journal block does not read back: {error}"));
    let bytes = zstd::bulk::decompress(block, upper_bound(block)).map_err(|error| damaged(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))
}

/// The records of a block: the lines, and for each record its watermark and the line of its event.
pub struct BlockRecords<'a> {
    /// Decoded events.
    pub lines: Vec<DecodedLine<'a>>,
    /// Records with an event, by line.
    pub records: Vec<Sequenced>,
    /// The tick at the end.
    pub tick: Option<Time>,
}

/// Decodes the text of a block that holds no control record.
pub fn decode_block<'a>(text: &'a str, decoder: &Decoder) -> Result<BlockRecords<'a>, LiveError> {
    let mut block = BlockRecords { lines: Vec::new(), records: Vec::new(), tick: None };
    for line in text.lines() {
        let damaged = || LiveError::Damaged(format!("a journal record does not read back: {}", line.chars().take(200).collect::<String>()));
        let (watermark, event) = line.split_once('\t').map_or((line, None), |(watermark, event)| (watermark, Some(event)));
        let watermark = Time(watermark.parse().map_err(|_| damaged())?);
        // A tick in the middle stands for a record that was purged.
        if let Some(watermark) = block.tick.take() {
            block.records.push(Sequenced { line: TICK_LINE, key: CustomerKey(0), identity: 0, watermark });
        }
        let Some(event) = event else {
            block.tick = Some(watermark);
            continue;
        };
        let event = decoder.decode_journal(event).map_err(|_| damaged())?;
        let (key, identity) = (CustomerKey::of(&event.customer), event.identity());
        block.records.push(Sequenced { line: block.lines.len() as u32, key, identity, watermark });
        block.lines.push(Ok(DecodedEvent { event, key, identity }));
    }
    Ok(block)
}

/// Writes the dead letter of a journal record that was left out because folding it panicked, as one line.
pub fn poisoned_dead_letter(event: &Event<'_>, journal: &str, offset: u64, line: &mut Vec<u8>) {
    let rejection = Rejection::new(RejectReason::Poisoned, "folding the event panicked; the run goes on without it");
    let mut bytes = Vec::new();
    encode_event(event, &mut bytes);
    DeadLetter::new(&rejection, journal, offset, 0, &bytes).write_line(line);
}

fn put_watermark(watermark: Time, text: &mut Vec<u8>) {
    text.extend_from_slice(watermark.0.to_string().as_bytes());
}

fn compress(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, COMPRESSION_LEVEL).expect("compressing to memory")
}

fn upper_bound(block: &[u8]) -> usize {
    zstd::zstd_safe::get_frame_content_size(block).ok().flatten().map_or(0, |size| (size as usize).min(MAX_BLOCK_BYTES))
}
