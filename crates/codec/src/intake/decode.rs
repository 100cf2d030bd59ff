//! Decoded epochs: events that borrow from the epoch's text, decoded in parallel where there are cores for it.

use std::str;

use bellwether_engine::event::{CustomerKey, Event};
use rayon::prelude::*;
use self_cell::self_cell;

use crate::event::{Decoder, Scratch};
use crate::rejection::Rejection;

use super::{Line, RawEpoch};

/// Lines whose text is checked to be UTF-8 in one go, and the least that one thread takes.
const LINES_AT_ONCE: usize = 64;

/// An event, with what hashing can be done before the one sequential step.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedEvent<'a> {
    /// The event.
    pub event: Event<'a>,
    /// The key of its customer.
    pub key: CustomerKey,
    /// Its identity, by which duplicates are recognised.
    pub identity: u64,
}

impl<'a> From<Event<'a>> for DecodedEvent<'a> {
    fn from(event: Event<'a>) -> Self {
        Self { key: CustomerKey::of(&event.customer), identity: event.identity(), event }
    }
}

/// An event, or why the line is none.
pub type DecodedLine<'a> = Result<DecodedEvent<'a>, Rejection>;

/// One for each line of the epoch, in its order.
type DecodedLines<'a> = Vec<DecodedLine<'a>>;

self_cell! {
    struct Cell {
        owner: RawEpoch,

        #[covariant]
        dependent: DecodedLines,
    }
}

/// An epoch with its events.
pub struct DecodedEpoch {
    cell: Cell,
}

impl DecodedEpoch {
    /// Decodes every line; with `parallel`, on all threads of the present rayon pool.
    #[must_use]
    pub fn decode(raw: RawEpoch, decoder: &Decoder, parallel: bool) -> Self {
        Self { cell: Cell::new(raw, |raw| decode_lines(raw, &raw.lines, decoder, parallel)) }
    }

    /// The lines and positions.
    #[must_use]
    pub fn raw(&self) -> &RawEpoch {
        self.cell.borrow_owner()
    }

    /// The event of each line, or why it is none.
    pub fn lines(&self) -> &[DecodedLine<'_>] {
        self.cell.borrow_dependent()
    }

    /// The event of a line, unless the line was rejected.
    #[must_use]
    pub fn event(&self, line: u32) -> Option<&Event<'_>> {
        self.lines().get(line as usize)?.as_ref().ok().map(|decoded| &decoded.event)
    }

    /// Gives the lines back, without their events.
    #[must_use]
    pub fn into_raw(self) -> RawEpoch {
        self.cell.into_owner()
    }
}

/// Decodes consecutive lines of an epoch; with `parallel`, on all threads of the present rayon pool.
#[must_use]
pub fn decode_lines<'a>(raw: &'a RawEpoch, lines: &'a [Line], decoder: &Decoder, parallel: bool) -> Vec<DecodedLine<'a>> {
    let mut decoded = Vec::with_capacity(lines.len());
    if !parallel || rayon::current_num_threads() == 1 {
        let mut scratch = Scratch::new();
        for lines in lines.chunks(LINES_AT_ONCE) {
            let stretch = Stretch::of(raw, lines);
            scratch.look_at(stretch.text.unwrap_or_default());
            decoded.extend(lines.iter().map(|line| stretch.decode_line(line, decoder, &mut scratch)));
        }
        return decoded;
    }
    let stretches: Vec<Stretch<'a>> = lines.par_chunks(LINES_AT_ONCE).map(|lines| Stretch::of(raw, lines)).collect();
    (0..lines.len())
        .into_par_iter()
        .with_min_len(LINES_AT_ONCE)
        .map_init(
            || (Scratch::new(), None),
            |(scratch, looked_at), index| {
                let stretch = &stretches[index / LINES_AT_ONCE];
                if *looked_at != Some(stretch.base) {
                    scratch.look_at(stretch.text.unwrap_or_default());
                    *looked_at = Some(stretch.base);
                }
                stretch.decode_line(&lines[index], decoder, scratch)
            },
        )
        .collect_into_vec(&mut decoded);
    decoded
}

/// Lines that lie one after another in the text.
struct Stretch<'a> {
    raw: &'a RawEpoch,
    /// Where the first of them begins.
    base: usize,
    /// Their text, if all of it is UTF-8.
    text: Option<&'a str>,
}

impl<'a> Stretch<'a> {
    fn of(raw: &'a RawEpoch, lines: &'a [Line]) -> Self {
        let base = lines.first().map_or(0, |line| line.start as usize);
        let end = lines.last().map_or(base, |line| line.end as usize);
        Self { raw, base, text: str::from_utf8(&raw.text[base..end]).ok() }
    }

    #[inline(always)]
    fn decode_line(&self, line: &Line, decoder: &Decoder, scratch: &mut Scratch<'a>) -> DecodedLine<'a> {
        if let Some(flaw) = &line.flaw {
            return Err(flaw.rejection());
        }
        match self.text_of(line) {
            Some(text) => decoder.decode_next((line.start as usize - self.base, text), scratch),
            None => decoder.decode(&self.raw.text[line.span()]).map(DecodedEvent::from),
        }
    }

    /// The line as text. A line can end within a character that the next one seems to complete: then it is none.
    fn text_of(&self, line: &Line) -> Option<&'a str> {
        let span = line.span();
        self.text?.get(span.start - self.base..span.end - self.base)
    }
}
