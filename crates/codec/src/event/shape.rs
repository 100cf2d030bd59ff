//! Shapes of lines: a producer writes the names of its events in every line the same way, so that what stands between the values is compared
//! as a whole instead of being read.

use std::borrow::Cow;

use bellwether_engine::event_type::EventType;

use super::envelope::{Envelope, Kind, Name};
use super::plain::{Scanner, end_of_scalar};
use super::quotes::Quotes;
use super::scalar::Scalar;

/// Shapes that are known at once. Each costs a line of another shape a comparison or two.
const MAX_SHAPES: usize = 8;

/// A line with more values is always read name by name.
const MAX_VALUES: usize = 16;

/// Behind the first ones, one in so many lines of unknown shape is learned: lines that are all different must not cost more for it.
const LEARN_EVERY: usize = 64;

/// The shapes of the lines before.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// The one that most lines had stands first.
    known: Vec<Shape>,
    unknown_lines: usize,
}

impl Shapes {
    /// Fills the envelope from a line of a known shape; `None` for every other line. The line begins at `start` in the text that was looked
    /// at, which is plain.
    #[inline]
    pub fn read<'a>(&mut self, line: &'a str, start: usize, quotes: &Quotes, envelope: &mut Envelope<'a>) -> Option<()> {
        let index = self.known.iter().position(|shape| shape.read(line, start, quotes, envelope).is_some())?;
        self.known[index].lines += 1;
        if index > 0 && self.known[index].lines > self.known[index - 1].lines {
            self.known.swap(index, index - 1);
        }
        Some(())
    }

    /// Takes note of the shape of a line that could be read.
    pub fn learn(&mut self, line: &str, start: usize, quotes: &Quotes) {
        self.unknown_lines += 1;
        if self.unknown_lines > MAX_SHAPES && !self.unknown_lines.is_multiple_of(LEARN_EVERY) {
            return;
        }
        if let Some(shape) = Shape::of(line, start, quotes) {
            self.known.truncate(MAX_SHAPES - 1);
            self.known.push(shape);
        }
    }
}

/// A line without its values.
#[derive(Debug)]
struct Shape {
    kind: EventType,
    has_data: bool,
    /// What stands before each value and behind the last, one after the other. The type is part of it.
    marks: String,
    values: Vec<Value>,
    /// Lines that had this shape.
    lines: u64,
}

/// A value of a shape.
#[derive(Clone, Copy, Debug)]
struct Value {
    /// Where the marks before it end.
    marks_end: usize,
    is_text: bool,
    place: Place,
}

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
enum Place {
    Attribute(usize),
    Data(usize),
    Traceparent,
    Nowhere,
}

impl Shape {
    /// The shape of a line of the usual kind.
    fn of(line: &str, start: usize, quotes: &Quotes) -> Option<Self> {
        let mut learner = Learner { scanner: Scanner::new(line, start, quotes), marks_start: 0, marks: String::new(), values: Vec::new() };
        let mut kind = None;
        let mut fields = Envelope::new();
        let mut has_data = false;
        learner.scanner.open_object()?;
        while let Some(name) = learner.scanner.next_name()? {
            match Name::of(name) {
                Name::Id => learner.value(Place::Attribute(0))?,
                Name::Source => learner.value(Place::Attribute(1))?,
                Name::Subject => learner.value(Place::Attribute(2))?,
                Name::Time => learner.value(Place::Attribute(3))?,
                Name::Traceparent => learner.value(Place::Traceparent)?,
                Name::Other => learner.value(Place::Nowhere)?,
                Name::DataBase64 => return None,
                Name::Type => {
                    let Scalar::Text(name) = learner.scanner.value()? else { return None };
                    kind = Some(EventType::from_name(&name)?);
                    fields.kind = Kind::Known(kind?);
                }
                Name::Data => {
                    has_data = true;
                    fields.name_data()?;
                    learner.scanner.open_object()?;
                    while let Some(name) = learner.scanner.next_name()? {
                        learner.value(fields.data.slot_of(name).map_or(Place::Nowhere, Place::Data))?;
                    }
                }
            }
        }
        let Learner { mut marks, values, marks_start, .. } = learner;
        marks.push_str(line.get(marks_start..)?);
        (values.len() <= MAX_VALUES).then_some(Self { kind: kind?, has_data, marks, values, lines: 0 })
    }

    /// Fills the envelope from a line of this shape; leaves it alone for every other line.
    #[inline]
    fn read<'a>(&self, line: &'a str, start: usize, quotes: &Quotes, envelope: &mut Envelope<'a>) -> Option<()> {
        let mut found = [""; MAX_VALUES];
        let (mut at, mut marks_start) = (0, 0);
        for (value, found) in self.values.iter().zip(&mut found) {
            let marks = &self.marks.as_bytes()[marks_start..value.marks_end];
            let behind = line.as_bytes().get(at..)?;
            if !behind.starts_with(marks) {
                return None;
            }
            at += marks.len();
            marks_start = value.marks_end;
            let end = if value.is_text { quotes.next(start + at)? - start } else { at + end_of_scalar(behind.get(marks.len()..)?)? };
            *found = line.get(at..end)?;
            at = end;
        }
        if line.as_bytes().get(at..)? != &self.marks.as_bytes()[marks_start..] {
            return None;
        }
        self.fill(&found, envelope).or_else(|| {
            envelope.clear();
            None
        })
    }

    #[inline]
    fn fill<'a>(&self, found: &[&'a str; MAX_VALUES], envelope: &mut Envelope<'a>) -> Option<()> {
        envelope.kind = Kind::Known(self.kind);
        if self.has_data {
            envelope.name_data()?;
        }
        for (value, text) in self.values.iter().zip(found) {
            let scalar = if value.is_text { Scalar::Text(Cow::Borrowed(*text)) } else { serde_json::from_str(text).ok()? };
            match value.place {
                Place::Attribute(slot) => envelope.attributes.put_at(slot, scalar)?,
                Place::Data(slot) => envelope.data.put_at(slot, scalar)?,
                Place::Traceparent => envelope.put_traceparent(&scalar)?,
                Place::Nowhere => {}
            }
        }
        Some(())
    }
}

