//! The section `console` of the configuration: the guarded listener, who may use it, and its limits.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use bellwether_codec::yaml::{Absent, Field, Form, Node, Reader, Section, Settings};

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use crate::tls::TlsFiles;
use crate::tokens::TokenHash;
pub use crate::tokens::Tokens;

/// Where the guarded listener is when nothing else is said: this machine only.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:9465";

/// What stands for the customer in the template of links.
pub(crate) const CUSTOMER: &str = "{customer}";

const fn field(name: &'static str, form: Form, absent: Absent, doc: &'static str) -> Field {
    Field { name, form, absent, doc }
}

/// Hashes of tokens.
const TOKENS: Form = Form::List(&Form::Secret);

/// The fields of the section.
pub const CONSOLE: Section = Section {
    what: "the console",
    doc: "The guarded listener: events in, queries, administration, and the page for people. Without this section there is none. \
          `printf %s \"$TOKEN\" | sha256sum` tells the hash of a token. An address that others reach should have TLS: its own, or that of a proxy.",
    fields: &[
        field(
            "address",
            Form::Text,
            Absent::Default(DEFAULT_ADDRESS),
            "HOST:PORT; port 0 takes any. An address that others reach needs tokens.",
        ),
        field(
            "tls_certificate_file",
            Form::Text,
            Absent::Means("no TLS"),
            "The certificate of this listener with those between it and its root, PEM. Then it speaks TLS alone. It is read again when it has \
             changed: see `tls_check_interval`.",
        ),
        field("tls_key_file", Form::Text, Absent::Means("see `tls_certificate_file`"), "The private key of this certificate, PEM."),
        field(
            "tls_check_interval",
            Form::Duration,
            Absent::Default("1m"),
            "How often certificate and key are looked at. New connections get what has changed; what cannot be used is told once, and what there was is kept.",
        ),
        field(
            "read_tokens_sha256",
            TOKENS,
            Absent::Means("no token, if there are none for writing either: whoever reaches the listener may read"),
            "SHA-256 of the tokens that may read, 64 hexadecimal digits each.",
        ),
        field("write_tokens_sha256", TOKENS, Absent::Means("the same for writing"), "SHA-256 of the tokens that may bring events."),
        field(
            "admin_tokens_sha256",
            TOKENS,
            Absent::Means("no administration"),
            "SHA-256 of the tokens that may pause, resume and set the log level.",
        ),
        field(
            "take_events",
            Form::Boolean,
            Absent::Default("true"),
            "Without Kafka: whether the run goes on after its files with `POST /v1/events`, and lets time pass by the clock. With `false` it stays as its \
             files left it, to be looked at.",
        ),
        field(
            "events_topic",
            Form::Text,
            Absent::Means("no events are taken beside Kafka"),
            "Beside Kafka: the input topic to which `POST /v1/events` writes, one that a source of format `auto`, `plain` or `structured` reads.",
        ),
        field(
            "advertised_url",
            Form::Text,
            Absent::Means("other instances name this one, and cannot send anybody here"),
            "Beside Kafka: where clients of other instances find this listener, such as `https://one.example:9465`. Who asks another one for a customer of \
             this instance is redirected there.",
        ),
        field(
            "customer_url_template",
            Form::Text,
            Absent::Means("no links"),
            "The address of a customer in your CRM, with `{customer}` in the place of its id.",
        ),
        field("max_body", Form::Size, Absent::Default("1MiB"), "The largest body of a request; at most 16MiB."),
        field("max_batch_events", Form::Whole(1, 10_000), Absent::Default("1000"), "The most events of a request."),
        field(
            "request_timeout",
            Form::Duration,
            Absent::Default("10s"),
            "How long a request may take, how long a client may take to send its head, and how long it may leave an answer without taking any of it.",
        ),
        field(
            "max_concurrent_requests",
            Form::Whole(1, 10_000),
            Absent::Default("64"),
            "Requests at work at once; others are refused for now.",
        ),
        field("max_connections", Form::Whole(1, 10_000), Absent::Default("256"), "Connections at once; others wait."),
        field(
            "max_timeline_records",
            Form::Whole(1, 10_000_000),
            Absent::Default("200000"),
            "The latest records of a partition's journal that a timeline looks at.",
        ),
        field("refresh_interval", Form::Duration, Absent::Default("5s"), "How old the list of open signals may be."),
    ],
};

