//! Configurations: what is read from them, and what is said about each mistake.

use bellwether_codec::source::{SourceFormat, Tombstones};
use bellwether_live::config::{PropertyValue, TopicPattern, UnknownTypes};
use bellwether_live::options::DEFAULT_MEMORY_BYTES;

use super::load::load;
use super::{Configuration, PseudonymKey};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

fn variable(name: &str) -> Option<String> {
    [("KEY", KEY), ("COUNT", "7"), ("YES", "true"), ("EMPTY", ""), ("PASSWORD", "12345")]
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| (*value).to_owned())
}

#[track_caller]
fn configuration(text: &str) -> Configuration {
    load("bellwether.yaml", text, &variable).unwrap_or_else(|errors| panic!("{errors}")).1
}

/// The mistakes of a text must be these, as `line:column: message; help`.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let errors = load("bellwether.yaml", text, &variable).err().unwrap_or_else(|| panic!("no mistakes in\n{text}"));
    let told = errors.0.into_iter().map(|error| {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}:{}: {}{help}", error.line, error.column, error.message)
    });
    assert_eq!(told.collect::<Vec<_>>(), expected, "\n{text}");
}

/// A section kafka with this besides a broker and a source.
#[track_caller]
fn check_kafka(fields: &str, expected: &[&str]) {
    check(&format!("kafka:\n  brokers: b:1\n  sources: [{{ name: a, topics: [a] }}]\n{fields}"), expected);
}

/// One source with these fields.
#[track_caller]
fn check_source(fields: &str, expected: &[&str]) {
    check(&format!("kafka:\n  brokers: b:1\n  sources:\n  - {{ {fields} }}"), expected);
}

#[test]
fn nothing_at_all_is_the_defaults() {
    for text in ["", "# nothing\n", "{}", "kafka: ~"] {
        let Configuration { data, memory_bytes, kafka, pseudonym_key, .. } = configuration(text);
        assert_eq!((data.to_str(), memory_bytes), (Some("./bellwether-data"), DEFAULT_MEMORY_BYTES));
        assert!(kafka.is_none() && matches!(pseudonym_key, PseudonymKey::Environment));
    }
}

#[test]
fn a_kafka_run_has_its_defaults() {
    let kafka = configuration("kafka: { brokers: 'b:1, c:2', sources: [{ name: a, topics: [a] }] }").kafka.unwrap();
    assert_eq!((kafka.application.as_str(), kafka.instance, kafka.static_membership), ("bellwether", None, false));
    assert_eq!(
        (kafka.journal.topic.as_str(), kafka.journal.partitions, kafka.journal.tick_interval_ms),
        ("bellwether.journal", 12, 60_000)
    );
    assert_eq!(kafka.topics.dead_letters, "bellwether.dead-letters");
    assert_eq!((kafka.replication, kafka.min_insync_replicas, kafka.journal_retention_ms), (3, 2, None));
    assert_eq!((kafka.commit_interval_ms, kafka.watermark_interval_ms, kafka.max_watermark_drift_ms), (100, 1_000, 60_000));
    assert_eq!((kafka.breaker.ratio, kafka.breaker.window, kafka.breaker.consecutive), (0.5, 1_000, 200));
    assert_eq!(kafka.snapshots, None);
    let source = &kafka.sources[0];
    assert_eq!((&source.format, source.unknown_types, source.tombstones), (&SourceFormat::Auto, UnknownTypes::Reject, Tombstones::Skip));
    assert!(matches!(&source.topics[..], [TopicPattern::Name(name)] if name == "a"));
}

#[test]
fn a_console_tells_what_fits_together_only() {
    let console = |fields: &str, kafka: &str| format!("console: {{ {fields} }}\n{kafka}");
    let kafka = "kafka: { brokers: 'b:1', sources: [{ name: a, topics: [a, '^in-.*'] }, { name: b, topics: [b], format: binary }] }";
    for topic in ["a", "in-7"] {
        let read = configuration(&console(&format!("events_topic: {topic}"), kafka)).console.unwrap();
        assert_eq!(read.events_topic.as_deref(), Some(topic));
    }
    let help = "name one of the topics of a source whose format is `auto`, `plain` or `structured`";
    let nowhere = format!("1:26: no source reads `c`, so what is posted would go nowhere; {help}");
    check(&console("events_topic: c", kafka), &[&nowhere]);
    let binary = format!("1:26: the source that reads `b` does not take CloudEvents as JSON; {help}");
    check(&console("events_topic: b", kafka), &[&binary]);
    check(&console("events_topic: a", ""), &["1:26: events_topic is for a run beside Kafka: there is no section `kafka`"]);

    let url = |url: &str| configuration(&console(&format!("advertised_url: '{url}'"), "")).console.unwrap().advertised_url.unwrap();
    assert_eq!(["https://one:9465/", "http://10.0.0.1"].map(url), ["https://one:9465", "http://10.0.0.1"]);
    let wrong = "1:28: advertised_url must be https://HOST:PORT or http://HOST:PORT, in at most 512 bytes";
    for url in ["one:9465", "ftp://one", "https://one/console", "https://user@one", "https://one?a=b"] {
        check(&console(&format!("advertised_url: '{url}'"), ""), &[wrong]);
    }

    check(&console("tls_key_file: k.pem", ""), &["1:26: TLS needs both `tls_certificate_file` and `tls_key_file`"]);
    let tls = configuration(&console("tls_key_file: k.pem, tls_certificate_file: c.pem", "")).console.unwrap().tls.unwrap();
    assert_eq!((tls.key.to_str(), tls.certificate.to_str()), (Some("k.pem"), Some("c.pem")));
}

