//! The product beside a log in memory: topics, workers, and what they must come to.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bellwether_backtest::journal::JournalReplay;
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::journal::{CONTROL_HEADER, Control, Created, PublishedRules, WATERMARK_HEADER};
use bellwether_codec::rules::RuleFile;
use bellwether_codec::source::{SourceDecoder, SourceFormat};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::time::Time;
use bellwether_kafka::memory::{ClientOptions, Cluster, Record, TimestampType};
use bellwether_kafka::{Client, KafkaError, Outgoing, TopicPartition, Transaction};
use bellwether_live::kafka::{
    BreakerLimits, Ingest, IngestOptions, ProcessOptions, Processor, RuleSets, Safekeeping, SilentAfter, Source, Sources, Topics, Turn,
    WriteBehind,
};
use bellwether_live::metrics::Metrics;
use bellwether_live::options::BatchLimits;
use bellwether_store::{Store, StoreOptions};

mod copies;
mod daily;
mod outcome;
mod published;
mod reading;
mod rules;

pub use outcome::{LatestHealth, States, latest_health, line_of, states_in};
use outcome::{Lines, health_of, states_of};
pub use rules::{PACK, Poisoned, pack, poisoned_rule_sets, rule_sets};

/// Partitions of the journal.
pub const PARTITIONS: u16 = 3;
/// The input topic, and its partitions.
pub const INPUT: &str = "events";
/// A second input topic, a source of its own.
pub const SECOND_INPUT: &str = "support";
/// Partitions of each input topic.
pub const INPUT_PARTITIONS: i32 = 2;
/// The group of the processing workers.
pub const PROCESS_GROUP: &str = "process";
/// The group of the ingest workers.
pub const INGEST_GROUP: &str = "ingest";

/// The most bytes of a dead letter.
pub const MAX_LETTER_BYTES: usize = 10_000;

/// Few, so that many batches end where a transaction does.
const EVENTS_OF_A_TRANSACTION: usize = 4;

/// The id of the journal.
pub const JOURNAL_ID: &str = "the-journal";
/// A log in memory with all topics of the product.
pub struct World {
    /// The log.
    pub cluster: Cluster,
    /// How far the inputs of its ingest workers may drift apart; by default as far as they like.
    pub max_watermark_drift: Duration,
    /// What its processing workers fold before they commit, at most.
    pub batch_limits: BatchLimits,
    /// How far the stores of its processing workers may be behind; by default not at all.
    pub write_behind: WriteBehind,
    /// The memory for the states of each, bytes; by default there is room for a few customers.
    pub states_bytes: u64,
    /// What panics in a replay, as it does under `rule_sets`.
    pub poisoned: Poisoned,
    rule_sets: Arc<RuleSets>,
    safekeeping: Arc<Safekeeping>,
    /// How far the clock of its ingest workers is ahead, milliseconds.
    pub ingest_clock_ahead_ms: Arc<AtomicI64>,
    /// The id of the journal that its ingest workers write to.
    pub ingest_journal: String,
    /// What all ingest workers tell.
    pub ingest_metrics: Arc<Metrics>,
}

/// The names of the topics.
#[must_use]
pub fn topics() -> Topics {
    let [journal, signals, health, decisions, kpis, dead_letters] =
        ["journal", "signals", "health", "decisions", "kpis", "dead-letters"].map(str::to_owned);
    Topics { journal, signals, health, decisions, kpis, dead_letters, max_letter_bytes: MAX_LETTER_BYTES }
}

/// What the journal is.
fn created() -> Created {
    Created { journal: JOURNAL_ID.to_owned(), partitions: PARTITIONS, pseudonym_key_id: "0".to_owned() }
}

/// A partition of the journal.
#[must_use]
pub fn journal_partition(number: u16) -> TopicPartition {
    TopicPartition::new("journal", i32::from(number))
}

impl World {
    /// Empty topics, and a journal that has begun under the default rules.
    #[must_use]
    pub fn new(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let world = Self::without_journal(seed, rule_sets);
        world.control(&Control::Created(created()));
        world.publish_rules(1, pack());
        world
    }

    fn without_journal(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let cluster = Cluster::new(seed);
        let topic = |name: &str, partitions: usize, timestamps| cluster.create_topic(name, partitions, timestamps).expect("it is new");
        [INPUT, SECOND_INPUT].iter().for_each(|name| topic(name, INPUT_PARTITIONS as usize, TimestampType::CreateTime));
        topic("journal", usize::from(PARTITIONS), TimestampType::LogAppendTime);
        ["signals", "health", "decisions", "kpis", "dead-letters"].iter().for_each(|name| topic(name, 2, TimestampType::CreateTime));
        let ingest_metrics = Arc::new(Metrics::new());
        Self {
            cluster,
            max_watermark_drift: Duration::MAX,
            batch_limits: BatchLimits { records: 20, reviews: 7 },
            write_behind: WriteBehind { busy_records: usize::MAX, ..WriteBehind::default() },
            states_bytes: 8_192,
            poisoned: Poisoned::default(),
            rule_sets: rule_sets.clone(),
            safekeeping: Arc::default(),
            ingest_clock_ahead_ms: Arc::default(),
            ingest_journal: JOURNAL_ID.to_owned(),
            ingest_metrics,
        }
    }

