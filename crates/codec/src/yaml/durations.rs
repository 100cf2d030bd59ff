//! Durations as files write them: `30d`, `12h`, `1d12h30m`, `90s`, `5ms`.

use bellwether_engine::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS};

/// The units, longest first.
const UNITS: [(&str, i64); 5] = [("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS), ("ms", 1)];

/// The longest duration: a hundred years and some.
const MAX_MS: i64 = 36_600 * DAY_MS;

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not whole numbers with units.
    #[error("not a duration")]
    Malformed,
    /// A number without a unit.
    #[error("a duration needs a unit")]
    NoUnit,
    /// A unit twice, or a short one before a longer one.
    #[error("the units of a duration go from long to short, each once")]
    Order,
    /// Over a hundred years.
    #[error("a duration of over a hundred years")]
    TooLong,
}

/// Milliseconds of a duration: whole numbers with the units `d`, `h`, `m`, `s` and `ms`, from long to short.
///
/// # Errors
/// When the text is no such duration.
pub fn parse_duration(text: &str) -> Result<i64, DurationError> {
    let (mut rest, mut total_ms, mut next_unit) = (text, 0_i64, 0);
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let after = &rest[digits..];
        let unit = after.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(after.len());
        if digits == 0 {
            return Err(DurationError::Malformed);
        }
        if after.is_empty() {
            return Err(DurationError::NoUnit);
        }
        let index = UNITS.iter().position(|(name, _)| *name == &after[..unit]).ok_or(DurationError::Malformed)?;
        if index < next_unit {
            return Err(DurationError::Order);
        }
        let count: i64 = rest[..digits].parse().map_err(|_| DurationError::TooLong)?;
        let part_ms = count.checked_mul(UNITS[index].1).ok_or(DurationError::TooLong)?;
        total_ms = total_ms.checked_add(part_ms).filter(|total| *total <= MAX_MS).ok_or(DurationError::TooLong)?;
        next_unit = index + 1;
        rest = &after[unit..];
    }
    Ok(total_ms)
}

/// The shortest text of a duration, such as `1d12h`; `0s` for none.
#[must_use]
pub fn format_duration(milliseconds: i64) -> String {
    let mut text = String::new();
    if milliseconds < 0 {
        text.push('-');
    }
    let mut rest = milliseconds.unsigned_abs();
    for (name, unit_ms) in UNITS {
        let unit_ms = unit_ms.unsigned_abs();
        if rest >= unit_ms {
            text.push_str(&format!("{}{name}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("30d", Ok(30 * DAY_MS)),
            ("12h", Ok(12 * HOUR_MS)),
            ("1d12h30m", Ok(DAY_MS + 12 * HOUR_MS + 30 * MINUTE_MS)),
            ("1d5ms", Ok(DAY_MS + 5)),
            ("2m3s4ms", Ok(2 * MINUTE_MS + 3 * SECOND_MS + 4)),
            ("90s", Ok(90 * SECOND_MS)),
            ("5ms", Ok(5)),
            ("0s", Ok(0)),
            ("0d", Ok(0)),
            ("36600d", Ok(MAX_MS)),
            ("", Err(DurationError::Malformed)),
            ("d", Err(DurationError::Malformed)),
            ("1.5d", Err(DurationError::Malformed)),
            ("-1d", Err(DurationError::Malformed)),
            ("1 d", Err(DurationError::Malformed)),
            ("1w", Err(DurationError::Malformed)),
            ("1days", Err(DurationError::Malformed)),
            ("1D", Err(DurationError::Malformed)),
            ("١d", Err(DurationError::Malformed)),
            ("30", Err(DurationError::NoUnit)),
            ("1d12", Err(DurationError::NoUnit)),
            ("12h1d", Err(DurationError::Order)),
            ("1d1d", Err(DurationError::Order)),
            ("36601d", Err(DurationError::TooLong)),
            ("99999999999999999999d", Err(DurationError::TooLong)),
            ("9223372036854775807d", Err(DurationError::TooLong)),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["0s", "5ms", "30d", "1d12h30m", "1d1h1m1s1ms", "23h59m59s999ms"] {
            assert_eq!(parse_duration(text).map(format_duration).as_deref(), Ok(text));
        }
        assert_eq!(format_duration(90 * SECOND_MS), "1m30s");
        assert_eq!(format_duration(-HOUR_MS), "-1h");
    }
}
