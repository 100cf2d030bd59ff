//! What is made of foreign values: times of counts since 1970, minor units of decimal amounts, and values of texts. All of it is exact.

use std::borrow::Cow;

use bellwether_engine::time::Time;
use iso_currency::Currency;

use crate::event::{Scalar, quote};
use crate::rejection::RejectReason;
use crate::timestamp::format_time;

/// What is wrong with a value, without its place.
pub(super) type Refusal = (RejectReason, String);

/// The last instant of a count since 1970 that has a text: the end of the year 9998.
const LAST_INSTANT_MS: i128 = 253_370_764_799_999;

/// No currency has more decimals.
pub(super) const MAX_EXPONENT: u8 = 6;

/// A number as it is written: `digits` times ten to the power of `exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// The number that a text writes, with at most 38 digits.
    fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        Some(Self { digits, exponent: exponent.checked_sub(i32::try_from(fraction.len()).ok()?)? })
    }

    /// It times ten to a power, rounded down, and whether nothing was lost. `None` beyond 38 digits.
    fn shifted(self, power: i32) -> Option<(i128, bool)> {
        let shift = self.exponent.checked_add(power)?;
        if self.digits == 0 {
            return Some((0, true));
        }
        match (u32::try_from(shift), 10_i128.checked_pow(shift.unsigned_abs())) {
            (Ok(_), Some(factor)) => Some((self.digits.checked_mul(factor)?, true)),
            (Ok(_), None) => None,
            (Err(_), Some(divisor)) => Some((self.digits.div_euclid(divisor), self.digits % divisor == 0)),
            (Err(_), None) => Some((if self.digits < 0 { -1 } else { 0 }, false)),
        }
    }
}

