//! `bellwether replay --journal`: what was decided on a journal, again: on a topic, or on the one of an embedded run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bellwether_backtest::explain::{Explainer, Followed};
use bellwether_backtest::journal::{CompileRules, Journal, JournalReplay, Visit};
use bellwether_backtest::pass::{Pass, PassOptions, observe_journal};
use bellwether_backtest::replay::Sink;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::JournalRecord;
use bellwether_codec::summary::Summary;
use bellwether_engine::rule_set::RuleSet;
use bellwether_kafka::{Admin, Batch, ConnectionOptions, KafkaError, Place, Reader, TopicPartition};
use bellwether_live::error::LiveError;
use bellwether_live::journal_directory::JournalDirectory;
use bellwether_live::kafka::{Connect, journal_record};

use super::journal_range::JournalRange;
use crate::configuration::{ConfigurationFile, host_name};
use crate::environment;
use crate::failure::Failure;
use crate::replay_sink::ReplaySink;
use crate::rule_text;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Records of a partition that are in memory at once.
const MAX_RECORDS: usize = 50_000;
/// Bytes of them.
const MAX_BYTES: usize = 32 << 20;

/// A journal by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalPlace {
    /// A topic.
    Topic(JournalAddress),
    /// The data directory of an embedded run.
    Directory(PathBuf),
}

impl FromStr for JournalPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") { text.parse().map(Self::Topic) } else { Ok(Self::Directory(text.into())) }
    }
}

/// A journal topic by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalAddress {
    brokers: String,
    topic: String,
}

impl FromStr for JournalAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write kafka://HOST:PORT/TOPIC; several brokers have commas between them";
        let (brokers, topic) = text.strip_prefix("kafka://").and_then(|rest| rest.split_once('/')).ok_or(wanted)?;
        if brokers.is_empty() || topic.is_empty() || topic.contains('/') {
            return Err(wanted.to_owned());
        }
        Ok(Self { brokers: brokers.to_owned(), topic: topic.to_owned() })
    }
}

/// Replays a journal up to its present end.
pub fn run(place: &JournalPlace, config: Option<&Path>, rules: Option<Arc<RuleSet>>, sink: &mut ReplaySink) -> Result<Summary, Failure> {
    let decoder = Decoder::new(environment::pseudonymiser()?);
    let replay = JournalReplay { decoder, compile_rules: &rule_text::compile, rules };
    let replayed = match place {
        JournalPlace::Topic(address) => replay.run(&Topic::open(address, config)?, sink)?,
        JournalPlace::Directory(data) => replay.run(&Directory(JournalDirectory::open(data)?), sink)?,
    };
    Ok(replayed.summary)
}

/// Passes over a journal up to its present end, for a backtest.
pub fn observe(
    place: &JournalPlace,
    range: &JournalRange,
    config: Option<&Path>,
    options: &PassOptions<'_>,
    sink: &mut impl Sink,
) -> Result<Pass, Failure> {
    range.check(place)?;
    let decoder = Decoder::new(environment::pseudonymiser()?);
    Ok(match place {
        JournalPlace::Topic(address) => {
            let topic = Topic::open(address, config)?;
            range.check_partitions(topic.partitions)?;
            if range.is_whole() {
                observe_journal(&topic, &decoder, options, sink)?
            } else {
                observe_journal(&TopicPart { topic, range: range.clone() }, &decoder, options, sink)?
            }
        }
        JournalPlace::Directory(data) => observe_journal(&Directory(JournalDirectory::open(data)?), &decoder, options, sink)?,
    })
}

/// Follows a customer through a journal, under the rules that it brought if these are to decide.
pub fn explain(place: &JournalPlace, config: Option<&Path>, explainer: Explainer, by_its_rules: bool) -> Result<Followed, Failure> {
    let decoder = Decoder::new(environment::pseudonymiser()?);
    let compile_rules: Option<&CompileRules> = if by_its_rules { Some(&rule_text::compile) } else { None };
    Ok(match place {
        JournalPlace::Topic(address) => explainer.journal(&Topic::open(address, config)?, &decoder, compile_rules)?,
        JournalPlace::Directory(data) => explainer.journal(&Directory(JournalDirectory::open(data)?), &decoder, compile_rules)?,
    })
}

/// Opens a journal, to read it up to its present end.
pub fn open(place: &JournalPlace, config: Option<&Path>) -> Result<Box<dyn Journal>, Failure> {
    Ok(match place {
        JournalPlace::Topic(address) => Box::new(Topic::open(address, config)?),
        JournalPlace::Directory(data) => Box::new(Directory(JournalDirectory::open(data)?)),
    })
}

/// Opens a part of a journal. In a topic, times are those at which records were appended; in a data directory, which does not know them, journal times.
pub fn open_part(place: &JournalPlace, range: &JournalRange, config: Option<&Path>) -> Result<Box<dyn Journal>, Failure> {
    let journal: Box<dyn Journal> = match place {
        JournalPlace::Topic(address) => Box::new(TopicPart { topic: Topic::open(address, config)?, range: range.clone() }),
        JournalPlace::Directory(data) => {
            Box::new(DirectoryPart { directory: Directory(JournalDirectory::open(data)?), range: range.clone() })
        }
    };
    range.check_partitions(journal.partitions())?;
    Ok(journal)
}

