//! Why an input line is refused: a bounded code for counting, and a precise sentence for the producer.

/// The reason of a rejection. The codes are part of the contract (dead letters, metric labels): add some, never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// The text is not one JSON object, or names one attribute twice.
    InvalidJson,
    /// Objects and arrays are nested deeper than [`crate::event::MAX_DEPTH`].
    TooDeep,
    /// The line is longer than the input allows.
    LineTooLong,
    /// A required attribute or data field is absent, or null.
    MissingField,
    /// A value has another JSON type, or another form, than its field.
    WrongType,
    /// A value is outside of what its field may hold.
    OutOfRange,
    /// The event type is not one of the contract's.
    UnknownType,
    /// The event type is unknown, and the configuration says to skip such events: counted, but no dead letter.
    SkippedType,
    /// The event's time, or a date in its data, is not plausible.
    TimeOutOfRange,
    /// The event is dated too far after its own arrival.
    FutureDated,
    /// The input ended in the middle of this record.
    InputTruncated,
    /// The engine panicked on this record, and went on without it.
    Poisoned,
    /// The record tells a user but no customer, and nobody knows whose user that is.
    UnknownCustomer,
}

impl RejectReason {
    /// Every reason, in the order of the enum.
    pub const ALL: [RejectReason; 14] = [
        RejectReason::InvalidUtf8,
        RejectReason::InvalidJson,
        RejectReason::TooDeep,
        RejectReason::LineTooLong,
        RejectReason::MissingField,
        RejectReason::WrongType,
        RejectReason::OutOfRange,
        RejectReason::UnknownType,
        RejectReason::SkippedType,
        RejectReason::TimeOutOfRange,
        RejectReason::FutureDated,
        RejectReason::InputTruncated,
        RejectReason::Poisoned,
        RejectReason::UnknownCustomer,
    ];

    /// The stable code, such as `missing_field`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            RejectReason::InvalidUtf8 => "invalid_utf8",
            RejectReason::InvalidJson => "invalid_json",
            RejectReason::TooDeep => "too_deep",
            RejectReason::LineTooLong => "line_too_long",
            RejectReason::MissingField => "missing_field",
            RejectReason::WrongType => "wrong_type",
            RejectReason::OutOfRange => "out_of_range",
            RejectReason::UnknownType => "unknown_type",
            RejectReason::SkippedType => "skipped_type",
            RejectReason::TimeOutOfRange => "time_out_of_range",
            RejectReason::FutureDated => "future_dated",
            RejectReason::InputTruncated => "input_truncated",
            RejectReason::Poisoned => "poisoned",
            RejectReason::UnknownCustomer => "unknown_customer",
        }
    }
}

/// One refused record: why, and exactly what was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", reason.code())]
pub struct Rejection {
    /// The reason, for counting.
    pub reason: RejectReason,
    /// Which field, what was found and what was expected. Quotes at most 60 characters of the input.
    pub detail: String,
}

impl Rejection {
    /// A rejection.
    #[must_use]
    pub fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_snake_case_and_in_the_order_of_the_enum() {
        let mut codes: Vec<&str> = RejectReason::ALL.iter().map(|reason| reason.code()).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')));
        assert!(RejectReason::ALL.iter().enumerate().all(|(index, reason)| *reason as usize == index));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), RejectReason::ALL.len());
    }

    #[test]
    fn a_rejection_reads_as_a_sentence() {
        let rejection = Rejection::new(RejectReason::MissingField, "data.ticket is missing");
        assert_eq!(rejection.to_string(), "missing_field: data.ticket is missing");
    }
}
