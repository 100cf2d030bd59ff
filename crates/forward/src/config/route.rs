//! One route: where to, what, and how patiently.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bellwether_codec::yaml::{Node, Reader, Settings};
use jiff::civil;

use super::tables::{DIGEST, ROUTE};
use crate::signature::SigningKeys;

/// Headers that are not the operator's to set.
const OWN_HEADERS: [&str; 8] =
    ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length", "host", "transfer-encoding", "user-agent"];

/// A receiver and what it is sent.
#[derive(Clone)]
pub struct RouteSettings {
    /// Its name, also of its files, its consumer group and its series.
    pub name: String,
    /// Where to. It may be a secret, and is never shown.
    pub url: String,
    /// What messages are signed with, if they are.
    pub secret: Option<SecretFrom>,
    /// Further headers.
    pub headers: Vec<Header>,
    /// Which signals.
    pub filter: Filter,
    /// Where a new route begins.
    pub start: Start,
    /// Attempts before a message becomes a dead letter.
    pub attempts: u32,
    /// The wait before the second attempt.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// The longest that an attempt may take.
    pub timeout: Duration,
    /// Requests at once.
    pub in_flight: usize,
    /// Signals read and not settled, at most.
    pub queue: usize,
    /// The daily message, if it is that.
    pub digest: Option<DigestSettings>,
}

/// Without the URL and the headers, which may be secrets.
impl fmt::Debug for RouteSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RouteSettings").field("name", &self.name).field("filter", &self.filter).finish_non_exhaustive()
    }
}

/// Where the signing key comes from.
#[derive(Clone)]
pub enum SecretFrom {
    /// From the configuration.
    Given(SigningKeys),
    /// From a file, which is read at the start.
    File(PathBuf),
}

/// A header with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, which may be a secret.
    pub value: String,
}

/// Which signals a route takes. An empty list takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Owners of customers.
    pub owners: Vec<String>,
    /// Kinds.
    pub kinds: Vec<String>,
    /// Severities.
    pub severities: Vec<String>,
    /// Names of rules.
    pub rules: Vec<String>,
    /// Transitions.
    pub transitions: Vec<String>,
}

/// Where a new route begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the first signal that there is.
    #[default]
    Beginning,
    /// With the next one.
    End,
}

/// The daily message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestSettings {
    /// The time of day, in the zone of the forwarding.
    pub at: civil::Time,
    /// Signals in one message, at most.
    pub max_signals: usize,
}

/// Reads a route; nothing where its name is wrong.
pub(super) fn read_route(reader: &mut Reader<'_>, node: &Node) -> Option<RouteSettings> {
    let settings = reader.settings(node, &ROUTE);
    let name = settings.get("name").and_then(|node| reader.name(node, "a route")).map(str::to_owned);
    let route = RouteSettings {
        name: name.clone().unwrap_or_default(),
        url: read_url(reader, &settings),
        secret: read_secret(reader, &settings),
        headers: read_headers(reader, &settings),
        filter: read_filter(reader, &settings),
        start: reader.choice_setting(&settings, "start", &[("beginning", Start::Beginning), ("end", Start::End)]),
        attempts: reader.whole_setting(&settings, "attempts", 1..=100),
        first_wait: positive(reader, &settings, "first_wait"),
        longest_wait: positive(reader, &settings, "longest_wait"),
        timeout: positive(reader, &settings, "timeout"),
        in_flight: reader.whole_setting(&settings, "in_flight", 1..=64) as usize,
        queue: reader.whole_setting(&settings, "queue", 1..=10_000) as usize,
        digest: settings.get("digest").map(|node| read_digest(reader, node)),
    };
    if route.digest.is_some() {
        for name in ["transitions", "start"] {
            if let Some(node) = settings.get(name) {
                reader.error(&node.place, format!("a digest tells what is open, so that `{name}` means nothing to it"));
            }
        }
    }
    name.map(|_| route)
}

