//! Bytes of records for people and programs: text where they are text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes as text if they are UTF-8, and as base64 otherwise; one of both, or none where there are none.
pub fn text_or_base64(bytes: Option<&[u8]>) -> (Option<String>, Option<String>) {
    match bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| bytes)) {
        Some(Ok(text)) => (Some(text.to_owned()), None),
        Some(Err(bytes)) => (None, Some(STANDARD.encode(bytes))),
        None => (None, None),
    }
}

/// The first characters; what a terminal would obey is shown as it is written in Rust.
pub fn beginning(text: &str, characters: usize) -> String {
    let mut short: String =
        text.chars().take(characters).flat_map(|one| if one.is_control() { one.escape_default().collect() } else { vec![one] }).collect();
    if text.chars().nth(characters).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_the_beginning_and_nothing_that_a_terminal_obeys() {
        assert_eq!(beginning("{\"a\":1}", 60), "{\"a\":1}");
        assert_eq!(beginning("abcdef", 3), "abc…");
        assert_eq!(beginning("a\u{1b}[31m\n", 60), "a\\u{1b}[31m\\n");
    }

    #[test]
    fn bytes_that_are_no_text_are_told_as_base64() {
        assert_eq!(text_or_base64(Some(b"ok")), (Some("ok".to_owned()), None));
        assert_eq!(text_or_base64(Some(b"{\xff}")), (None, Some("e/99".to_owned())));
        assert_eq!(text_or_base64(None), (None, None));
    }
}
