//! Times on the wire: RFC 3339 and plain dates to journal milliseconds, and back.

use bellwether_engine::time::{Day, SECOND_MS, Time};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::fmt::temporal::{DateTimeParser, Pieces};

/// The first instant that is not plausible as the time of an event: 2200-01-01. A date in an event's data that lies later, such as the
/// `9999-12-31` by which many systems say "no end", is taken as this instant.
pub const TIME_LIMIT: Time = Time(7_258_118_400_000);

/// Why a text is no usable time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Neither RFC 3339 nor, where that is allowed, a date.
    #[error("not an RFC 3339 time")]
    Malformed,
    /// Before 1970 or, for the time of an event, not before 2200.
    #[error("not between 1970-01-01 and 2200-01-01")]
    OutOfRange,
}

/// The time of an event: RFC 3339 with any offset, rounded down to the millisecond, from 1970 until 2200. A leap second counts as the
/// second before it.
///
/// # Errors
/// When the text is not such a time.
pub fn parse_time(text: &str) -> Result<Time, TimeError> {
    LastDate::default().parse_time(text)
}

/// The date that was read last, with its midnight: most lines have that of the line before, and a calendar takes as long as the rest.
#[derive(Debug)]
pub(crate) struct LastDate {
    text: [u8; 10],
    midnight: Time,
}

impl Default for LastDate {
    fn default() -> Self {
        Self { text: *b"1970-01-01", midnight: Time(0) }
    }
}

impl LastDate {
    /// What [`parse_time`] makes of a text.
    #[inline]
    pub fn parse_time(&mut self, text: &str) -> Result<Time, TimeError> {
        let time = parse_usual_instant(text.as_bytes(), self).map_or_else(|| parse_any_instant(text), Ok)?;
        if time < TIME_LIMIT { Ok(time) } else { Err(TimeError::OutOfRange) }
    }

    /// The midnight of a date such as `2026-03-01`.
    #[inline]
    fn midnight(&mut self, text: &[u8; 10]) -> Option<Time> {
        if self.text != *text {
            let [y, e, a, r, b'-', m, o, b'-', d, n] = *text else { return None };
            let year = 100 * i16::from(number(y, e)?) + i16::from(number(a, r)?);
            self.midnight = midnight(Date::new(year, number(m, o)?, number(d, n)?).ok()?);
            self.text = *text;
        }
        Some(self.midnight)
    }
}

/// A time in an event's data: a date (its midnight, UTC) or RFC 3339, from 1970; whatever lies after [`TIME_LIMIT`] is taken as that.
///
/// # Errors
/// When the text is not such a time.
pub fn parse_date_or_time(text: &str) -> Result<Time, TimeError> {
    let time = if text.len() == "2026-03-01".len() {
        let date: Date = text.parse().map_err(|_| TimeError::Malformed)?;
        let midnight = midnight(date);
        if midnight < Time(0) {
            return Err(TimeError::OutOfRange);
        }
        midnight
    } else {
        parse_instant(text)?
    };
    Ok(time.min(TIME_LIMIT))
}

/// The UTC day of a date such as `2026-03-01`.
pub(crate) fn parse_date(text: &str) -> Option<Day> {
    let date: Date = text.parse().ok().filter(|_| text.len() == "2026-03-01".len())?;
    Some(midnight(date).day())
}

/// The RFC 3339 text of an instant, in UTC, with as many decimals as it needs: `2026-03-01T08:15:00Z`.
#[must_use]
pub fn format_time(time: Time) -> String {
    to_jiff(time).to_string()
}

/// The nearest instant that jiff can hold: every time that a decoded event can have is one.
pub(crate) fn to_jiff(time: Time) -> Timestamp {
    let milliseconds = time.0.clamp(Timestamp::MIN.as_millisecond(), Timestamp::MAX.as_millisecond());
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The first instant of a day, UTC.
fn midnight(date: Date) -> Time {
    Time(date.duration_since(Date::constant(1970, 1, 1)).as_secs() * SECOND_MS)
}

fn parse_instant(text: &str) -> Result<Time, TimeError> {
    parse_usual_instant(text.as_bytes(), &mut LastDate::default()).map_or_else(|| parse_any_instant(text), Ok)
}

/// An instant written like `2026-03-01T08:15:00Z`, from 1970, for which the general parser takes longer; `None` for every other text.
#[inline]
fn parse_usual_instant(text: &[u8], last: &mut LastDate) -> Option<Time> {
    let (date, clock) = text.split_first_chunk()?;
    let [b'T', h, i, b':', u, v, b':', s, t, b'Z'] = *clock else { return None };
    let (hour, minute, second) = (number(h, i)?, number(u, v)?, number(s, t)?);
    let seconds = 3_600 * i64::from(hour) + 60 * i64::from(minute) + i64::from(second);
    let time = last.midnight(date)?.plus_ms(seconds * SECOND_MS);
    (hour < 24 && minute < 60 && second < 60 && time >= Time(0)).then_some(time)
}

/// The number that two digits make.
fn number(tens: u8, ones: u8) -> Option<i8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| 10 * (tens - b'0') as i8 + (ones - b'0') as i8)
}

