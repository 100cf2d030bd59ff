//! A light look at the `time` of a line, for merging, without decoding the rest.

use memchr::memchr2;

use crate::timestamp::parse_time;

/// The `time` attribute in milliseconds since 1970, if the line has one that the decoder would accept: a date in 2999
/// must not hold back the rest of its file. Reads only as far as it must, so the line need not be whole.
pub(super) fn time_ms(line: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(time_text(line)?).ok()?;
    parse_time(text).ok().map(|time| time.0)
}

/// The string that is the value of `time` in the outermost object, as it is written.
fn time_text(line: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_u32;
    let mut at = 0;
    loop {
        match line.get(at)? {
            b'"' => {
                let end = string_end(line, at + 1)?;
                let is_time = depth == 1 && &line[at + 1..end] == b"time";
                if is_time && let Some(value) = line[end + 1..].trim_ascii_start().strip_prefix(b":") {
                    let value = value.trim_ascii_start().strip_prefix(b"\"")?;
                    return Some(&value[..string_end(value, 0)?]);
                }
                at = end;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
}

/// Where the quote is that ends the string beginning at `from`.
fn string_end(line: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr2(b'"', b'\\', line.get(from..)?)?;
        if line[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::time_ms;

    #[test]
    fn only_a_readable_time_of_the_line_itself_counts() {
        let second = Some(1_000);
        for (line, expected) in [
            (r#"{"time":"1970-01-01T00:00:01Z"}"#, second),
            (r#" { "id" : "1" , "time" : "1970-01-01T00:00:01Z" , "data" : {} }"#, second),
            (r#"{"data":{"time":"2020-01-01T00:00:00Z","a":["time"]},"time":"1970-01-01T00:00:01Z"}"#, second),
            (r#"{"id":"time","type":"a\"time\":","time":"1970-01-01T00:00:01Z"}"#, second),
            (r#"{"time":"1970-01-01T00:00:01Z","data":{"#, second),
            (r#"{"data":{"time":"1970-01-01T00:00:01Z"}}"#, None),
            (r#"{"id":"time"}"#, None),
            (r#"{"time":null,"a":"1970-01-01T00:00:01Z"}"#, None),
            (r#"{"time":1}"#, None),
            (r#"{"time":"2999-01-01T00:00:00Z"}"#, None),
            (r#"{"time":"1900-01-01T00:00:00Z"}"#, None),
            (r#"{"time":"1970-01-01T00:00"#, None),
            (r#"}{"time":"1970-01-01T00:00:01Z"}"#, None),
            (r#"["time","1970-01-01T00:00:01Z"]"#, None),
            ("{\"a\\", None),
            ("", None),
        ] {
            assert_eq!(time_ms(line.as_bytes()), expected, "{line}");
        }
    }
}
