//! The report as one HTML file: nothing in it needs a network, a script or a font of its own.

mod charts;
mod page;
mod story_chart;
mod tables;

pub use page::render;

/// Why a report cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw a chart: {0}")]
pub struct ChartError(String);

/// Numbers as people read them: a share in percent, or a dash.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A number with so many decimals, or a dash.
fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
}

/// A share with its interval.
fn with_interval(share: Option<f64>, interval: Option<[f64; 2]>) -> String {
    percent(share) + &self::interval(interval)
}

/// An interval of a share, behind it.
fn interval(interval: Option<[f64; 2]>) -> String {
    interval.map(|[low, high]| format!(" ({:.0}–{:.0})", low * 100.0, high * 100.0)).unwrap_or_default()
}

/// A count with its thousands apart.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