/// A time, of a number of units of `10^-decimals` seconds since 1970.
pub(super) fn epoch(value: &Scalar<'_>, written: Option<&str>, decimals: i32) -> Result<Scalar<'static>, Refusal> {
    let unit = match decimals {
        0 => "seconds",
        3 => "milliseconds",
        _ => "microseconds",
    };
    let expected = format!("a number of {unit} since 1970");
    let text = number_text(value, written).ok_or_else(|| wrong_type(&expected, value))?;
    let decimal = Decimal::parse(&text).ok_or_else(|| wrong_type(&expected, value))?;
    match decimal.shifted(3 - decimals) {
        Some((time_ms @ 0..=LAST_INSTANT_MS, _)) => Ok(Scalar::Text(format_time(Time(time_ms as i64)).into())),
        _ => Err((RejectReason::TimeOutOfRange, format!("{text} {unit} since 1970 are no time between 1970 and 9999"))),
    }
}

/// An integer in minor units, of an amount in major units.
pub(super) fn minor_units(value: &Scalar<'_>, written: Option<&str>, exponent: u8) -> Result<Scalar<'static>, Refusal> {
    let expected = "an amount such as 12.34";
    let text = number_text(value, written).ok_or_else(|| wrong_type(expected, value))?;
    let decimal = Decimal::parse(&text).ok_or_else(|| wrong_type(expected, value))?;
    let out_of_range = |what: String| Err((RejectReason::OutOfRange, format!("{} {what}", shown(&text))));
    match decimal.shifted(i32::from(exponent)) {
        Some((_, false)) => out_of_range(format!("has more than {exponent} decimals")),
        Some((minor, true)) => match i64::try_from(minor) {
            Ok(minor) => Ok(Scalar::Integer(minor)),
            Err(_) => out_of_range("is too much".to_owned()),
        },
        None => out_of_range("is too much".to_owned()),
    }
}

/// The decimals of a currency.
pub(super) fn exponent_of(code: &str) -> Result<u8, Refusal> {
    let currency = Currency::from_code(&code.trim().to_ascii_uppercase());
    let exponent = currency.and_then(Currency::exponent).and_then(|exponent| u8::try_from(exponent).ok());
    exponent.ok_or_else(|| (RejectReason::OutOfRange, format!("{} is no currency of ISO 4217 with a number of decimals", quote(code))))
}

/// True or false.
pub(super) fn boolean(value: &Scalar<'_>) -> Result<Scalar<'static>, Refusal> {
    const TRUE: [&str; 4] = ["true", "yes", "on", "1"];
    const FALSE: [&str; 4] = ["false", "no", "off", "0"];
    let is = |text: &str| {
        let among = |words: [&str; 4]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
        among(TRUE).then_some(true).or_else(|| among(FALSE).then_some(false))
    };
    let found = match value {
        Scalar::Boolean(value) => Some(*value),
        Scalar::Text(text) => is(text),
        Scalar::Integer(number) => is(&number.to_string()),
        _ => None,
    };
    found.map(Scalar::Boolean).ok_or_else(|| wrong_type("true or false, yes or no, on or off, 1 or 0", value))
}

/// A number, as JSON writes them.
pub(super) fn number(value: Scalar<'static>) -> Result<Scalar<'static>, Refusal> {
    match value {
        Scalar::Integer(_) | Scalar::HugeInteger(_) | Scalar::Float(_) => Ok(value),
        Scalar::Text(ref text) => match serde_json::from_str::<Scalar<'_>>(text.trim()) {
            Ok(Scalar::Integer(number)) => Ok(Scalar::Integer(number)),
            Ok(Scalar::HugeInteger(number)) => Ok(Scalar::HugeInteger(number)),
            Ok(Scalar::Float(number)) => Ok(Scalar::Float(number)),
            _ => Err(wrong_type("a number", &value)),
        },
        other => Err(wrong_type("a number", &other)),
    }
}

/// A text.
pub(super) fn text(value: Scalar<'static>, written: Option<&str>) -> Result<Scalar<'static>, Refusal> {
    match value {
        Scalar::Text(_) => Ok(value),
        Scalar::Boolean(value) => Ok(Scalar::Text(value.to_string().into())),
        other => match number_text(&other, written) {
            Some(text) => Ok(Scalar::Text(text.into_owned().into())),
            None => Err(wrong_type("a text, a number, true or false", &other)),
        },
    }
}

/// The digits of a number, or the text that stands for one. `written` is how a number stands in the record: a float has lost that.
fn number_text<'v>(value: &'v Scalar<'_>, written: Option<&'v str>) -> Option<Cow<'v, str>> {
    match value {
        Scalar::Integer(number) => Some(number.to_string().into()),
        Scalar::HugeInteger(number) => Some(number.to_string().into()),
        Scalar::Float(number) => Some(written.map_or_else(|| format!("{number:?}").into(), Cow::Borrowed)),
        Scalar::Text(text) => Some(text.trim().into()),
        _ => None,
    }
}

fn wrong_type(expected: &str, found: &Scalar<'_>) -> Refusal {
    (RejectReason::WrongType, format!("expected {expected}, found {}", found.describe()))
}

/// At most 60 characters.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_scalar(text: &str) -> Scalar<'static> {
        Scalar::Text(text.to_owned().into())
    }

    #[test]
    fn amounts_are_exact() {
        for (text, exponent, expected) in [
            ("12.34", 2, Ok(1234)),
            ("12.3", 2, Ok(1230)),
            ("12", 2, Ok(1200)),
            ("12.340", 2, Ok(1234)),
            ("0.29", 2, Ok(29)),
            ("1.1e3", 2, Ok(110_000)),
            ("1234e-2", 2, Ok(1234)),
            (" 12.34 ", 2, Ok(1234)),
            (".5", 2, Ok(50)),
            ("5.", 2, Ok(500)),
            ("-12.34", 2, Ok(-1234)),
            ("1200", 0, Ok(1200)),
            ("1.234", 3, Ok(1234)),
            ("92233720368547758.07", 2, Ok(i64::MAX)),
            ("0e999999999", 2, Ok(0)),
            ("92233720368547758.08", 2, Err("92233720368547758.08 is too much")),
            ("1e999999999", 2, Err("1e999999999 is too much")),
            ("1e-999999999", 2, Err("1e-999999999 has more than 2 decimals")),
            ("12.345", 2, Err("12.345 has more than 2 decimals")),
            ("0.1000000000000000055511151231257827", 2, Err("0.1000000000000000055511151231257827 has more than 2 decimals")),
            ("1,234.50", 2, Err("expected an amount such as 12.34, found the text \"1,234.50\"")),
            ("$12", 2, Err("expected an amount such as 12.34, found the text \"$12\"")),
            ("1_000", 2, Err("expected an amount such as 12.34, found the text \"1_000\"")),
            ("1.-5", 2, Err("expected an amount such as 12.34, found the text \"1.-5\"")),
            ("", 2, Err("expected an amount such as 12.34, found the text \"\"")),
            (".", 2, Err("expected an amount such as 12.34, found the text \".\"")),
            ("NaN", 2, Err("expected an amount such as 12.34, found the text \"NaN\"")),
        ] {
            let found = minor_units(&text_scalar(text), None, exponent).map_err(|(_, detail)| detail);
            assert_eq!(found, expected.map(Scalar::Integer).map_err(str::to_owned), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_comes_back(minor in any::<i64>(), exponent in 0..=MAX_EXPONENT, zeros in 0..4_usize) {
            let unit = 10_u64.pow(u32::from(exponent));
            let (sign, whole, part) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs() / unit, minor.unsigned_abs() % unit);
            let decimals = if exponent == 0 { String::new() } else { format!(".{part:0width$}{}", "0".repeat(zeros), width = usize::from(exponent)) };
            let text = format!("{sign}{whole}{decimals}");
            prop_assert_eq!(minor_units(&text_scalar(&text), None, exponent), Ok(Scalar::Integer(minor)));
        }

        #[test]
        fn no_text_is_too_much(text in "[-+0-9.eE_ ]{0,50}", exponent in 0..=MAX_EXPONENT) {
            let _ = (minor_units(&text_scalar(&text), None, exponent), epoch(&text_scalar(&text), None, 6));
        }
    }

    #[test]
    fn a_number_counts_as_it_is_written() {
        let float = Scalar::Float(9_007_199_254_740_993.25);
        assert_eq!(minor_units(&float, Some("9007199254740993.25"), 2), Ok(Scalar::Integer(900_719_925_474_099_325)));
    }

    #[test]
    fn counts_since_1970() {
        for (value, decimals, expected) in [
            (Scalar::Integer(1_772_352_900), 0, Ok("2026-03-01T08:15:00Z")),
            (text_scalar("1772352900.123456"), 0, Ok("2026-03-01T08:15:00.123Z")),
            (Scalar::Integer(1_772_352_900_123), 3, Ok("2026-03-01T08:15:00.123Z")),
            (Scalar::Integer(1_772_352_900_123_999), 6, Ok("2026-03-01T08:15:00.123Z")),
            (Scalar::Integer(-1), 3, Err("-1 milliseconds since 1970 are no time between 1970 and 9999")),
            (Scalar::Integer(1_772_352_900_123), 0, Err("1772352900123 seconds since 1970 are no time between 1970 and 9999")),
            (text_scalar("2026-03-01"), 0, Err("expected a number of seconds since 1970, found the text \"2026-03-01\"")),
            (Scalar::Boolean(true), 6, Err("expected a number of microseconds since 1970, found true")),
        ] {
            let found = epoch(&value, None, decimals).map_err(|(_, detail)| detail);
            assert_eq!(found, expected.map(text_scalar).map_err(str::to_owned), "{value:?}");
        }
    }

    #[test]
    fn currencies_have_their_decimals() {
        for (code, expected) in [("EUR", 2), ("usd", 2), ("JPY", 0), ("KWD", 3), (" chf ", 2), ("CLF", 4)] {
            assert_eq!(exponent_of(code), Ok(expected), "{code}");
        }
        for code in ["", "EURO", "XAU", "abc"] {
            assert!(exponent_of(code).is_err(), "{code}");
        }
    }

    #[test]
    fn texts_for_truth_and_numbers() {
        for text in ["true", "Yes", " on", "1", "TRUE"] {
            assert_eq!(boolean(&text_scalar(text)), Ok(Scalar::Boolean(true)), "{text}");
        }
        for text in ["false", "No", "off", "0"] {
            assert_eq!(boolean(&text_scalar(text)), Ok(Scalar::Boolean(false)), "{text}");
        }
        assert_eq!(boolean(&Scalar::Integer(0)), Ok(Scalar::Boolean(false)));
        assert!(boolean(&Scalar::Integer(2)).is_err() && boolean(&text_scalar("perhaps")).is_err());
        assert_eq!(number(text_scalar(" 12 ")), Ok(Scalar::Integer(12)));
        assert_eq!(number(text_scalar("1.5")), Ok(Scalar::Float(1.5)));
        for wrong in ["", "x", "\"1\"", "1 2", "[1]"] {
            assert!(number(text_scalar(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(text(Scalar::Integer(7), None), Ok(text_scalar("7")));
        assert_eq!(text(Scalar::Float(7.1), Some("7.10")), Ok(text_scalar("7.10")));
        assert!(text(Scalar::Array, None).is_err());
    }
}