    /// From now on stores are behind what is committed while there is something to read, by some commits.
    pub fn write_behind(&mut self) {
        self.write_behind = WriteBehind { busy_records: 1, max_changes: 150, max_partition_changes: 50 };
        self.states_bytes = 1 << 20;
    }

    /// Writes a rule set into every partition of the journal.
    pub fn publish_rules(&self, number: u32, text: &str) {
        self.control(&Control::Rules(PublishedRules { number, text: text.to_owned() }));
    }

    /// Writes a control record into every partition of the journal.
    pub fn control(&self, control: &Control) {
        let value = control.encode();
        for partition in 0..PARTITIONS {
            let headers: [(&str, &[u8]); 1] = [(CONTROL_HEADER, control.name().as_bytes())];
            let now = self.cluster.now_ms();
            self.cluster.append("journal", Some(i32::from(partition)), (None, Some(&value)), &headers, now).expect("the topic is there");
        }
    }

    /// Produces events to the first input topic, each stamped by its producer with its own time, spread over the partitions.
    pub fn produce(&self, events: &[Event<'_>]) {
        self.produce_to(INPUT, INPUT_PARTITIONS, events);
    }

    /// Produces events to a topic in the same way.
    pub fn produce_to(&self, topic: &str, partitions: i32, events: &[Event<'_>]) {
        let mut value = Vec::new();
        for (event, number) in events.iter().zip(0..) {
            value.clear();
            encode_event(event, &mut value);
            self.cluster.append(topic, Some(number % partitions), (None, Some(&value)), &[], event.time.0).expect("the topic is there");
        }
    }

    /// Produces one event to a partition of a topic, with this timestamp.
    pub fn produce_one(&self, topic: &str, partition: i32, event: &Event<'_>, timestamp: Time) {
        let mut value = Vec::new();
        encode_event(event, &mut value);
        self.cluster.append(topic, Some(partition), (None, Some(&value)), &[], timestamp.0).expect("the topic is there");
    }

    /// Writes events straight into the journal, each with its own time as the watermark, and a tick at the end; in small transactions, so
    /// that there are gaps between the offsets of the records.
    ///
    /// # Panics
    ///
    /// When a transaction fails.
    pub fn journal(&self, events: &[Event<'_>], until: Time) {
        let options = ClientOptions { subscription: Vec::new(), ..client_options("writer", "writer", &[]) };
        let mut client = self.cluster.client(options).expect("no plan concerns the writer");
        let mut write = |transaction: &mut Transaction| {
            client.commit(transaction).expect("no plan concerns the writer");
            transaction.clear();
        };
        let mut transaction = Transaction::default();
        let (mut value, mut watermark) = (Vec::new(), Time::MIN);
        for (event, number) in events.iter().zip(1..) {
            watermark = watermark.max(event.time);
            value.clear();
            encode_event(event, &mut value);
            push(&mut transaction, CustomerKey::of(&event.customer).partition(PARTITIONS), watermark, &value, &[]);
            if number % EVENTS_OF_A_TRANSACTION == 0 {
                write(&mut transaction);
            }
        }
        for partition in 0..PARTITIONS {
            push(&mut transaction, partition, until, &Control::Tick.encode(), &[(CONTROL_HEADER, Some(b"tick"))]);
        }
        write(&mut transaction);
        while self.cluster.outstanding_markers() > 0 {
            self.cluster.tick();
        }
    }

    /// A processing worker of this name.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn processor(&self, name: &str, store: &Arc<Store>, max_records: usize) -> Result<Processor, KafkaError> {
        self.processor_with(name, store, max_records, &self.safekeeping, &Arc::new(Metrics::new()))
    }

    /// A processing worker of this name, in a process that keeps its states in this way.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn processor_with(
        &self,
        name: &str,
        store: &Arc<Store>,
        max_records: usize,
        safekeeping: &Arc<Safekeeping>,
        metrics: &Arc<Metrics>,
    ) -> Result<Processor, KafkaError> {
        let client = self.cluster.client(client_options(name, PROCESS_GROUP, &["journal"]))?;
        let options = ProcessOptions {
            group: PROCESS_GROUP.to_owned(),
            topics: topics(),
            created: created(),
            owner: None,
            signal_partitions: 2,
            decoder: Decoder::default(),
            turn: turn(max_records),
            limits: self.batch_limits,
            write_behind: self.write_behind,
            states_bytes: self.states_bytes,
            safekeeping: safekeeping.clone(),
            sources: Vec::new(),
            stop: Arc::default(),
        };
        Ok(Processor::new(Box::new(client), store.clone(), self.rule_sets.clone(), options, metrics.clone()))
    }

    /// An ingest worker of this name.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn ingest(&self, name: &str, max_records: usize, breaker: BreakerLimits) -> Result<Ingest, KafkaError> {
        self.ingest_from(name, max_records, breaker, [INPUT, SECOND_INPUT].map(|topic| source(topic, SilentAfter::Never)).into())
    }

