//! The limit on nesting: hostile input, that no event needs.

use crate::rejection::{RejectReason, Rejection};

/// How deep objects and arrays may be nested, the event itself being the first level.
pub const MAX_DEPTH: usize = 128;

/// Refuses a line that is nested too deeply, whether or not a field that is read holds the nesting. A line shorter than the brackets
/// would take is not looked at, which is nearly every line.
pub(crate) fn check(line: &str) -> Result<(), Rejection> {
    if line.len() <= 2 * MAX_DEPTH || line.bytes().filter(|byte| opens(*byte)).count() <= MAX_DEPTH {
        return Ok(());
    }
    match first_too_deep(line) {
        None => Ok(()),
        Some(at) => {
            let detail = format!("objects and arrays are nested more than {MAX_DEPTH} levels deep at column {}", at + 1);
            Err(Rejection::new(RejectReason::TooDeep, detail))
        }
    }
}

fn opens(byte: u8) -> bool {
    matches!(byte, b'{' | b'[')
}

/// Where a bracket outside of text opens one level too many.
#[cold]
fn first_too_deep(line: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut is_escaped = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_nesting_counts() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(check(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(check(&nested(MAX_DEPTH + 1)).unwrap_err().reason, RejectReason::TooDeep);
        assert_eq!(
            check(&"{\"a\":".repeat(100_000)).unwrap_err().detail,
            "objects and arrays are nested more than 128 levels deep at column 641"
        );
        assert!(check(&format!("[{}]", "[],".repeat(1_000))).is_ok());
        assert!(check(&format!("\"\\\"{}\"", "[".repeat(1_000))).is_ok());
    }
}