#[test]
fn snapshots_need_a_place_alone() {
    let snapshots = |fields: &str| {
        let text = format!("kafka: {{ brokers: 'b:1', sources: [{{ name: a, topics: [a] }}], snapshots: {{ {fields} }} }}");
        let snapshots = configuration(&text).kafka.unwrap().snapshots.unwrap();
        (snapshots.to, snapshots.every_ms, snapshots.keep.get())
    };
    assert_eq!(snapshots("to: /backup"), ("/backup".to_owned(), 3_600_000, 3));
    assert_eq!(snapshots("to: 'file:///backup', every: 10m, keep: 1"), ("file:///backup".to_owned(), 600_000, 1));
    check_kafka("  snapshots: { every: 1h }", &["4:14: `to` of the snapshots is missing"]);
    check_kafka("  snapshots: { to: /backup, every: 0s }", &["4:36: every must be more than nothing"]);
    check_kafka("  snapshots: { to: /backup, keep: 0 }", &["4:35: keep is 0, and must be from 1 to 1000"]);
    check_kafka(
        "  snapshots: { to: 's3://bucket' }",
        &["4:20: s3://bucket is no place for snapshots: `s3` is not supported in this version: give a directory or a file:// URL"],
    );
}

#[test]
fn variables_stand_for_any_scalar() {
    let text = "
pseudonym_key: ${KEY}
data: /data/${COUNT}
kafka:
  brokers: b:1
  instance: ${EMPTY}
  static_membership: ${YES}
  journal: { partitions: '${COUNT}' }
  client: { sasl.password: '${PASSWORD}', fetch.wait.max.ms: 300, ssl.key.password: a$$b }
  client_files: { ssl.key.pem: /run/key }
  sources: [{ name: a, topics: ['^x\\.[0-9]+$'] }, { name: b, topics: [x.1] }]
";
    let configuration = configuration(text);
    assert!(matches!(configuration.pseudonym_key, PseudonymKey::Given(_)));
    assert_eq!(configuration.data.to_str(), Some("/data/7"));
    let shown = format!("{configuration:?}");
    assert!(!shown.contains("12345") && !shown.contains("a$b") && !shown.contains(KEY), "{shown}");
    let kafka = configuration.kafka.unwrap();
    assert_eq!((kafka.instance.as_deref(), kafka.static_membership, kafka.journal.partitions), (None, true, 7));
    let values: Vec<_> = kafka.client.iter().map(|property| (property.name.as_str(), property.value.clone())).collect();
    let given = |text: &str| PropertyValue::Given(text.to_owned());
    assert_eq!(
        values,
        [
            ("sasl.password", given("12345")),
            ("fetch.wait.max.ms", given("300")),
            ("ssl.key.password", given("a$b")),
            ("ssl.key.pem", PropertyValue::File("/run/key".into())),
        ]
    );
    assert!(kafka.client_properties().unwrap_err().to_string().contains("/run/key"));
    let source = |topic: &str| kafka.source_of(topic).map(|source| source.name.as_str());
    assert_eq!((source("x.2"), source("x.1"), source("y"), source("x.2.y")), (Some("a"), Some("b"), None, None));
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_read_or_has_mistakes() {
    let text = include_str!("../../../../deploy/examples/bellwether.yaml");
    let mut wrong = 0;
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        if let Err(errors) = load("bellwether.yaml", &text[..end], &variable) {
            let lines = text[..end].lines().count().max(1);
            assert!(!errors.0.is_empty() && errors.0.iter().all(|error| (1..=lines + 1).contains(&error.line)), "{errors}");
            wrong += 1;
        }
    }
    assert!(wrong > text.len() / 10, "{wrong}");
}

#[test]
fn mistakes_at_the_top() {
    check("kafak: {}", &["1:1: unknown field of the configuration `kafak`; did you mean `kafka`?"]);
    check("memory: 1MiB", &["1:9: memory: at least 256MiB are needed"]);
    check("memory: 1", &["1:9: expected memory, found the number 1; put it in quotes to make it a text"]);
    check("metrics: nowhere", &["1:10: metrics: invalid socket address; write HOST:PORT, such as 127.0.0.1:9464, or off"]);
    check("pseudonym_key: 12", &["1:16: `pseudonym_key` must be a text; put it in quotes"]);
    check(
        "pseudonym_key: ${PASSWORD}",
        &["1:16: pseudonym_key: a pseudonym key has 32 hexadecimal digits (128 bits), this one has 5 characters"],
    );
    check("pseudonym_key: ${KEY}\npseudonym_key_file: f", &["1:16: there is either `pseudonym_key` or `pseudonym_key_file`"]);
    check(
        "data: ${NONE}",
        &[
            "1:7: the environment variable `NONE` is not set, and there is no default; write ${NAME}, ${NAME:-default}, or $$ for a dollar sign",
        ],
    );
    check("data: ${EMPTY}", &["1:7: expected data, found what the variable holds"]);
    check(
        "a: b: c",
        &[
            "1:5: not YAML: mapping values are not allowed in this context; text that begins with `{`, `[`, `!`, `&`, `*` or `\"`, or holds `: ` or ` #`, stands in quotes",
        ],
    );
    check("- a", &["1:1: expected the configuration, a mapping, found a list"]);
}

