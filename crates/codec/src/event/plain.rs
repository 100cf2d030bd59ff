//! The usual line, read directly: an object of plain texts, numbers and booleans, with `data` of the same kind behind its `type`.

use std::borrow::Cow;

use bellwether_engine::event_type::EventType;

use super::envelope::{Envelope, Kind, Name};
use super::quotes::Quotes;
use super::scalar::Scalar;

/// Fills the envelope from a line of the usual shape; `None` for every other line, which then is for the parser to read or to reject.
///
/// What it reads it reads as the parser does, and faster. It gives up on lists and objects within, on a name that stands twice, on
/// `data` before `type`, on binary data, and on anything that is wrong. The line begins at `start` in the text that was looked at, which is plain.
pub(super) fn read<'a>(line: &'a str, start: usize, quotes: &Quotes, envelope: &mut Envelope<'a>) -> Option<()> {
    let mut scanner = Scanner::new(line, start, quotes);
    scanner.open_object()?;
    while let Some(name) = scanner.next_name()? {
        let name = Name::of(name);
        if let Name::Data = name {
            read_data(&mut scanner, envelope)?;
            continue;
        }
        let value = scanner.value()?;
        match name {
            Name::DataBase64 => return None,
            Name::Id => envelope.attributes.put_at(0, value)?,
            Name::Source => envelope.attributes.put_at(1, value)?,
            Name::Subject => envelope.attributes.put_at(2, value)?,
            Name::Time => envelope.attributes.put_at(3, value)?,
            Name::Type => {
                let (Kind::Missing, Scalar::Text(name)) = (&envelope.kind, value) else { return None };
                envelope.kind = Kind::Known(EventType::from_name(&name)?);
            }
            Name::Traceparent => envelope.put_traceparent(&value)?,
            Name::Data | Name::Other => {}
        }
    }
    scanner.is_at_end().then_some(())
}

fn read_data<'a>(scanner: &mut Scanner<'a, '_>, envelope: &mut Envelope<'a>) -> Option<()> {
    envelope.name_data()?;
    scanner.open_object()?;
    while let Some(name) = scanner.next_name()? {
        let slot = envelope.data.slot_of(name);
        let value = scanner.value()?;
        if let Some(slot) = slot {
            envelope.data.put_at(slot, value)?;
        }
    }
    Some(())
}

/// What is left of a plain line.
pub(super) struct Scanner<'a, 'q> {
    pub(super) line: &'a str,
    pub(super) at: usize,
    /// Where the line begins in the text that was looked at.
    start: usize,
    quotes: &'q Quotes,
    /// An object has just begun: its first name follows without a comma.
    is_at_first: bool,
}

impl<'a, 'q> Scanner<'a, 'q> {
    pub(super) fn new(line: &'a str, start: usize, quotes: &'q Quotes) -> Self {
        Self { line, at: 0, start, quotes, is_at_first: false }
    }

    pub(super) fn open_object(&mut self) -> Option<()> {
        self.expect(b'{')?;
        self.is_at_first = true;
        Some(())
    }

    /// The name of the next member, whose value follows; nothing at the end of the object.
    #[inline]
    pub(super) fn next_name(&mut self) -> Option<Option<&'a [u8]>> {
        let is_first = std::mem::replace(&mut self.is_at_first, false);
        match self.line.as_bytes().get(self.at..)? {
            // Blanks are rare between the marks of an object.
            [b',', b'"', ..] if !is_first => self.at += 2,
            _ => match self.next_byte()? {
                b'}' => return Some(None),
                b'"' if is_first => {}
                b',' if !is_first => self.expect(b'"')?,
                _ => return None,
            },
        }
        let name = self.text()?;
        self.expect(b':')?;
        Some(Some(name.as_bytes()))
    }

    #[inline]
    pub(super) fn value(&mut self) -> Option<Scalar<'a>> {
        match self.next_byte()? {
            b'"' => Some(Scalar::Text(Cow::Borrowed(self.text()?))),
            b'{' | b'[' => None,
            _ => self.other_value(),
        }
    }

    /// A number, a boolean or nothing, of which the first byte is taken already.
    fn other_value(&mut self) -> Option<Scalar<'a>> {
        let rest = self.line.get(self.at - 1..)?;
        let length = end_of_scalar(rest.as_bytes())?;
        self.at += length - 1;
        serde_json::from_str(rest.get(..length)?).ok()
    }

    /// The text up to the next quotation mark, and goes behind that.
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        let end = self.quotes.next(self.start + self.at)? - self.start;
        let text = self.line.get(self.at..end)?;
        self.at = end + 1;
        Some(text)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next_byte()? == byte).then_some(())
    }

    /// Takes the next byte that is no blank.
    #[inline]
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let byte = *self.line.as_bytes().get(self.at)?;
            self.at += 1;
            if byte != b' ' {
                return Some(byte);
            }
        }
    }

    fn is_at_end(&self) -> bool {
        self.line.as_bytes()[self.at..].iter().all(|byte| *byte == b' ')
    }
}

/// Where a number, a boolean or nothing ends.
#[inline]
pub(super) fn end_of_scalar(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| matches!(byte, b',' | b'}' | b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read<'a>(line: &'a str, envelope: &mut Envelope<'a>) -> bool {
        let mut quotes = Quotes::default();
        quotes.look_at(line) && read(line, 0, &quotes, envelope).is_some()
    }

    // That both readings agree on all lines is tests/event/direct.rs; here is that the usual ones are read directly at all.
    #[test]
    fn the_usual_line_is_read_directly_and_as_the_parser_does() {
        for line in [
            r#"{"specversion":"1.0","id":"9f2","source":"/auth","type":"login","subject":"c-1","time":"2026-03-01T08:15:00Z","data":{"user":"u7"}}"#,
            r#"{"type": "usage", "id": 7, "data": {"feature": "é", "value": -4.5e3, "x": true}, "subject": "c", "ttl": 60}"#,
            r#" { "type" : "customer.erased" } "#,
            r#"{"type":"login","data":{}}"#,
        ] {
            let (mut direct, mut parsed) = (Envelope::new(), Envelope::new());
            assert!(is_read(line, &mut direct), "{line}");
            parsed.parse(line).unwrap();
            assert_eq!(format!("{direct:?}"), format!("{parsed:?}"), "{line}");
        }
    }

    #[test]
    fn the_unusual_line_is_left_to_the_parser() {
        for line in [
            r#"{"type":"login","id":"a\u0062"}"#,
            "{\"type\":\"login\",\t\"id\":\"a\"}",
            r#"{"data":{},"type":"login"}"#,
            r#"{"type":"login","data":{"user":{"id":1}}}"#,
            r#"{"type":"login","ids":[[1]]}"#,
            r#"{"type":"login","data_base64":"e30="}"#,
            r#"{"type":"login","type":"login"}"#,
            r#"{"type":"login","id":"a","id":"a"}"#,
            r#"{"type":"login","data":{"ok":true,"ok":true}}"#,
            r#"{"type":"login","data":{},"data":{}}"#,
            r#"{"type":"page.viewed"}"#,
            r#"{"type":"login"}x"#,
            r#"{"type":"login",}"#,
            r#"{,"type":"login"}"#,
            r#"{"type":"login","id":}"#,
            r#"{"type":"login","id":01}"#,
            r#"{"type":"login""#,
            "",
        ] {
            assert!(!is_read(line, &mut Envelope::new()), "{line}");
        }
    }
}
