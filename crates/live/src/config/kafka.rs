//! Everything that a Kafka run is told, and the checks that concern more than one field.

use std::ops::Range;

use bellwether_codec::yaml::{Node, Reader, Settings, Value};

use super::client::{ClientFileError, ClientProperty, read_client};
use super::snapshots::{SnapshotSettings, read_snapshots};
use super::sources::{SourceSettings, UserLookupSettings, read_sources, read_user_lookup};
use super::tables::{BREAKER, JOURNAL, KAFKA, TOPICS};
use super::topics::check_name;

/// Settings of a Kafka run.
#[derive(Clone, Debug)]
pub struct KafkaSettings {
    /// HOST:PORT, several with commas between them.
    pub brokers: String,
    /// Prefix of consumer groups and transactional ids.
    pub application: String,
    /// The name of this instance; without one the host's.
    pub instance: Option<String>,
    /// Whether consumers are static members of their groups.
    pub static_membership: bool,
    /// Properties for the client library, in the order of the file.
    pub client: Vec<ClientProperty>,
    /// The journal.
    pub journal: JournalSettings,
    /// What is written besides the journal.
    pub topics: OutputTopics,
    /// Replicas of each topic that is created.
    pub replication: u32,
    /// Replicas that must have a record before it counts as written.
    pub min_insync_replicas: u32,
    /// How long the journal is kept, milliseconds; `None` is forever.
    pub journal_retention_ms: Option<i64>,
    /// The longest time between two transactions while there is work, milliseconds.
    pub commit_interval_ms: i64,
    /// How often an ingest tells how far it has read, milliseconds.
    pub watermark_interval_ms: i64,
    /// How far an input may be taken in ahead of the one most behind, milliseconds.
    pub max_watermark_drift_ms: i64,
    /// When bad records stop the ingest.
    pub breaker: BreakerSettings,
    /// Copies of partition states, if there are to be any.
    pub snapshots: Option<SnapshotSettings>,
    /// Whose users there are.
    pub user_lookup: Option<UserLookupSettings>,
    /// What is read; at least one.
    pub sources: Vec<SourceSettings>,
}

/// Settings of the journal topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// Its name.
    pub topic: String,
    /// Its partitions when it is created.
    pub partitions: u16,
    /// How often time is written into quiet partitions, milliseconds.
    pub tick_interval_ms: i64,
}

/// Names of the topics that are written besides the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputTopics {
    /// Signals.
    pub signals: String,
    /// The latest health of each customer.
    pub health: String,
    /// What was decided and not sent.
    pub decisions: String,
    /// Sums of each partition and day, for KPIs.
    pub kpis: String,
    /// Refused records.
    pub dead_letters: String,
}

/// When bad records stop the ingest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerSettings {
    /// The share of the last `window` records that may be refused; 1 never stops.
    pub ratio: f64,
    /// The number of records that `ratio` looks at.
    pub window: u32,
    /// Refused records in a row that stop it.
    pub consecutive: u32,
}

impl KafkaSettings {
    /// The source that a topic belongs to: one that names it, or else the first with a pattern that matches.
    #[must_use]
    pub fn source_of(&self, topic: &str) -> Option<&SourceSettings> {
        let by_name = self.sources.iter().find(|source| source.names(topic).0);
        by_name.or_else(|| self.sources.iter().find(|source| source.names(topic).1))
    }

    /// The properties for the client library, with the content of files.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn client_properties(&self) -> Result<Vec<(String, String)>, ClientFileError> {
        self.client.iter().map(|property| Ok((property.name.clone(), property.resolve()?))).collect()
    }
}