#[test]
fn mistakes_in_the_section_kafka() {
    check("kafka: {}", &["1:8: `brokers` of the section kafka is missing", "1:8: `sources` of the section kafka is missing"]);
    check(
        "kafka: { brokers: b, sources: [] }",
        &["1:19: `b` is no broker; write HOST:PORT, with commas between several", "1:31: there must be at least one source"],
    );
    check_kafka(
        "  application: a b",
        &["4:16: `a b` cannot be the name of an application; such names have a-z, A-Z, 0-9, `.`, `_` and `-`, and at most 249 of them"],
    );
    let drift = "max_watermark_drift must be at least twice watermark_interval: inputs that are not behind would wait for each other";
    check_kafka("  watermark_interval: 40s", &[&format!("4:23: {drift}")]);
    check_kafka("  replication: 1", &["4:16: 2 replicas cannot be in sync (min_insync_replicas) where there are 1 (replication)"]);
    check_kafka("  commit_interval: 0s", &["4:20: commit_interval must be more than nothing"]);
    check_kafka(
        "  commit_interval: 100",
        &["4:20: commit_interval: `100`: a duration needs a unit; a duration is written like 30d, 12h, 1d12h30m, 90s or 5ms"],
    );
    check_kafka("  breaker: { ratio: 2 }", &["4:21: ratio is 2, and must be from 0 to 1"]);
    check_kafka("  client: { group.id: x }", &["4:13: `group.id` is set by Bellwether; use `application`"]);
    check_kafka("  client: { a.b: x }\n  client_files: { a.b: y }", &["5:19: `a.b` stands in `client` too"]);
    check_kafka("  topics: { signals: bellwether.health }", &["4:22: `bellwether.health` cannot be `signals` and `health` at once"]);
    check_kafka("  journal: { topic: bellwether.signals }", &["4:21: `bellwether.signals` cannot be `journal` and `signals` at once"]);
    check_kafka("  user_lookup: { learn: false }", &["4:16: a user lookup without a `file` that does not `learn` knows nobody"]);
}

#[test]
fn mistakes_in_sources() {
    check_source("name: A, topics: [a]", &["4:13: `A` cannot be the name of a source; names are made of a-z, 0-9 and `-`"]);
    check_source(
        "name: a, topics: [a], format: json",
        &["4:37: unknown format `json`; known are `auto`, `structured`, `binary`, `plain`, `mapped`"],
    );
    check_source("name: a, topics: [a], format: mapped", &["4:37: a source of format `mapped` needs a `mapping`"]);
    check_source("name: a, topics: [a], mapping: {}", &["4:38: a source of format `auto` has no mapping; write `format: mapped`"]);
    check_source("name: a, topics: [a, a]", &["4:28: `a` is read by two sources, or twice"]);
    for (pattern, foreign) in [(r"^a\.\d+$", r"\d"), ("^(?i)a", "(?"), ("^a.*?b", "*?"), ("^a{2}?", "}?")] {
        let help = r"patterns have `.`, `*`, `+`, `?`, `|`, `( )`, `[0-9]` and `{2,3}`, and a `\` before a sign that stands for itself";
        let expected = format!("4:25: `{pattern}`: not all who read this pattern understand `{foreign}`; {help}");
        check_source(&format!("name: a, topics: ['{pattern}']"), &[&expected]);
    }
    check_source("name: a, topics: ['^a(']", &["4:25: `^a(` is no regular expression: unclosed group"]);
    check_source("name: a, topics: ['^.*']", &["4:24: the source `a` would read `bellwether.journal`, which Bellwether writes"]);
    check_source("name: a, topics: [a], tombstones: keep", &["4:41: unknown tombstones `keep`; known are `skip`, `reject`"]);
    check_source("name: a, topics: [a] }\n  - { name: a, topics: [b]", &["5:13: there are two sources `a`"]);
    check_source(
        "name: a, topics: [a], format: mapped, mapping: { type: { constant: login }, subject: { at: /u, as: customer_of_user } }",
        &[
            "4:54: `customer_of_user` needs to know whose users there are; add `user_lookup` to the section kafka, with a `file` or with `learn: true`",
        ],
    );
    check_source(
        "name: a, topics: [a], format: mapped, mapping: { type: { constant: logn }, subject: /c }",
        &["4:74: unknown event type `logn`; did you mean `login`?"],
    );
}
