//! Where an event stands in a distributed trace, as W3C Trace Context writes it: carried along, and never looked at by the fold.

use crate::event::Event;
use crate::signal::Output;

/// Version, trace id, parent id and flags, with a hyphen between each: 2, 32, 16 and 2 digits.
const LENGTH: usize = 55;

/// A valid `traceparent` of version 00, <https://www.w3.org/TR/trace-context/#traceparent-header>. A reference, as most events have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent<'a>(&'a [u8; LENGTH]);

impl<'a> TraceParent<'a> {
    /// What a text says; `None` for one that is invalid, which the standard wants ignored.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let text: &[u8; LENGTH] = text.try_into().ok()?;
        let is_hexadecimal = |digits: &[u8]| digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let is_id = |digits: &[u8]| is_hexadecimal(digits) && digits.iter().any(|digit| *digit != b'0');
        let has_hyphens = text[35] == b'-' && text[52] == b'-';
        let is_valid =
            text.starts_with(b"00-") && has_hyphens && is_id(&text[3..35]) && is_id(&text[36..52]) && is_hexadecimal(&text[53..]);
        is_valid.then_some(Self(text))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).expect("digits and hyphens are text")
    }
}

/// Gives what an event has decided the trace of that event.
pub(crate) fn carry(event: &Event<'_>, outputs: &mut [Output]) {
    let Some(traceparent) = event.traceparent else { return };
    for output in outputs {
        if let Output::Signal(signal) | Output::Decision(signal, _) = output {
            signal.traceparent = Some(traceparent.as_str().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_the_standard_calls_valid_is_taken() {
        for text in [VALID, &VALID.replace("-01", "-00"), &VALID.replace("-01", "-ff")] {
            assert_eq!(TraceParent::parse(text.as_bytes()).map(TraceParent::as_str), Some(text));
        }
    }

    #[test]
    fn what_it_calls_invalid_is_ignored() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e473\u{e9}00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(text.as_bytes()), None, "{text}");
        }
    }
}