fn parse_any_instant(text: &str) -> Result<Time, TimeError> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    match PARSER.parse_timestamp(text) {
        Ok(timestamp) if timestamp >= Timestamp::UNIX_EPOCH => Ok(Time(timestamp.as_millisecond())),
        Ok(_) => Err(TimeError::OutOfRange),
        Err(_) => beyond_jiff(text),
    }
}

/// The last day of 9999 is after the last instant that jiff knows, yet a common way to say "no end".
#[cold]
fn beyond_jiff(text: &str) -> Result<Time, TimeError> {
    let pieces = Pieces::parse(text).map_err(|_| TimeError::Malformed)?;
    let is_instant = pieces.time().is_some() && pieces.offset().is_some();
    match pieces.date().year() {
        9999 if is_instant => Ok(TIME_LIMIT),
        ..=0 if is_instant => Err(TimeError::OutOfRange),
        _ => Err(TimeError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_times() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("2022-01-10T23:55:20Z", Ok(1_641_858_920_000)),
            ("2022-01-10T23:55:20.123Z", Ok(1_641_858_920_123)),
            ("2022-01-10T23:55:20.9999999Z", Ok(1_641_858_920_999)),
            ("2022-01-11T00:55:20+01:00", Ok(1_641_858_920_000)),
            ("2022-01-10t18:25:20-05:30", Ok(1_641_858_920_000)),
            ("2016-12-31T23:59:60Z", Ok(1_483_228_799_000)),
            ("2199-12-31T23:59:59.999Z", Ok(7_258_118_399_999)),
            ("2200-01-01T00:00:00Z", Err(TimeError::OutOfRange)),
            ("2999-01-01T00:00:00Z", Err(TimeError::OutOfRange)),
            ("9999-12-31T23:59:59Z", Err(TimeError::OutOfRange)),
            ("1900-01-01T00:00:00Z", Err(TimeError::OutOfRange)),
            ("1969-12-31T23:59:59.9999Z", Err(TimeError::OutOfRange)),
            ("0000-01-01T00:00:00Z", Err(TimeError::OutOfRange)),
            ("2022-01-10", Err(TimeError::Malformed)),
            ("2022-01-10T23:55:20", Err(TimeError::Malformed)),
            ("2022-02-30T00:00:00Z", Err(TimeError::Malformed)),
            ("9999-12-31", Err(TimeError::Malformed)),
            ("1641858920", Err(TimeError::Malformed)),
            ("yesterday", Err(TimeError::Malformed)),
            ("", Err(TimeError::Malformed)),
        ] {
            assert_eq!(parse_time(text), expected.map(Time), "{text}");
        }
    }

    #[test]
    fn the_usual_form_is_read_like_any_other() {
        let (mut day, mut last) = (Date::constant(1970, 1, 1), LastDate::default());
        while day <= Date::constant(2200, 1, 2) {
            let text = format!("{day}T23:59:59Z");
            // Once with the date of the line before, and once with its own.
            for _ in 0..2 {
                assert_eq!(parse_usual_instant(text.as_bytes(), &mut last).map(Ok), Some(parse_any_instant(&text)), "{text}");
            }
            day = day.tomorrow().unwrap();
        }
        let usual = "2024-02-29T08:15:00Z";
        let (mut read, mut left) = (0, 0);
        for at in 0..usual.len() {
            for byte in b' '..=b'~' {
                let mut text = usual.as_bytes().to_vec();
                text[at] = byte;
                let Some(time) = parse_usual_instant(&text, &mut last) else {
                    left += 1;
                    continue;
                };
                read += 1;
                let text = String::from_utf8(text).unwrap();
                assert_eq!(Ok(time), parse_any_instant(&text), "{text}");
            }
        }
        assert!(read > 50 && left > 1_000, "{read} read, {left} left to the general parser");
    }

    #[test]
    fn data_times() {
        for (text, expected) in [
            ("2022-02-11", Ok(1_644_537_600_000)),
            ("1970-01-01", Ok(0)),
            ("2022-02-11T00:00:00Z", Ok(1_644_537_600_000)),
            ("2199-12-31", Ok(TIME_LIMIT.0 - bellwether_engine::time::DAY_MS)),
            ("2999-01-01T00:00:00Z", Ok(TIME_LIMIT.0)),
            ("9999-12-31", Ok(TIME_LIMIT.0)),
            ("9999-12-31T23:59:59Z", Ok(TIME_LIMIT.0)),
            ("1969-12-31", Err(TimeError::OutOfRange)),
            ("1900-01-01T00:00:00Z", Err(TimeError::OutOfRange)),
            ("2022-02-30", Err(TimeError::Malformed)),
            ("11.02.2022", Err(TimeError::Malformed)),
            ("20220211", Err(TimeError::Malformed)),
            ("", Err(TimeError::Malformed)),
        ] {
            assert_eq!(parse_date_or_time(text), expected.map(Time), "{text}");
        }
    }

    #[test]
    fn formatting() {
        assert_eq!(format_time(Time(0)), "1970-01-01T00:00:00Z");
        assert_eq!(format_time(Time(1_641_858_920_120)), "2022-01-10T23:55:20.12Z");
        assert_eq!(format_time(TIME_LIMIT), "2200-01-01T00:00:00Z");
        assert_eq!(format_time(Time::MIN), "-009999-01-02T01:59:59Z");
    }
}