fn read_url(reader: &mut Reader<'_>, settings: &Settings<'_>) -> String {
    let mistakes = reader.mistakes.len();
    let Some((url, place)) = reader.secret_setting(settings, "url") else {
        if let Some(node) = settings.given("url").filter(|_| reader.mistakes.len() == mistakes) {
            reader.error(&node.place, "url is empty: there is nowhere to post to");
        }
        return String::new();
    };
    match url::Url::parse(&url) {
        Err(error) => reader.error_with_help(&place, format!("url: {error}"), "write https://HOST/PATH"),
        Ok(parsed) if !["http", "https"].contains(&parsed.scheme()) => {
            reader.error_with_help(&place, format!("url: `{}` is not spoken here", parsed.scheme()), "write https://HOST/PATH");
        }
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            reader.error(&place, "url: who calls belongs into `headers` (authorization), not into the address");
        }
        Ok(_) => {}
    }
    url
}

fn read_secret(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<SecretFrom> {
    let mistakes = reader.mistakes.len();
    let secret = reader.secret_setting(settings, "secret");
    if let (None, Some(node)) = (&secret, settings.get("secret"))
        && reader.mistakes.len() == mistakes
    {
        reader.error(&node.place, "secret is empty: messages would not be signed; leave the field out if that is meant");
    }
    let file = reader.optional_text_setting(settings, "secret_file");
    match (secret, file) {
        (Some((_, place)), Some(_)) => {
            reader.error(&place, "there is either `secret` or `secret_file`");
            None
        }
        (Some((text, place)), None) => match text.parse() {
            Ok(keys) => Some(SecretFrom::Given(keys)),
            Err(error) => {
                reader.error(&place, format!("secret: {error}"));
                None
            }
        },
        (None, file) => file.map(|file| SecretFrom::File(file.into())),
    }
}

fn read_headers(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Vec<Header> {
    let Some(node) = settings.get("headers") else { return Vec::new() };
    let mut headers = Vec::new();
    for (key, name, node) in reader.open_fields(node, "the headers").entries {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            reader.error(&key.place, format!("`{name}` is set by Bellwether"));
        } else if name.is_empty() || !name.bytes().all(is_token) {
            reader.error(&key.place, format!("`{name}` cannot be the name of a header"));
        }
        let Some(value) = reader.scalar(node) else { continue };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if value.chars().any(|letter| letter.is_control()) {
            reader.error(&node.place, format!("the value of `{name}` has a control character"));
        }
        headers.push(Header { name: name.to_owned(), value });
    }
    headers
}

fn read_filter(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Filter {
    let mut names = |field: &str, what: &str, known: &[&'static str]| {
        let Some(node) = settings.get(field) else { return Vec::new() };
        let options: Vec<(&str, &str)> = known.iter().map(|name| (*name, *name)).collect();
        let mut names = Vec::new();
        for item in reader.list(node, field) {
            let name = if known.is_empty() { reader.text(item, what) } else { reader.choice(item, what, &options) };
            names.extend(name.map(str::to_owned));
        }
        names
    };
    Filter {
        owners: names("owners", "an owner", &[]),
        kinds: names("kinds", "kind", &["at_risk", "upsell", "advocacy", "return", "attention", "data_quality"]),
        severities: names("severities", "severity", &["info", "warning", "critical"]),
        rules: names("rules", "a rule", &[]),
        transitions: names("transitions", "transition", &["raised", "escalated", "eased", "reminded", "cleared", "expired", "resolved"]),
    }
}

fn read_digest(reader: &mut Reader<'_>, node: &Node) -> DigestSettings {
    let settings = reader.settings(node, &DIGEST);
    let text = reader.text_setting(&settings, "at");
    let at = civil::Time::strptime("%H:%M", &text).unwrap_or_else(|_| {
        if let Some(node) = settings.get("at").filter(|_| !text.is_empty()) {
            reader.error_with_help(&node.place, format!("`{text}` is no time of day"), "write \"08:00\", in quotes");
        }
        civil::Time::midnight()
    });
    DigestSettings { at, max_signals: reader.whole_setting(&settings, "max_signals", 1..=1_000) as usize }
}

fn positive(reader: &mut Reader<'_>, settings: &Settings<'_>, name: &str) -> Duration {
    let mistakes = reader.mistakes.len();
    let milliseconds = u64::try_from(reader.duration_setting(settings, name)).unwrap_or_default();
    if let Some(node) = settings.get(name)
        && milliseconds == 0
        && reader.mistakes.len() == mistakes
    {
        reader.error(&node.place, format!("{name} must be more than nothing"));
    }
    Duration::from_millis(milliseconds)
}