/// Of the time for a request: in so much of it the journal has to have its events, else the answer is that their topic has them.
const JOURNAL_SHARE_OF_TIMEOUT: f64 = 0.5;

/// And in so much of it somebody has to say what became of them, else the answer is that nobody knows: it has to be written in the rest.
const ANSWER_SHARE_OF_TIMEOUT: f64 = 0.8;

/// What the guarded listener is told.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// Where it listens.
    pub address: SocketAddr,
    /// With what it proves itself, if it speaks TLS.
    pub tls: Option<TlsFiles>,
    /// Who may do what.
    pub tokens: Tokens,
    /// Whether an embedded run takes in events after its files.
    pub take_events: bool,
    /// The input topic to which a run beside Kafka writes the events that it takes.
    pub events_topic: Option<String>,
    /// Where clients of other instances find this listener; without a slash at its end.
    pub advertised_url: Option<String>,
    /// The address of a customer elsewhere, with `{customer}` in it.
    pub customer_url_template: Option<String>,
    /// The largest body, bytes.
    pub max_body_bytes: usize,
    /// The most events of a request.
    pub max_batch_events: usize,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Requests at work at once.
    pub max_concurrent_requests: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// The latest records of a journal partition that a timeline looks at.
    pub max_timeline_records: u64,
    /// How old the list of open signals may be.
    pub refresh_interval: Duration,
}

impl ConsoleSettings {
    /// How long to wait until the journal has the events of a request.
    #[must_use]
    pub fn journal_patience(&self) -> Duration {
        self.request_timeout.mul_f64(JOURNAL_SHARE_OF_TIMEOUT)
    }

    /// How long to wait for word of what became of them.
    #[must_use]
    pub fn answer_patience(&self) -> Duration {
        self.request_timeout.mul_f64(ANSWER_SHARE_OF_TIMEOUT)
    }
}

/// Reads the section. Where something is wrong, it is written down; then what is returned is of no use.
pub fn read_console(reader: &mut Reader<'_>, node: &Node, parse_size: impl Fn(&str) -> Result<u64, String>) -> ConsoleSettings {
    let settings = reader.settings(node, &CONSOLE);
    let tokens = Tokens {
        read: read_tokens(reader, &settings, "read_tokens_sha256"),
        write: read_tokens(reader, &settings, "write_tokens_sha256"),
        admin: read_tokens(reader, &settings, "admin_tokens_sha256"),
    };
    ConsoleSettings {
        address: read_address(reader, &settings, node, &tokens),
        tls: read_tls(reader, &settings),
        tokens,
        take_events: reader.boolean_setting(&settings, "take_events"),
        events_topic: reader.optional_text_setting(&settings, "events_topic"),
        advertised_url: read_advertised_url(reader, &settings),
        customer_url_template: read_template(reader, &settings),
        max_body_bytes: read_max_body(reader, &settings, parse_size),
        max_batch_events: reader.whole_setting(&settings, "max_batch_events", 1..=10_000) as usize,
        request_timeout: milliseconds(reader.duration_setting(&settings, "request_timeout")),
        max_concurrent_requests: reader.whole_setting(&settings, "max_concurrent_requests", 1..=10_000) as usize,
        max_connections: reader.whole_setting(&settings, "max_connections", 1..=10_000) as usize,
        max_timeline_records: u64::from(reader.whole_setting(&settings, "max_timeline_records", 1..=10_000_000)),
        refresh_interval: milliseconds(reader.duration_setting(&settings, "refresh_interval")),
    }
}

fn milliseconds(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs().max(1))
}

/// The largest body where nothing is given, bytes: `max_body` says the same.
const DEFAULT_MAX_BODY_BYTES: u64 = 1 << 20;

/// The largest body that may be configured, bytes.
const LARGEST_MAX_BODY_BYTES: u64 = 16 << 20;

fn read_max_body(reader: &mut Reader<'_>, settings: &Settings<'_>, parse_size: impl Fn(&str) -> Result<u64, String>) -> usize {
    let text = reader.text_setting(settings, "max_body");
    let size = parse_size(&text).and_then(|bytes| {
        let fits = (1..=LARGEST_MAX_BODY_BYTES).contains(&bytes);
        if fits { Ok(bytes as usize) } else { Err("it must be from 1KiB to 16MiB".to_owned()) }
    });
    if let (Err(problem), Some(node)) = (&size, settings.get("max_body")) {
        reader.error(&node.place, format!("max_body: {problem}"));
    }
    size.unwrap_or(1)
}

