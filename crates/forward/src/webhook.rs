//! One attempt to deliver a message over HTTP, and what its answer means.

use std::io::Read as _;
use std::time::Duration;

use jiff::Timestamp;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::backoff;
use crate::config::{Header, RouteSettings};
use crate::signature::SigningKeys;

/// What is read of an answer at most, bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// What of an answer is told at most, characters.
const TOLD_CHARACTERS: usize = 200;

/// A message to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// By which receivers drop repeats.
    pub id: String,
    pub content_type: &'static str,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
    pub body: Vec<u8>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The receiver has it.
    Taken,
    /// It may be taken another time.
    Failed { status: Option<u16>, detail: String, asked_for: Option<Duration> },
    /// It never will.
    Refused { status: Option<u16>, detail: String },
}

/// A receiver.
pub(crate) struct Webhook {
    agent: Agent,
    url: String,
    headers: Vec<Header>,
    keys: Option<SigningKeys>,
}

impl Webhook {
    /// Nothing is connected yet.
    pub fn new(route: &RouteSettings, keys: Option<SigningKeys>) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(route.timeout))
            .http_status_as_error(false)
            // A message goes where it was meant to go, and nowhere else.
            .max_redirects(0)
            .max_idle_connections_per_host(route.in_flight)
            .max_idle_connections(route.in_flight)
            .user_agent(concat!("bellwether/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .build()
            .into();
        Self { agent, url: route.url.clone(), headers: route.headers.clone(), keys }
    }

    /// Posts a message once.
    pub fn post(&self, message: &Message) -> Answer {
        // Each attempt is signed anew, since receivers refuse timestamps that are old.
        let now = Timestamp::now();
        let mut request = self.agent.post(&self.url).header("content-type", message.content_type).header("webhook-id", &message.id);
        request = request.header("webhook-timestamp", now.as_second().to_string());
        if let Some(keys) = &self.keys {
            request = request.header("webhook-signature", keys.sign(&message.id, now.as_second(), &message.body));
        }
        if let Some(traceparent) = &message.traceparent {
            request = request.header("traceparent", traceparent);
        }
        for Header { name, value } in &self.headers {
            request = request.header(name, value);
        }
        match request.send(&message.body[..]) {
            Ok(mut response) => {
                let status = response.status().as_u16();
                let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let asked_for = wait.and_then(|wait| backoff::asked_for(wait, now));
                let mut answer = Vec::new();
                // The answer is read so that the connection can be used again; whether that works says nothing about the message.
                let _ = response.body_mut().as_reader().take(MAX_ANSWER_BYTES).read_to_end(&mut answer);
                judge(status, &answer, asked_for)
            }
            Err(error @ (ureq::Error::Http(_) | ureq::Error::BadUri(_))) => Answer::Refused { status: None, detail: self.told(&error) },
            Err(error) => Answer::Failed { status: None, detail: self.told(&error), asked_for: None },
        }
    }

    /// An error in words, without the address, which may be a secret.
    fn told(&self, error: &ureq::Error) -> String {
        error.to_string().replace(&self.url, "the address")
    }
}

/// 2xx is taken. Timeouts (408), "too early" (425), too many requests (429) and troubles of the server (5xx) pass; all else is final.
fn judge(status: u16, answer: &[u8], asked_for: Option<Duration>) -> Answer {
    let words = String::from_utf8_lossy(answer);
    let words: String = words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TOLD_CHARACTERS).collect();
    let detail = if words.is_empty() { format!("status {status}") } else { format!("status {status}: {words}") };
    match status {
        200..=299 => Answer::Taken,
        408 | 425 | 429 | 500..=599 => Answer::Failed { status: Some(status), detail, asked_for },
        _ => Answer::Refused { status: Some(status), detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_taken_failed_or_refused() {
        for (statuses, expected) in [
            (vec![200, 202, 204], "Taken"),
            (vec![408, 425, 429, 500, 503], "Failed"),
            (vec![301, 307, 400, 401, 404, 410, 422], "Refused"),
        ] {
            for status in statuses {
                let found = format!("{:?}", judge(status, b"", None));
                assert!(found.starts_with(expected), "{status}: {found}");
            }
        }
        let Answer::Refused { detail, .. } = judge(400, " bad\n\n thing ".repeat(100).as_bytes(), None) else { panic!("not refused") };
        assert!(detail.starts_with("status 400: bad thing bad") && detail.len() < 230, "{detail}");
    }
}
