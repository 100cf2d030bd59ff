//! Where the quotation marks of many lines are, found sixteen bytes at a time, so that reading a line never looks for the end of a text.

use wide::u8x16;

/// Bytes for which a word has a bit each.
const WORD: usize = 64;

/// Bytes that are looked at together.
const LANES: usize = 16;

/// The quotation marks of a text.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    /// Bit `i` of word `w`: byte `64 w + i` is one.
    words: Vec<u64>,
}

impl Quotes {
    /// Finds those of a text. Returns whether the text is plain: it has neither escapes nor control characters, line ends and tabs among them, so
    /// that every quotation mark begins or ends a text.
    pub(super) fn look_at(&mut self, text: &str) -> bool {
        self.words.clear();
        // One word more than there are bytes for: `next` looks at two together.
        self.words.reserve(text.len() / WORD + 2);
        let mut wrong = u8x16::ZERO;
        let (words, rest) = text.as_bytes().as_chunks::<WORD>();
        for bytes in words {
            self.words.push(quotes_of(bytes, &mut wrong));
        }
        let mut last = [b' '; WORD];
        last[..rest.len()].copy_from_slice(rest);
        self.words.push(quotes_of(&last, &mut wrong));
        self.words.push(0);
        wrong == u8x16::ZERO
    }

    /// The first quotation mark at or after a byte of the text.
    #[inline]
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let [low, high] = *self.words.get(from / WORD..)?.first_chunk()?;
        let ahead = ((u128::from(high) << WORD | u128::from(low)) >> (from % WORD)) as u64;
        if ahead != 0 {
            return Some(from + ahead.trailing_zeros() as usize);
        }
        self.far_from(from)
    }

    /// The same where the next 64 bytes hold none.
    #[cold]
    fn far_from(&self, from: usize) -> Option<usize> {
        let first = from / WORD + 1;
        let (index, word) = (first..).zip(self.words.get(first..)?).find(|(_, word)| **word != 0)?;
        Some(index * WORD + word.trailing_zeros() as usize)
    }
}

/// One bit for each byte that is a quotation mark. What is not plain shows in `wrong`.
#[inline]
fn quotes_of(bytes: &[u8; WORD], wrong: &mut u8x16) -> u64 {
    let (lanes, _) = bytes.as_chunks::<LANES>();
    lanes.iter().rev().fold(0, |bits, lane| {
        let lane = u8x16::new(*lane);
        // Control characters are those that the largest of them does not change.
        let control = lane.max(u8x16::splat(b' ' - 1)).simd_eq(u8x16::splat(b' ' - 1));
        *wrong |= control | lane.simd_eq(u8x16::splat(b'\\'));
        bits << LANES | u64::from(lane.simd_eq(u8x16::splat(b'"')).to_bitmask())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quotation_mark_is_found() {
        for length in [0, 1, 15, 16, 63, 64, 65, 127, 128, 129, 300] {
            for step in [1, 2, 7, 63, 64, 65, 200] {
                let text: String = (0..length).map(|at| if at % step == 0 { '"' } else { 'x' }).collect();
                let mut quotes = Quotes::default();
                assert!(quotes.look_at(&text));
                for from in 0..=length + 1 {
                    let expected = text.bytes().enumerate().skip(from).find(|(_, byte)| *byte == b'"').map(|(at, _)| at);
                    assert_eq!(quotes.next(from), expected, "length {length}, step {step}, from {from}");
                }
            }
        }
    }

    #[test]
    fn only_plain_texts_are_plain() {
        let mut quotes = Quotes::default();
        for at in [0, 15, 16, 63, 64, 70] {
            for byte in 0..128_u8 {
                let mut text = [b'x'; 71];
                text[at] = byte;
                let is_plain = byte >= b' ' && byte != b'\\';
                assert_eq!(quotes.look_at(std::str::from_utf8(&text).unwrap()), is_plain, "{byte} at {at}");
            }
        }
        assert!(quotes.look_at("é\u{7f}\u{80}"));
    }
}
