//! Where a part of a scalar's text stands in the file.

use std::ops::Range;

/// The bytes of the file in which the bytes `part` of `value` stand, where `raw` is what the file has at `start` for the scalar `value`.
/// None where the scalar is folded over several lines.
#[must_use]
pub fn part_of_scalar(raw: &str, start: usize, value: &str, part: &Range<usize>) -> Option<Range<usize>> {
    let offsets = offsets(raw, value)?;
    let at = |byte: usize| offsets.get(byte.min(value.len())).map(|offset| start + offset);
    Some(at(part.start)?..at(part.end)?.max(at(part.start)?))
}

/// For each byte of `value`, and its end, the byte of `raw` that it comes from.
fn offsets(raw: &str, value: &str) -> Option<Vec<usize>> {
    let raw = raw.trim_end();
    if raw.contains('\n') {
        return None;
    }
    match raw.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted_offsets(raw, quote, value),
        _ => (raw == value.trim_end()).then(|| (0..=value.len()).collect()),
    }
}

fn quoted_offsets(raw: &str, quote: char, value: &str) -> Option<Vec<usize>> {
    let mut offsets = Vec::with_capacity(value.len() + 1);
    let mut position = 1;
    for letter in value.chars() {
        offsets.extend(std::iter::repeat_n(position, letter.len_utf8()));
        let rest = raw.get(position..)?;
        let found = rest.chars().next()?;
        position += match (quote, found) {
            ('\'', '\'') => 2,
            ('"', '\\') => match rest.chars().nth(1)? {
                'x' => 4,
                'u' => 6,
                'U' => 10,
                escape => 1 + escape.len_utf8(),
            },
            _ if found == letter => letter.len_utf8(),
            _ => return None,
        };
    }
    offsets.push(position);
    (raw.get(position..)? == quote.to_string()).then_some(offsets)
}

#[cfg(test)]
mod tests {
    use super::part_of_scalar;

    #[test]
    fn parts_are_found_through_quotes_and_escapes() {
        for (raw, value, part, expected) in [
            ("a > b", "a > b", "b", Some("b")),
            ("\"a > b\"", "a > b", "b", Some("b")),
            ("'it''s > b'", "it's > b", "b", Some("b")),
            ("'it''s > b'", "it's > b", "'", Some("''")),
            (r#""g == \"red\" && b""#, r#"g == "red" && b"#, "b", Some("b")),
            (r#""g == \"red\" && b""#, r#"g == "red" && b"#, "\"red\"", Some(r#"\"red\""#)),
            (r#""\u00fc\x41ü > b""#, "üAü > b", "ü > b", Some("ü > b")),
            ("a > b\n", "a > b\n", "b", Some("b")),
            ("a >\n  b", "a > b", "b", None),
            ("\"a >\n  b\"", "a > b", "b", None),
            ("a > c", "a > b", "b", None),
        ] {
            let at = value.rfind(part).unwrap();
            let found = part_of_scalar(raw, 0, value, &(at..at + part.len()));
            assert_eq!(found.map(|range| &raw[range]), expected, "{raw}");
        }
    }

    #[test]
    fn an_empty_part_at_the_end_is_the_end() {
        assert_eq!(part_of_scalar("'a > '", 10, "a > ", &(4..4)), Some(15..15));
        assert_eq!(part_of_scalar("a >", 10, "a >", &(3..3)), Some(13..13));
    }
}
