//! Sizes, counts and money as people write and read them.

use bellwether_live::options::LEAST_MEMORY_BYTES;

/// Units of memory, by their names in lower case.
const UNITS: [(&str, u64); 8] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("b", 1),
];

/// Less memory than this is too little for a backtest.
const LEAST_BACKTEST_BYTES: u64 = 64 << 20;

/// Currencies without minor units, and those with three decimals (ISO 4217); all others have two.
const NO_DECIMALS: [&str; 8] = ["CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF"];
const THREE_DECIMALS: [&str; 6] = ["BHD", "IQD", "JOD", "KWD", "OMR", "TND"];

/// Bytes of the memory budget of a run, such as `1GiB` or `512 MB`.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    parse_at_least(text, LEAST_MEMORY_BYTES)
}

/// Bytes of the memory for what a backtest keeps.
pub fn parse_backtest_memory(text: &str) -> Result<u64, String> {
    parse_at_least(text, LEAST_BACKTEST_BYTES)
}

fn parse_at_least(text: &str, least: u64) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < least { Err(format!("at least {}MiB are needed", least >> 20)) } else { Ok(bytes) }
}

/// Bytes of any size.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((lower.strip_suffix(unit)?.trim(), *bytes)));
    let (number, unit_bytes) = unit.ok_or("a size has a unit: for example 512MiB or 2GiB")?;
    let number: u64 = number.parse().map_err(|_| "a size is a whole number and a unit: for example 512MiB or 2GiB")?;
    number.checked_mul(unit_bytes).ok_or_else(|| "more memory than there is in the world".to_owned())
}

/// A count with its thousands apart: `1,234,567`.
pub fn count(number: impl TryInto<i128>) -> String {
    let number: i128 = number.try_into().unwrap_or(i128::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// An amount in minor units: `1,234.50 EUR`.
pub fn money(minor: i64, currency: &str) -> String {
    let decimals = match currency {
        currency if NO_DECIMALS.contains(&currency) => 0,
        currency if THREE_DECIMALS.contains(&currency) => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(decimals);
    let sign = if minor < 0 { "-" } else { "" };
    let whole = count(minor.unsigned_abs() / unit);
    let part = minor.unsigned_abs() % unit;
    match decimals {
        0 => format!("{sign}{whole} {currency}"),
        decimals => format!("{sign}{whole}.{part:0width$} {currency}", width = decimals as usize),
    }
}

/// Bytes in whole mebibytes.
pub fn memory(bytes: u64) -> String {
    format!("{} MiB", count(bytes.div_ceil(1 << 20)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_needs_a_unit() {
        assert_eq!(parse_memory("1GiB"), Ok(1 << 30));
        assert_eq!(parse_memory(" 512 mb "), Ok(512_000_000));
        assert_eq!(parse_memory("262144KiB"), Ok(256 << 20));
        for wrong in ["", "1", "GiB", "1.5GiB", "-1GiB", "1KiB", "99999999999999TiB", "1Gi"] {
            assert!(parse_memory(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_memory("255MiB"), Err("at least 256MiB are needed".to_owned()));
        assert_eq!((parse_backtest_memory("64MiB").ok(), parse_backtest_memory("63MiB").ok()), (Some(64 << 20), None));
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567")] {
            assert_eq!(count(number), expected);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        assert_eq!(money(123_450, "EUR"), "1,234.50 EUR");
        assert_eq!(money(-5, "USD"), "-0.05 USD");
        assert_eq!(money(12_345, "JPY"), "12,345 JPY");
        assert_eq!(money(1_234_005, "KWD"), "1,234.005 KWD");
    }
}