/// Reads the section. Where something is wrong, it is written down; then what is returned is of no use.
pub fn read_kafka(reader: &mut Reader<'_>, node: &Node) -> KafkaSettings {
    let settings = reader.settings(node, &KAFKA);
    let client = read_client(reader, &settings);
    let kafka = KafkaSettings {
        brokers: read_brokers(reader, &settings),
        application: reader.text_setting(&settings, "application"),
        instance: reader.optional_text_setting(&settings, "instance"),
        static_membership: reader.boolean_setting(&settings, "static_membership"),
        client,
        journal: within(reader, &settings, "journal", read_journal),
        topics: within(reader, &settings, "topics", read_topics),
        replication: reader.whole_setting(&settings, "replication", 1..=99),
        min_insync_replicas: reader.whole_setting(&settings, "min_insync_replicas", 1..=99),
        journal_retention_ms: read_retention(reader, &settings),
        commit_interval_ms: positive(reader, &settings, "commit_interval"),
        watermark_interval_ms: positive(reader, &settings, "watermark_interval"),
        max_watermark_drift_ms: positive(reader, &settings, "max_watermark_drift"),
        breaker: within(reader, &settings, "breaker", read_breaker),
        snapshots: settings.get("snapshots").map(|node| read_snapshots(reader, node)),
        user_lookup: settings.get("user_lookup").map(|node| read_user_lookup(reader, node)),
        sources: settings.get("sources").map(|node| read_sources(reader, node)).unwrap_or_default(),
    };
    check_name(reader, settings.get("application"), "an application", &kafka.application);
    check_name(reader, settings.get("instance"), "an instance", kafka.instance.as_deref().unwrap_or_default());
    if let Some(node) = settings.get("min_insync_replicas").or(settings.get("replication"))
        && kafka.min_insync_replicas > kafka.replication
    {
        let (least, all) = (kafka.min_insync_replicas, kafka.replication);
        reader.error(&node.place, format!("{least} replicas cannot be in sync (min_insync_replicas) where there are {all} (replication)"));
    }
    if let Some(node) = settings.get("max_watermark_drift").or(settings.get("watermark_interval"))
        && kafka.max_watermark_drift_ms < kafka.watermark_interval_ms.saturating_mul(2)
    {
        let problem = "max_watermark_drift must be at least twice watermark_interval: inputs that are not behind would wait for each other";
        reader.error(&node.place, problem);
    }
    check_topics(reader, &settings, &kafka);
    check_lookups(reader, &settings, &kafka);
    kafka
}

/// A section that may be absent: then all of its defaults hold.
fn within<T>(reader: &mut Reader<'_>, settings: &Settings<'_>, name: &str, read: fn(&mut Reader<'_>, &Node) -> T) -> T {
    match settings.get(name) {
        Some(node) => read(reader, node),
        None => read(reader, &Node::empty_mapping()),
    }
}

fn read_journal(reader: &mut Reader<'_>, node: &Node) -> JournalSettings {
    let settings = reader.settings(node, &JOURNAL);
    let topic = reader.text_setting(&settings, "topic");
    check_name(reader, settings.get("topic"), "a topic", &topic);
    let partitions = reader.whole_setting(&settings, "partitions", 1..=1024);
    let tick_interval_ms = positive(reader, &settings, "tick_interval");
    JournalSettings { topic, partitions: u16::try_from(partitions).unwrap_or(u16::MAX), tick_interval_ms }
}

fn read_topics(reader: &mut Reader<'_>, node: &Node) -> OutputTopics {
    let settings = reader.settings(node, &TOPICS);
    let mut topic = |name| {
        let topic = reader.text_setting(&settings, name);
        check_name(reader, settings.get(name), "a topic", &topic);
        topic
    };
    OutputTopics {
        signals: topic("signals"),
        health: topic("health"),
        decisions: topic("decisions"),
        kpis: topic("kpis"),
        dead_letters: topic("dead_letters"),
    }
}

fn read_breaker(reader: &mut Reader<'_>, node: &Node) -> BreakerSettings {
    let settings = reader.settings(node, &BREAKER);
    BreakerSettings {
        ratio: reader.number_setting(&settings, "ratio", 0.0..=1.0),
        window: reader.whole_setting(&settings, "window", 1..=1_000_000),
        consecutive: reader.whole_setting(&settings, "consecutive", 1..=1_000_000),
    }
}

fn read_brokers(reader: &mut Reader<'_>, settings: &Settings<'_>) -> String {
    let brokers = reader.text_setting(settings, "brokers");
    for broker in brokers.split(',').filter(|_| !brokers.is_empty()) {
        let port = broker.trim().rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(1..)))
            && let Some(node) = settings.get("brokers")
        {
            reader.error_with_help(
                &node.place,
                format!("`{}` is no broker", broker.trim()),
                "write HOST:PORT, with commas between several",
            );
        }
    }
    brokers
}