    /// An ingest worker of these sources.
    ///
    /// # Errors
    ///
    /// When the plan has it so.
    pub fn ingest_from(&self, name: &str, max_records: usize, breaker: BreakerLimits, sources: Vec<Source>) -> Result<Ingest, KafkaError> {
        let sources = Sources::new(sources).expect("names are no patterns");
        let client = self.cluster.client(ClientOptions { subscription: sources.topics(), ..client_options(name, INGEST_GROUP, &[]) })?;
        let (cluster, ahead_ms) = (self.cluster.clone(), self.ingest_clock_ahead_ms.clone());
        let options = IngestOptions {
            group: INGEST_GROUP.to_owned(),
            topics: topics(),
            journal: self.ingest_journal.clone(),
            journal_partitions: PARTITIONS,
            sources,
            turn: turn(max_records),
            watermark_interval: Duration::ZERO,
            max_watermark_drift: self.max_watermark_drift,
            tick_interval: Duration::from_secs(60),
            ticks: true,
            breaker,
            clock: Arc::new(move || Time(cluster.now_ms() + ahead_ms.load(Ordering::Relaxed))),
            stop: Arc::default(),
        };
        Ok(Ingest::new(Box::new(client), options, self.ingest_metrics.clone()))
    }

    /// Whether everything in the journal is processed.
    #[must_use]
    pub fn is_processed(&self) -> bool {
        let committed = self.cluster.committed_offsets(PROCESS_GROUP);
        (0..PARTITIONS).all(|number| {
            let at = journal_partition(number);
            let last = self.records(&at).last().map_or(0, |record| record.offset + 1);
            committed.get(&at).is_some_and(|committed| committed.offset >= last)
        })
    }

    /// What readers of committed records see in a partition.
    #[must_use]
    pub fn records(&self, at: &TopicPartition) -> Vec<Record> {
        self.cluster.records(at).expect("the topic is there")
    }

    /// What a replay of the journal puts out, sorted, and the states and the health of customers that it ends with.
    #[must_use]
    pub fn replayed(&self) -> (Vec<String>, States, LatestHealth) {
        // Every partition brings the same rule sets.
        let files: Mutex<BTreeMap<u32, RuleFile>> = Mutex::default();
        let poisoned = self.poisoned.clone();
        let compile = move |text: &str, number: u32| {
            let mut files = files.lock().expect("nobody panicked");
            if let Some(file) = files.get(&number) {
                return Ok(file.rule_set(number));
            }
            let mut file = RuleFile::parse("rules.yaml", text).map_err(|errors| errors.to_string())?;
            poisoned.poison(&mut file, number);
            Ok(files.entry(number).or_insert(file).rule_set(number))
        };
        let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &compile, rules: None };
        let mut lines = Lines::default();
        let replayed = replay.run(self, &mut lines).expect("the journal replays");
        lines.0.sort_unstable();
        (lines.0, states_of(&replayed), health_of(&replayed))
    }
}

/// A store in a directory.
#[must_use]
pub fn store_in(directory: &Path) -> Arc<Store> {
    Arc::new(Store::open(directory, &StoreOptions { memory_bytes: 32 << 20 }).expect("the store opens"))
}

/// A source of one topic of the same name.
#[must_use]
pub fn source(name: &str, silent_after: SilentAfter) -> Source {
    let decoder = SourceDecoder::new(SourceFormat::Auto, Decoder::default());
    Source { name: name.to_owned(), topics: vec![name.to_owned()], decoder, silent_after }
}

fn push(transaction: &mut Transaction, partition: u16, watermark: Time, value: &[u8], headers: &[(&str, Option<&[u8]>)]) {
    let digits = watermark.0.to_string();
    let mut all = vec![(WATERMARK_HEADER, Some(digits.as_bytes()))];
    all.extend_from_slice(headers);
    let (partition, value) = (Some(i32::from(partition)), Some(value));
    transaction.push(&Outgoing { topic: "journal", partition, key: None, value, headers: &all, timestamp_ms: None });
}

fn client_options(name: &str, group: &str, topics: &[&str]) -> ClientOptions {
    ClientOptions {
        group: group.to_owned(),
        client_id: name.to_owned(),
        transactional_id: name.to_owned(),
        subscription: topics.iter().map(|topic| (*topic).to_owned()).collect(),
    }
}

fn turn(max_records: usize) -> Turn {
    Turn { max_records, max_bytes: 1 << 20, commit_interval: Duration::from_millis(1), retry_wait: Duration::ZERO }
}