/// The journal of an embedded run.
pub struct Directory(pub JournalDirectory);

impl Journal for Directory {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.0.read(partition, visit).map_err(|error| error.to_string())
    }
}

/// A journal topic that can be reached.
pub struct Topic {
    connection: ConnectionOptions,
    topic: String,
    partitions: u16,
}

impl Topic {
    fn open(address: &JournalAddress, config: Option<&Path>) -> Result<Self, Failure> {
        let connection = ConnectionOptions {
            bootstrap_servers: address.brokers.clone(),
            client_id: "bellwether-replay".to_owned(),
            properties: config.map(properties).transpose()?.unwrap_or_default(),
            timeout: TIMEOUT,
            stop: Default::default(),
        };
        Self::reached_by(connection, &address.topic)
    }

    /// The topic of this name.
    pub fn reached_by(connection: ConnectionOptions, topic: &str) -> Result<Self, Failure> {
        let admin = Admin::new(connection.clone()).map_err(LiveError::from)?;
        let described = admin.describe(&[topic]).map_err(LiveError::from)?;
        let partitions = described.first().and_then(|topic| u16::try_from(topic.partitions).ok()).unwrap_or_default();
        Ok(Self { connection, topic: topic.to_owned(), partitions })
    }

    fn read_partition(&self, number: u16, (from, to): (Option<Place>, Option<Place>), visit: &mut Visit<'_>) -> Result<(), KafkaError> {
        let at = TopicPartition::new(self.topic.as_str(), i32::from(number));
        let mut reader = Reader::of_part(self.connection.clone(), at, from, to)?;
        let mut batch = Batch::default();
        loop {
            batch.clear();
            let more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
            let records: Vec<_> = batch.records().map(|record| journal_record(&record)).collect();
            if !visit(&records) || !more {
                return Ok(());
            }
        }
    }
}

impl Journal for Topic {
    fn partitions(&self) -> u16 {
        self.partitions
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.read_partition(partition, (None, None), visit).map_err(|error| error.to_string())
    }
}

/// A part of a journal topic.
struct TopicPart {
    topic: Topic,
    range: JournalRange,
}

impl Journal for TopicPart {
    fn partitions(&self) -> u16 {
        self.topic.partitions
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.topic.read_partition(partition, self.range.of_partition(partition), visit).map_err(|error| error.to_string())
    }

    fn whole(&self) -> Option<&dyn Journal> {
        Some(&self.topic)
    }
}

/// A part of the journal of an embedded run.
struct DirectoryPart {
    directory: Directory,
    range: JournalRange,
}

impl Journal for DirectoryPart {
    fn partitions(&self) -> u16 {
        self.directory.partitions()
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        let (from, to) = self.range.of_partition(partition);
        // Some records have no watermark: they belong to what stands before them.
        let is_reached = |record: &JournalRecord<'_>, place: Place| match place {
            Place::Offset(offset) => record.offset >= offset,
            Place::Time(time) => record.stated_watermark().is_some_and(|watermark| watermark.0 >= time),
        };
        let reached = |records: &[JournalRecord<'_>], place: Option<Place>| {
            place.and_then(|place| records.iter().position(|record| is_reached(record, place)))
        };
        let mut has_begun = from.is_none();
        self.directory.read(partition, &mut |records| {
            let end = reached(records, to);
            let begin = if has_begun { Some(0) } else { reached(records, from) };
            has_begun = begin.is_some();
            let part = begin.and_then(|begin| records.get(begin..end.unwrap_or(records.len()))).unwrap_or_default();
            visit(part) && end.is_none()
        })
    }

    fn whole(&self) -> Option<&dyn Journal> {
        Some(&self.directory)
    }
}

fn properties(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let file = ConfigurationFile::read(path)?;
    let Some(kafka) = &file.configuration.kafka else { return Ok(BTreeMap::new()) };
    let connect = Connect::new(kafka, &host_name()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(connect.connection().properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_without_a_scheme_is_a_directory() {
        assert_eq!("./data".parse(), Ok(JournalPlace::Directory("./data".into())));
        assert!(matches!("kafka://a:1/journal".parse(), Ok(JournalPlace::Topic(_))));
        assert!("http://a:1/journal".parse::<JournalPlace>().is_err());
    }

    #[test]
    fn addresses_are_read_or_explained() {
        let address = |text: &str| text.parse::<JournalAddress>();
        let expected = JournalAddress { brokers: "a:1,b:2".to_owned(), topic: "journal".to_owned() };
        assert_eq!(address("kafka://a:1,b:2/journal"), Ok(expected));
        for wrong in ["a:1/journal", "kafka://a:1", "kafka:///journal", "kafka://a:1/", "kafka://a:1/b/c"] {
            assert!(address(wrong).is_err_and(|error| error.contains("HOST:PORT/TOPIC")), "{wrong}");
        }
    }
}