fn read_retention(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<i64> {
    match settings.get("journal_retention") {
        Some(node) if node.as_text() == Some("forever") => None,
        Some(_) => Some(positive(reader, settings, "journal_retention")),
        None => None,
    }
}

/// A duration that is not nothing.
pub(super) fn positive(reader: &mut Reader<'_>, settings: &Settings<'_>, name: &str) -> i64 {
    let count = reader.mistakes.len();
    let duration_ms = reader.duration_setting(settings, name);
    if let Some(node) = settings.get(name)
        && duration_ms == 0
        && reader.mistakes.len() == count
    {
        reader.error(&node.place, format!("{name} must be more than nothing"));
    }
    duration_ms
}

/// The topics that are written, with what they are and where that stands.
fn written<'k>(settings: &Settings<'_>, kafka: &'k KafkaSettings) -> [(&'static str, &'k str, Option<Range<usize>>); 6] {
    let OutputTopics { signals, health, decisions, kpis, dead_letters } = &kafka.topics;
    let place = |section: &str, name: &str| settings.get(section)?.entry(name).map(|node| node.place.clone());
    [
        ("journal", &kafka.journal.topic, place("journal", "topic")),
        ("signals", signals, place("topics", "signals")),
        ("health", health, place("topics", "health")),
        ("decisions", decisions, place("topics", "decisions")),
        ("kpis", kpis, place("topics", "kpis")),
        ("dead_letters", dead_letters, place("topics", "dead_letters")),
    ]
}

/// Each topic that is written is another one, and no source reads it.
fn check_topics(reader: &mut Reader<'_>, settings: &Settings<'_>, kafka: &KafkaSettings) {
    let written = written(settings, kafka);
    for (index, (what, topic, place)) in written.iter().enumerate() {
        let earlier = written[..index].iter().find(|(_, earlier, _)| earlier == topic);
        if let Some((other, _, other_place)) = earlier
            && let Some(place) = place.as_ref().or(other_place.as_ref())
        {
            reader.error(place, format!("`{topic}` cannot be `{other}` and `{what}` at once"));
        }
    }
    for (source, item) in sources_with_nodes(settings, kafka) {
        if let Some((_, topic, _)) = written.iter().find(|(_, topic, _)| source.names(topic).1) {
            let place = item.entry("topics").map_or(item.place.clone(), |node| node.place.clone());
            reader.error(&place, format!("the source `{}` would read `{topic}`, which Bellwether writes", source.name));
        }
    }
}

/// Users are known where they are asked for.
fn check_lookups(reader: &mut Reader<'_>, settings: &Settings<'_>, kafka: &KafkaSettings) {
    for (source, item) in sources_with_nodes(settings, kafka) {
        if source.looks_users_up() && kafka.user_lookup.is_none() {
            let place = item.entry("mapping").map_or(item.place.clone(), |node| node.place.clone());
            let help = "add `user_lookup` to the section kafka, with a `file` or with `learn: true`";
            reader.error_with_help(&place, "`customer_of_user` needs to know whose users there are", help);
        }
    }
}

/// The sources without mistakes, with where they stand.
fn sources_with_nodes<'n, 'k>(settings: &Settings<'n>, kafka: &'k KafkaSettings) -> Vec<(&'k SourceSettings, &'n Node)> {
    let Some(Value::List(items)) = settings.get("sources").map(|node| &node.value) else { return Vec::new() };
    let item_of = |source: &SourceSettings| items.iter().find(|item| item.entry("name").and_then(Node::as_text) == Some(&source.name));
    kafka.sources.iter().filter_map(|source| Some((source, item_of(source)?))).collect()
}
