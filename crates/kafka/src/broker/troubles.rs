//! Why brokers are not reached: librdkafka tells it aside, and the call that suffers from it only times out.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError as Cause;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::classify::classify;
use super::options::ConnectionOptions;
use crate::error::{KafkaError, Remedy};

/// The last trouble with the connections of one client.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<Option<Trouble>>);

#[derive(Clone, Debug)]
struct Trouble {
    noted: Instant,
    reason: String,
    /// A broker was reached, and does not want us.
    refused: bool,
}

/// How long a trouble counts: librdkafka tries again, and fails again, every second or so.
const PRESENT: Duration = Duration::from_secs(10);

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
        *self.0.lock().expect("no holder panics") = Some(Trouble { noted: Instant::now(), reason: reason.to_owned(), refused });
    }

    /// Whether a broker does not want us, so that waiting is of no use.
    pub(crate) fn refused(&self) -> bool {
        self.present().is_some_and(|trouble| trouble.refused)
    }

    fn present(&self) -> Option<Trouble> {
        self.0.lock().expect("no holder panics").clone().filter(|trouble| trouble.noted.elapsed() < PRESENT)
    }

    /// Something worked: the troubles are over.
    pub(super) fn forget(&self) {
        *self.0.lock().expect("no holder panics") = None;
    }

    /// The error of a call, with the trouble that explains it.
    pub(crate) fn explain(&self, what: impl Into<String>, cause: &Cause) -> KafkaError {
        let remedy = classify(cause).remedy;
        let trouble = self.present().filter(|_| remedy == Remedy::Retry);
        match trouble {
            Some(Trouble { refused: true, reason, .. }) => KafkaError::new(Remedy::Stop, what, reason),
            Some(Trouble { reason, .. }) => KafkaError::new(remedy, what, format!("{}; {reason}", text(cause))),
            None => KafkaError::new(remedy, what, text(cause)),
        }
    }
}

/// How long to wait at a time, before looking whether a broker has refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks until there is an answer, an error that does not pass, a broker that does not want us, the word to stop, or the end of the time.
pub(crate) fn patiently<T>(
    connection: &ConnectionOptions,
    troubles: &Troubles,
    mut ask: impl FnMut(Duration) -> Result<T, Cause>,
) -> Result<T, Cause> {
    let limit = connection.timeout;
    let is_over = |deadline| Instant::now() >= deadline || connection.stop.load(Ordering::Relaxed);
    let deadline = Instant::now() + limit;
    loop {
        match ask(PATIENCE.min(limit)) {
            Ok(answer) => {
                troubles.forget();
                return Ok(answer);
            }
            Err(cause) if classify(&cause).remedy != Remedy::Retry || is_over(deadline) || troubles.refused() => {
                return Err(cause);
            }
            Err(_) => sleep(BREATH),
        }
    }
}

/// Some errors come at once.
const BREATH: Duration = Duration::from_millis(50);

/// The message of an error, without values of properties, which may be secrets.
pub(super) fn text(cause: &Cause) -> String {
    match cause {
        Cause::ClientConfig(_, description, name, value) => {
            let description = if value.is_empty() { description.clone() } else { description.replace(value, "...") };
            format!("the property `{name}` is wrong: {description}")
        }
        Cause::MessageConsumption(Code::AutoOffsetReset) => {
            "there is nothing at the offset where reading was to go on: the topic's retention has deleted it, or the topic was made anew"
                .to_owned()
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
