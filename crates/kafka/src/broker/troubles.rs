//! Why brokers are not reached: librdkafka tells it aside, and the call that suffers from it only times out.

use std::sync::Mutex;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError as Cause;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::classify::classify;
use crate::error::{KafkaError, Remedy};

/// The last trouble with the connections of one client.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<Option<Trouble>>);

#[derive(Clone, Debug)]
struct Trouble {
    reason: String,
    /// A broker was reached, and does not want us.
    refused: bool,
}

/// What librdkafka's own errors, as opposed to what a broker said, begin with.
const LOCAL: &str = "Local:";

impl Troubles {
    /// Keeps what librdkafka tells aside.
    pub(super) fn note(&self, cause: &Cause, reason: &str) {
        tracing::debug!(target: "bellwether_kafka", %cause, reason, "Kafka");
        let code = cause.rdkafka_error_code();
        // The sum of all troubles says less than each of them.
        if code == Some(Code::AllBrokersDown) {
            return;
        }
        let refused = code == Some(Code::Authentication) && !reason.contains(LOCAL);
        *self.0.lock().expect("no holder panics") = Some(Trouble { reason: reason.to_owned(), refused });
    }

    /// Whether a broker does not want us, so that waiting is of no use.
    pub(super) fn refused(&self) -> bool {
        self.0.lock().expect("no holder panics").as_ref().is_some_and(|trouble| trouble.refused)
    }

    /// Something worked: the troubles are over.
    pub(super) fn forget(&self) {
        *self.0.lock().expect("no holder panics") = None;
    }

    /// The error of a call, with the trouble that explains it.
    pub(crate) fn explain(&self, what: impl Into<String>, cause: &Cause) -> KafkaError {
        let remedy = classify(cause).remedy;
        let trouble = self.0.lock().expect("no holder panics").clone().filter(|_| remedy == Remedy::Retry);
        match trouble {
            Some(Trouble { refused: true, reason }) => KafkaError::new(Remedy::Stop, what, reason),
            Some(Trouble { reason, .. }) => KafkaError::new(remedy, what, format!("{}; {reason}", text(cause))),
            None => KafkaError::new(remedy, what, text(cause)),
        }
    }
}

/// The message of an error, without values of properties, which may be secrets.
pub(super) fn text(cause: &Cause) -> String {
    match cause {
        Cause::ClientConfig(_, description, name, value) => {
            let description = if value.is_empty() { description.clone() } else { description.replace(value, "...") };
            format!("the property `{name}` is wrong: {description}")
        }
        Cause::MessageConsumption(Code::AutoOffsetReset) => {
            "the records that come next are no longer there: the topic's retention has deleted them, or the topic was made anew".to_owned()
        }
        _ => cause.to_string(),
    }
}

/// librdkafka's own log lines.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        // Each client is told the properties of all kinds of clients.
        _ if facility == "CONFWARN" => tracing::debug!(target: "bellwether_kafka::librdkafka", facility, message),
        // What is wrong with connections comes back as the error of a call, if it lasts.
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::warn!(target: "bellwether_kafka::librdkafka", facility, message);
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
            tracing::info!(target: "bellwether_kafka::librdkafka", facility, message);
        }
        _ => tracing::debug!(target: "bellwether_kafka::librdkafka", facility, message),
    }
}
