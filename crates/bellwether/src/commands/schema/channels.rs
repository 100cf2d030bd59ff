//! The table of topics that others read or write, with what they may count on.

use bellwether_live::config::OutputTopics;
use bellwether_live::kafka::dead_letter_header;

/// A topic, or all input topics.
pub struct Channel {
    /// Its name in the document.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Order, partitions, retention.
    pub description: &'static str,
    /// How often a record comes.
    pub guarantee: &'static str,
    /// What Bellwether does with it: `receive` or `send`.
    pub action: &'static str,
    /// Which topic it is.
    pub topic: TopicOf,
    /// What it holds.
    pub messages: &'static [Message],
}

/// Where the name of a topic comes from.
pub enum TopicOf {
    /// The sources.
    Inputs,
    /// An output.
    Output(fn(&OutputTopics) -> &String),
}

/// A kind of record.
pub struct Message {
    /// Its name in the document.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// The media type of its value.
    pub content_type: &'static str,
    /// What its key is.
    pub key: &'static str,
    /// Its headers.
    pub headers: &'static [Header],
    /// Its value.
    pub payload: Payload,
}

/// A header of a record.
#[derive(Clone, Copy)]
pub struct Header {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
    /// Whether every record has it.
    pub is_required: bool,
}

/// The value of a record.
pub enum Payload {
    /// As the contract of this name says.
    Contract(&'static str),
    /// The data of an event.
    Data,
    /// None at all.
    Nothing,
    /// Anything, in words.
    Anything(&'static str),
}

const JSON: &str = "application/json";
/// The message of mapped sources, which have no other.
pub const FOREIGN: &str = "foreignRecord";

const ANY: &str = "Any.";
const CUSTOMER: &str = "The customer id.";
const ONCE: &str = "Exactly once for readers with isolation.level=read_committed, whatever dies; others may see records of aborted transactions, \
    and tell what comes twice by ce_id.";

const fn always(name: &'static str, description: &'static str) -> Header {
    Header { name, description, is_required: true }
}

const fn sometimes(name: &'static str, description: &'static str) -> Header {
    Header { name, description, is_required: false }
}

const CLOUD_EVENT: &[Header] = &[
    always("ce_specversion", "The version of CloudEvents: 1.0."),
    always("ce_id", "The id: 32 hexadecimal digits. What comes twice has the same."),
    always("ce_source", "Who says it: /bellwether."),
    always("ce_type", "What it is, such as bellwether.signal.raised.v1."),
    always("ce_subject", "The customer id."),
    always("ce_time", "Journal time at which it was so, RFC 3339."),
    always("content-type", "application/json."),
];

const TRANSITION: &[Header] = &[
    CLOUD_EVENT[0],
    CLOUD_EVENT[1],
    CLOUD_EVENT[2],
    CLOUD_EVENT[3],
    CLOUD_EVENT[4],
    CLOUD_EVENT[5],
    CLOUD_EVENT[6],
    sometimes("ce_traceparent", "Where an event that belongs to a trace brought it about: that of the event, W3C Trace Context."),
    sometimes("traceparent", "The same, where tracing libraries look for it."),
];

const TRACE: &[Header] = &[
    sometimes("ce_traceparent", "The trace that the event belongs to, where its attributes name none; an invalid one is ignored."),
    sometimes("traceparent", "The same, as tracing libraries write it; ce_traceparent comes first."),
];

const EVENT: &[Header] = &[
    always("ce_specversion", "The version of CloudEvents: 1.0."),
    always("ce_id", "The id of the event in its source."),
    always("ce_source", "Who says it."),
    always("ce_type", "What happened, such as ticket.opened."),
    sometimes("ce_subject", "The customer id."),
    sometimes("ce_time", "When it happened, RFC 3339; else the time of the record."),
    TRACE[0],
    TRACE[1],
];

const REFUSED: &[Header] = &[
    always(dead_letter_header::REASON, "The code of the reason, such as missing_field."),
    always(dead_letter_header::MESSAGE, "Exactly what was wrong."),
    always(dead_letter_header::TOPIC, "The topic it was read from."),
    always(dead_letter_header::PARTITION, "The partition it was read from."),
    always(dead_letter_header::OFFSET, "The offset at which it stood."),
    sometimes(
        dead_letter_header::SIZE,
        "Bytes of the whole record, key, value and headers, if it is too large for this topic: then the letter holds the beginning of it.",
    ),
    sometimes(dead_letter_header::TIMESTAMP, "The timestamp that it had, milliseconds since the epoch; absent if it had none."),
];

/// All of them.
pub const CHANNELS: &[Channel] = &[
    Channel {
        name: "events",
        title: "Events of customers",
        description: "An input topic: any key, any partitions. Records are journaled by their customer. \
            It should keep what Bellwether may not have read yet: a week or more.",
        guarantee: "Each record is taken in exactly once, with its offset in the same transaction. An event whose source and id came before is dropped; \
            one that is no valid event goes to the dead letters.",
        action: "receive",
        topic: TopicOf::Inputs,
        messages: &[
            Message {
                name: "event",
                title: "An event in structured mode, or plain JSON with the same names",
                content_type: "application/cloudevents+json",
                key: ANY,
                headers: TRACE,
                payload: Payload::Contract("event"),
            },
            Message {
                name: "binaryEvent",
                title: "An event in binary mode: the attributes in headers, the data as the value",
                content_type: JSON,
                key: "Any; the customer id where there is no ce_subject.",
                headers: EVENT,
                payload: Payload::Data,
            },
            Message {
                name: FOREIGN,
                title: "A record of a source that is mapped: JSON of its own shape",
                content_type: JSON,
                key: ANY,
                headers: TRACE,
                payload: Payload::Anything("JSON, as the configuration maps it."),
            },
        ],
    },
    Channel {
        name: "signals",
        title: "Signals",
        description: "What happened to episodes, for those who act on it. The records of a customer are in one partition, in their order. As many partitions \
            as the journal. Keep them for longer than any subscriber may be down; a week is the broker's default, and a month costs little.",
        guarantee: ONCE,
        action: "send",
        topic: TopicOf::Output(|topics| &topics.signals),
        messages: &[Message {
            name: "signal",
            title: "A transition of an episode: a CloudEvent in binary mode",
            content_type: JSON,
            key: CUSTOMER,
            headers: TRANSITION,
            payload: Payload::Contract("signal-data"),
        }],
    },
    Channel {
        name: "health",
        title: "The latest health of each customer",
        description: "Compacted: the last record of a key is how the customer is now, with its open episodes. To know all customers, read it from the \
            beginning. Its cleanup.policy stays compact, with delete.retention.ms longer than any subscriber may be down, for tombstones to be seen.",
        guarantee: ONCE,
        action: "send",
        topic: TopicOf::Output(|topics| &topics.health),
        messages: &[
            Message {
                name: "health",
                title: "How a customer is: a CloudEvent in binary mode",
                content_type: JSON,
                key: CUSTOMER,
                headers: CLOUD_EVENT,
                payload: Payload::Contract("health"),
            },
            Message {
                name: "customerErased",
                title: "The customer was erased: forget it. A record without a value and without headers",
                content_type: JSON,
                key: CUSTOMER,
                headers: &[],
                payload: Payload::Nothing,
            },
        ],
    },
    Channel {
        name: "decisions",
        title: "What was decided and not sent",
        description: "For audits and analysis: transitions that no subscriber was told of, each with its reason, and outcomes that end nothing. Partitions and \
            order as of the signals; keep them for as long as somebody may ask why nothing came.",
        guarantee: ONCE,
        action: "send",
        topic: TopicOf::Output(|topics| &topics.decisions),
        messages: &[Message {
            name: "decision",
            title: "A transition that was not sent: a CloudEvent in binary mode",
            content_type: JSON,
            key: CUSTOMER,
            headers: TRANSITION,
            payload: Payload::Contract("decision-data"),
        }],
    },
    Channel {
        name: "kpis",
        title: "The sums behind the KPIs",
        description: "A record for each journal partition and UTC day. The sums of all partitions of a day add up; what was divided does not. Keep them \
            for as long as a warehouse may take to read them.",
        guarantee: "Exactly once for readers with isolation.level=read_committed; the key is the id.",
        action: "send",
        topic: TopicOf::Output(|topics| &topics.kpis),
        messages: &[Message {
            name: "kpis",
            title: "The sums of a partition at the end of a day",
            content_type: JSON,
            key: "DAY/PARTITION, such as 2026-03-01/7.",
            headers: &[always("content-type", "application/json.")],
            payload: Payload::Contract("kpis"),
        }],
    },
    Channel {
        name: "deadLetters",
        title: "Records that were refused",
        description: "Key, value and headers are those of the refused record, besides the headers that tell why. `bellwether dlq` shows them and puts them back. \
            Keep them for as long as it may take to notice and to mend.",
        guarantee: "Exactly once for readers with isolation.level=read_committed: they are of the transaction that goes over the refused record.",
        action: "send",
        topic: TopicOf::Output(|topics| &topics.dead_letters),
        messages: &[Message {
            name: "deadLetter",
            title: "A refused record",
            content_type: "application/octet-stream",
            key: "That of the refused record, if it had one.",
            headers: REFUSED,
            payload: Payload::Anything("The refused record as it came, byte for byte."),
        }],
    },
];
