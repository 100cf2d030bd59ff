//! Stretches of a log, decoded by the thread that reads it.

use std::ops::Range;
use std::sync::mpsc::SyncSender;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedPart, PartReader, Sequencer};
use bellwether_codec::journal::{JournalRecord, Piece, Pieces, PublishedRules, PurgedErasure, SourceState};
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::run::Run;
use bellwether_engine::time::Time;
use self_cell::self_cell;

use super::{CHUNK_RECORDS, Merged};
use crate::error::ReplayError;
use crate::journal::Journal;
use crate::part::Part;

pub(super) type Delivery = Result<Chunk, ReplayError>;

/// Some records, decoded.
pub(super) enum Chunk {
    Journal(JournalChunk),
    Files(Box<Part>),
}

/// What stands in a chunk one after the other.
pub(super) enum View<'c> {
    /// Events and ticks.
    Run(Run<'c>),
    Rules(&'c PublishedRules),
    SourceSilent(&'c SourceState),
    SourceResumed(&'c SourceState),
    Erased(&'c PurgedErasure),
    /// What concerns its own journal alone.
    Created,
}

impl Chunk {
    /// Reads files to their end.
    pub(super) fn send_files(
        mut reader: PartReader,
        mut sequencer: Sequencer,
        decoder: &Decoder,
        clock: Option<Time>,
        to: &SyncSender<Delivery>,
    ) {
        loop {
            let delivery = match reader.next_part() {
                Ok(Some(raw)) => {
                    let decoded = DecodedPart::decode(raw, decoder, false);
                    Ok(Self::Files(Box::new(Part::new(decoded, &mut sequencer, clock, Time::NEVER))))
                }
                Ok(None) => return,
                Err(error) => Err(error.into()),
            };
            if delivery.is_err() | to.send(delivery).is_err() {
                return;
            }
        }
    }

    pub(super) fn views(&self) -> usize {
        match self {
            Self::Journal(chunk) => chunk.cell.borrow_dependent().pieces.len(),
            Self::Files(_) => 1,
        }
    }

    pub(super) fn view(&self, index: usize) -> View<'_> {
        let chunk = match self {
            Self::Files(part) => return View::Run(part.run(0, 0)),
            Self::Journal(chunk) => chunk,
        };
        match &chunk.cell.borrow_dependent().pieces[index] {
            Piece::Records(records) => View::Run(records.run()),
            Piece::Rules(_, rules) => View::Rules(rules),
            Piece::SourceSilent(_, source) => View::SourceSilent(source),
            Piece::SourceResumed(_, source) => View::SourceResumed(source),
            Piece::Erased(_, erasure) => View::Erased(erasure),
            Piece::Created(..) => View::Created,
        }
    }

    /// Counts what of it is no event.
    pub(super) fn count(&self, merged: &mut Merged) {
        match self {
            Self::Files(part) => {
                merged.refused += part.sequenced.rejected.len() as u64;
                let is_truncated = |reason: RejectReason| reason == RejectReason::InputTruncated;
                merged.broke_off |= part.sequenced.rejected.iter().any(|(_, rejection)| is_truncated(rejection.reason));
                if let DecodedPart::Lines(epoch) = &part.decoded
                    && epoch.raw().is_last
                {
                    merged.positions.clone_from(&epoch.raw().positions);
                }
            }
            Self::Journal(chunk) => {
                let refused = |piece: &Piece<'_>| match piece {
                    Piece::Records(records) => records.unreadable().count() as u64,
                    _ => 0,
                };
                merged.refused += chunk.cell.borrow_dependent().pieces.iter().map(refused).sum::<u64>();
            }
        }
    }
}

self_cell! {
    struct Cell {
        owner: OwnRecords,

        #[covariant]
        dependent: Pieces,
    }
}

/// Records of a journal partition.
pub(super) struct JournalChunk {
    cell: Cell,
}

/// Records with their bytes.
#[derive(Default)]
struct OwnRecords {
    bytes: Vec<u8>,
    records: Vec<OwnRecord>,
}

struct OwnRecord {
    offset: u64,
    appended_at: Option<Time>,
    is_control: bool,
    watermark: Option<Range<usize>>,
    value: Option<Range<usize>>,
}

impl JournalChunk {
    /// Reads a partition to its end.
    pub(super) fn send_all(journal: &dyn Journal, partition: u16, decoder: &Decoder, to: &SyncSender<Delivery>) {
        let mut visit = |records: &[JournalRecord<'_>]| {
            let mut chunks = records.chunks(CHUNK_RECORDS).map(|records| Self::new(records, decoder));
            chunks.all(|chunk| to.send(Ok(Chunk::Journal(chunk))).is_ok())
        };
        if let Err(error) = journal.read(partition, &mut visit) {
            // Whoever has gone does not want to know.
            drop(to.send(Err(ReplayError::Journal(error))));
        }
    }

    fn new(records: &[JournalRecord<'_>], decoder: &Decoder) -> Self {
        let mut owner = OwnRecords::default();
        for record in records {
            let mut keep = |bytes: Option<&[u8]>| {
                bytes.map(|bytes| {
                    owner.bytes.extend_from_slice(bytes);
                    owner.bytes.len() - bytes.len()..owner.bytes.len()
                })
            };
            let (watermark, value) = (keep(record.watermark), keep(record.value));
            let JournalRecord { offset, appended_at, is_control, .. } = *record;
            owner.records.push(OwnRecord { offset, appended_at, is_control, watermark, value });
        }
        Self { cell: Cell::new(owner, |owner| Pieces::decode(owner.records.iter().map(|record| owner.borrow(record)), decoder)) }
    }
}

impl OwnRecords {
    fn borrow(&self, record: &OwnRecord) -> JournalRecord<'_> {
        let bytes = |range: &Option<Range<usize>>| range.clone().map(|range| &self.bytes[range]);
        JournalRecord {
            offset: record.offset,
            appended_at: record.appended_at,
            watermark: bytes(&record.watermark),
            is_control: record.is_control,
            value: bytes(&record.value),
        }
    }
}