/// Reads a line to know its shape.
struct Learner<'a, 'q> {
    scanner: Scanner<'a, 'q>,
    /// Where the last value ended.
    marks_start: usize,
    marks: String,
    values: Vec<Value>,
}

impl Learner<'_, '_> {
    fn value(&mut self, place: Place) -> Option<()> {
        let line = self.scanner.line;
        let before = self.scanner.at;
        let value = self.scanner.value()?;
        let (start, end) = match &value {
            Scalar::Text(text) => (self.scanner.at - 1 - text.len(), self.scanner.at - 1),
            _ => (before + line.as_bytes().get(before..)?.iter().position(|byte| *byte != b' ')?, self.scanner.at),
        };
        self.marks.push_str(line.get(self.marks_start..start)?);
        self.values.push(Value { marks_end: self.marks.len(), is_text: matches!(value, Scalar::Text(_)), place });
        self.marks_start = end;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"specversion":"1.0","id":"1","type":"invoice.issued","subject":"c-1","time":"2026-03-01T08:15:00Z","x":null,"traceparent":"00-1","data":{"invoice":"i","amount_minor": 5 }}"#;

    /// Whether a line is read by the shape of the first one, and then as the parser reads it.
    #[track_caller]
    fn check(line: &str, has_the_shape: bool) {
        let (mut shapes, mut quotes) = (Shapes::default(), Quotes::default());
        assert!(quotes.look_at(FIRST));
        shapes.learn(FIRST, 0, &quotes);
        assert_eq!(shapes.known.len(), 1);
        let (mut by_shape, mut parsed) = (Envelope::new(), Envelope::new());
        assert!(quotes.look_at(line));
        assert_eq!(shapes.read(line, 0, &quotes, &mut by_shape).is_some(), has_the_shape, "{line}");
        if has_the_shape {
            parsed.parse(line).unwrap();
            assert_eq!(format!("{by_shape:?}"), format!("{parsed:?}"), "{line}");
        }
    }

    #[test]
    fn other_values_have_the_same_shape() {
        check(FIRST, true);
        check(&FIRST.replace("\"1\"", "\"\"").replace("c-1", "é{}[],: x"), true);
        check(&FIRST.replace("null", "-1.5e3").replace(": 5 ", ": 99999999999999999999 "), true);
        check(&FIRST.replace(": 5 ", ": \"five\" "), true);
    }

    #[test]
    fn other_marks_are_another_shape() {
        check("", false);
        check(&FIRST.replace("\"c-1\"", "\"c-1\" "), false);
        check(&FIRST.replace("\"id\"", "\"ID\""), false);
        check(&FIRST.replace("issued", "paid"), false);
        check(&FIRST.replace("\"c-1\"", "7"), false);
        check(&FIRST.replace(": 5 ", ": five "), false);
        check(&FIRST.replace(": 5 ", ":  "), false);
        check(&FIRST.replace(": 5 ", ": 05 "), false);
        check(&FIRST.replace(": 5 ", ": \"a b\" "), false);
        check(&format!("{FIRST}x"), false);
        check(&FIRST[..FIRST.len() - 1], false);
        check(&FIRST.replace(" }}", ",\"invoice\":\"i\"}}"), false);
    }

    #[test]
    fn the_most_common_shape_is_looked_at_first_and_a_new_one_drives_out_the_last() {
        let mut shapes = Shapes::default();
        let line = |number: usize| format!(r#"{{"a{number}":1,"type":"login"}}"#);
        let mut see = |number: usize| {
            let (line, mut quotes) = (line(number), Quotes::default());
            assert!(quotes.look_at(&line));
            let is_known = shapes.read(&line, 0, &quotes, &mut Envelope::new()).is_some();
            if !is_known {
                shapes.learn(&line, 0, &quotes);
            }
            (is_known, shapes.known[0].marks.contains("a1\""), shapes.known.len())
        };
        assert_eq!(see(0), (false, false, 1));
        assert_eq!(see(1), (false, false, 2));
        assert_eq!(see(1), (true, true, 2));
        (2..MAX_SHAPES).for_each(|number| assert_eq!(see(number), (false, true, number + 1)));
        // There is no room for more, until many were seen.
        let seen_until_known = (1..).find(|_| see(99).0).unwrap();
        assert_eq!(seen_until_known, LEARN_EVERY - MAX_SHAPES + 1);
        assert_eq!(see(MAX_SHAPES - 1), (false, true, MAX_SHAPES));
        assert_eq!(see(1), (true, true, MAX_SHAPES));
    }
}
