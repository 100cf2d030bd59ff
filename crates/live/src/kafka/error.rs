//! What can be wrong between a journal, what is committed and what the store has; each says what the choices are.

use bellwether_kafka::TopicPartition;
use bellwether_store::Position;

/// A journal that a store cannot go on with. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The topic holds no journal.
    #[error("the topic {topic} does not begin with a `journal.created` record: make the journal with `bellwether topics create`")]
    NotCreated {
        /// The topic.
        topic: String,
    },
    /// The first record of the journal is gone, and nothing else tells what the journal is.
    #[error(
        "the journal in the topic {topic} has lost its beginning (it starts at offset {first}): its first record, which tells its id, its partitions and its key, was deleted, and nothing is committed beside which it stands too. Restore the topic or the offsets of the group, and keep the topic whole with retention.ms=-1 and retention.bytes=-1; or, to start over, give another application name, data directory and topics"
    )]
    BeginningGone {
        /// The topic.
        topic: String,
        /// The first offset that exists in its first partition.
        first: u64,
    },
    /// The store belongs to another journal.
    #[error(
        "the store holds partition states of journal {found}, but the topic {topic} is journal {expected}: was the topic made anew? Give another data directory, or the topic that this one belongs to"
    )]
    OtherJournal {
        /// The topic.
        topic: String,
        /// The id of the topic's journal.
        expected: String,
        /// The id found in the store or beside the committed offset.
        found: String,
    },
    /// The topic has not the number of partitions that its journal was made with.
    #[error(
        "the journal was made with {created} partitions, but the topic {topic} has {found}: customers would move between partitions. Kafka takes no partition away again: restore the topic from a mirror that has {created}, or start over with another application name, data directory and topics, and bring the history in with `bellwether journal import`"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// The number in `journal.created`.
        created: u16,
        /// The number that the topic has.
        found: usize,
    },
    /// The brokers do not say when a record was appended, so a watermark from a clock ahead would not be noticed.
    #[error(
        "records of the topic {topic} are dated by who writes them (message.timestamp.type={found}), so a clock ahead would not be noticed: set message.timestamp.type=LogAppendTime for the topic, as `bellwether topics create` does"
    )]
    TimestampType {
        /// The topic.
        topic: String,
        /// What its setting says.
        found: String,
    },
    /// User ids of the journal are pseudonymised with another key.
    #[error("the journal was made with another pseudonym key: users would not be recognised. Give the key that it was made with")]
    PseudonymKey,
    /// The journal does not go back as far as the state needs.
    #[error(
        "partition {partition} of the journal begins at offset {first}, but the state stands at {needed}: the records between are gone. Restore a snapshot that stands at {first} or later, or lengthen the retention and import the history again"
    )]
    TooShort {
        /// The partition.
        partition: u16,
        /// The first offset that exists.
        first: u64,
        /// The offset from which records are needed.
        needed: u64,
    },
    /// More is committed than the journal holds.
    #[error(
        "partition {partition} of the journal ends at offset {end}, but offset {committed} is committed: the topic was made anew or lost data. Restore the topic; or, to start over, give another application name and data directory"
    )]
    Shrunk {
        /// The partition.
        partition: u16,
        /// The offset behind the last record.
        end: u64,
        /// The committed offset.
        committed: u64,
    },
    /// The store is ahead of what is committed, which the protocol excludes: the offsets were set back.
    #[error(
        "the state of partition {partition} stands at {store}, ahead of the committed {committed}: somebody set the group's offsets back. Set them forward again, or start from an empty data directory with a new application name"
    )]
    StoreAhead {
        /// The partition.
        partition: u16,
        /// Where the store stands.
        store: Position,
        /// What is committed.
        committed: Position,
    },
    /// Nothing is committed, yet there are results.
    #[error(
        "nothing is committed for partition {partition} in group {group}, yet {evidence}: going on would publish signals twice. Restore the group's offsets, or start over with another application name, an empty data directory and empty output topics"
    )]
    NothingCommitted {
        /// The partition.
        partition: u16,
        /// The consumer group.
        group: String,
        /// What shows that the partition was processed before.
        evidence: String,
    },
    /// A newer program has processed the partition.
    #[error(
        "partition {partition} was processed by fold version {found}, this program has version {own}: use the newer program, for an older one would decide otherwise"
    )]
    NewerFold {
        /// The partition.
        partition: u16,
        /// The version beside the committed offset.
        found: u8,
        /// Ours.
        own: u8,
    },
    /// What stands beside a committed offset is not ours.
    #[error(
        "what is committed for {at} cannot be read ({reason}): a tool has set the group's offsets, without what stood beside them, or another program uses this consumer group. Restore the group's offsets, or start over with another application name, an empty data directory and empty output topics"
    )]
    Metadata {
        /// Topic and partition.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input does not go back as far as where its taking in stands.
    #[error(
        "{at} begins at offset {first}, but taking it in goes on at {committed}: the records between were deleted before anybody took them in. Lengthen the retention; to go on without them: {}",
        go_on(.at, .group)
    )]
    InputGone {
        /// Topic and partition.
        at: TopicPartition,
        /// The consumer group.
        group: String,
        /// The offset from which records are needed.
        committed: u64,
        /// The first offset that exists.
        first: u64,
    },
    /// More is committed than an input holds.
    #[error(
        "{at} ends at offset {end}, but offset {committed} is committed as taken in: the topic was made anew or lost data. To take in what it holds now: {}",
        go_on(.at, .group)
    )]
    InputShrunk {
        /// Topic and partition.
        at: TopicPartition,
        /// The consumer group.
        group: String,
        /// The committed offset.
        committed: u64,
        /// The offset behind the last record.
        end: u64,
    },
    /// An input was taken into another journal.
    #[error(
        "{at} was taken into journal {found}, as the offsets of group {group} tell, but the topic {topic} is another journal: was it made anew, or is it somebody else's? Give the topic of {found}; or, if this journal takes its place, say so and go on where the inputs stand: kafka-consumer-groups --bootstrap-server BROKERS --group {group} --all-topics --reset-offsets --to-current --execute (or --to-earliest, to take in again what they hold)"
    )]
    TakenInElsewhere {
        /// Topic and partition.
        at: String,
        /// The consumer group.
        group: String,
        /// The topic of the journal.
        topic: String,
        /// The id found beside the committed offset.
        found: String,
    },
    /// Nothing is committed of any input, yet the journal has records of theirs.
    #[error(
        "nothing is committed for the inputs in group {group}, yet the journal {topic} holds what was taken in before: from the earliest records on, it would be journaled twice. Kafka forgets the offsets of a group that is away for longer than offsets.retention.minutes, by default 7 days. Say where to go on, for each input topic: kafka-consumer-groups --bootstrap-server BROKERS --group {group} --topic TOPIC --reset-offsets --to-datetime 2026-01-31T00:00:00.000 --execute (or --to-earliest, or --to-latest)"
    )]
    NothingTakenIn {
        /// The consumer group.
        group: String,
        /// The topic of the journal.
        topic: String,
    },
    /// History can be imported only before anything else is journaled.
    #[error(
        "the journal {topic} has records that this import has not written (partition {partition}, offset {offset}): history comes first, before `bellwether run`. To have the history too, make a new journal with another application name and topics, import all of it there, and start its instances then"
    )]
    NotEmpty {
        /// The topic.
        topic: String,
        /// The partition of the record.
        partition: u16,
        /// Its offset.
        offset: u64,
    },
    /// The journal was begun from other files.
    #[error("the import into {topic} began with other files ({began_with}) than these ({given}): give the same ones, by the same names")]
    OtherImport {
        /// The topic.
        topic: String,
        /// The files it began with.
        began_with: String,
        /// The files given now.
        given: String,
    },
    /// A rule set in the journal that this program cannot compile.
    #[error(
        "rule set {number} in the journal does not compile with this program: {reason}; publish a rule file that does, with the program that wrote it"
    )]
    Rules {
        /// Its number.
        number: u32,
        /// What is wrong.
        reason: String,
    },
}

/// How an operator says where an input goes on.
fn go_on(TopicPartition { topic, partition }: &TopicPartition, group: &str) -> String {
    format!(
        "kafka-consumer-groups --bootstrap-server BROKERS --group {group} --topic {topic}:{partition} --reset-offsets --to-earliest --execute"
    )
}

impl JournalError {
    /// Whether it stays as it is until somebody acts, so that starting again is of no use. A journal that is not made yet may be made any moment.
    #[must_use]
    pub fn needs_operator(&self) -> bool {
        !matches!(self, Self::NotCreated { .. })
    }
}