fn read_tokens(reader: &mut Reader<'_>, settings: &Settings<'_>, name: &str) -> Vec<TokenHash> {
    let Some(node) = settings.get(name) else { return Vec::new() };
    let mut hashes = Vec::new();
    for item in reader.list(node, "hashes of tokens") {
        match item.as_text().map(str::trim).and_then(TokenHash::from_hex) {
            Some(hash) => hashes.push(hash),
            None => reader.error(&item.place, format!("{name}: a hash has 64 hexadecimal digits; write it in quotes")),
        }
    }
    hashes
}

fn read_tls(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<TlsFiles> {
    let [certificate, key] = ["tls_certificate_file", "tls_key_file"].map(|name| reader.optional_text_setting(settings, name));
    if certificate.is_some() != key.is_some()
        && let Some(node) = settings.get("tls_certificate_file").or(settings.get("tls_key_file"))
    {
        reader.error(&node.place, "TLS needs both `tls_certificate_file` and `tls_key_file`");
    }
    let check_interval = milliseconds(reader.duration_setting(settings, "tls_check_interval"));
    Some(TlsFiles { certificate: certificate?.into(), key: key?.into(), check_interval })
}

fn read_address(reader: &mut Reader<'_>, settings: &Settings<'_>, section: &Node, tokens: &Tokens) -> SocketAddr {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let text = reader.text_setting(settings, "address");
    let place = settings.get("address").map_or(&section.place, |node| &node.place);
    let found = text.to_socket_addrs().map_err(|error| error.to_string()).and_then(|mut all| all.next().ok_or("no such host".to_owned()));
    let address = match found {
        Ok(address) => address,
        Err(problem) => {
            reader.error(place, format!("address: {problem}; write HOST:PORT, such as {DEFAULT_ADDRESS}"));
            return nowhere;
        }
    };
    if !address.ip().is_loopback() && (tokens.read.is_empty() || tokens.write.is_empty()) {
        let problem = format!("others than this machine reach {address}, so there must be read_tokens_sha256 and write_tokens_sha256");
        reader.error_with_help(place, problem, format!("or listen on {DEFAULT_ADDRESS}"));
    }
    address
}

/// The longest address that is told to others, bytes: Kafka keeps it beside each committed offset, in 4,096 bytes at most.
const MAX_ADVERTISED_URL_BYTES: usize = 512;

fn read_advertised_url(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<String> {
    let url = reader.optional_text_setting(settings, "advertised_url")?;
    let authority = url.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("https" | "http"))).and_then(|uri| {
        let is_bare = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/");
        uri.authority().filter(|authority| is_bare && !authority.as_str().contains('@')).map(ToString::to_string)
    });
    if let Some(node) = settings.get("advertised_url")
        && (authority.is_none() || url.len() > MAX_ADVERTISED_URL_BYTES)
    {
        let problem = format!("advertised_url must be https://HOST:PORT or http://HOST:PORT, in at most {MAX_ADVERTISED_URL_BYTES} bytes");
        reader.error(&node.place, problem);
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn read_template(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<String> {
    let template = reader.optional_text_setting(settings, "customer_url_template")?;
    let is_link = template.starts_with("https://") || template.starts_with("http://");
    if let Some(node) = settings.get("customer_url_template")
        && !(is_link && template.contains(CUSTOMER))
    {
        reader.error(&node.place, format!("customer_url_template must begin with https:// or http:// and have `{CUSTOMER}` in it"));
    }
    Some(template)
}

/// What may stand as it is within a part of an address (RFC 3986, unreserved).
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl ConsoleSettings {
    /// What holds where nothing is given, but for events, which are not taken.
    #[must_use]
    pub fn to_look_at() -> Self {
        let mut reader = Reader::new("");
        let settings = read_console(&mut reader, &Node::empty_mapping(), |_| Ok(DEFAULT_MAX_BODY_BYTES));
        Self { take_events: false, ..settings }
    }

    /// Where a customer is elsewhere.
    pub(crate) fn link(&self, customer: &str) -> Option<String> {
        let customer = utf8_percent_encode(customer, PART).to_string();
        self.customer_url_template.as_ref().map(|template| template.replace(CUSTOMER, &customer))
    }
}
