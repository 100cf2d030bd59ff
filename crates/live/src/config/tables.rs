//! The fields of the section `kafka`: names, forms, defaults and meanings.

use bellwether_codec::source::MAPPING;
use bellwether_codec::yaml::{Absent, Field, Form, Section};

const fn field(name: &'static str, form: Form, absent: Absent, doc: &'static str) -> Field {
    Field { name, form, absent, doc }
}

/// The section `kafka`.
pub const KAFKA: Section = Section {
    what: "the section kafka",
    doc: "Its presence makes `run` a Kafka run: sources are read from topics, and journal, signals, health and decisions are topics too.",
    fields: &[
        field("brokers", Form::Text, Absent::Required, "Where to ask for the cluster: HOST:PORT, several with commas between them."),
        field(
            "application",
            Form::Text,
            Absent::Default("bellwether"),
            "The prefix of consumer groups and transactional ids. Instances of one product share it, and nothing else does.",
        ),
        field(
            "instance",
            Form::Text,
            Absent::Means("the host name"),
            "The name of this instance, which it keeps over restarts and shares with no other.",
        ),
        field(
            "static_membership",
            Form::Boolean,
            Absent::Default("false"),
            "Whether an instance that comes back under its name gets its partitions back without a rebalance. Partitions of one that does not come back wait for the session timeout.",
        ),
        field("client", Form::Named(&Form::Property), Absent::Default("{}"), "Properties of librdkafka, handed on as they are."),
        field(
            "client_files",
            Form::Named(&Form::Text),
            Absent::Default("{}"),
            "Properties of librdkafka whose values are read from these files when the run starts, without the line end.",
        ),
        field("journal", Form::Section(&JOURNAL), Absent::Default("{}"), "The journal."),
        field("topics", Form::Section(&TOPICS), Absent::Default("{}"), "What is written besides the journal."),
        field("replication", Form::Whole(1, 99), Absent::Default("3"), "Replicas of each topic that is created."),
        field(
            "min_insync_replicas",
            Form::Whole(1, 99),
            Absent::Default("2"),
            "Replicas that must have a record before it counts as written; at most `replication`.",
        ),
        field(
            "journal_retention",
            Form::Duration,
            Absent::Default("forever"),
            "How long the journal is kept: `forever`, or a duration. What is gone cannot be replayed.",
        ),
        field(
            "commit_interval",
            Form::Duration,
            Absent::Default("100ms"),
            "The longest time between two transactions while there is work: the shorter, the earlier a signal is seen, and the dearer.",
        ),
        field(
            "watermark_interval",
            Form::Duration,
            Absent::Default("1s"),
            "How often an ingest tells how far it has read, also when it is idle.",
        ),
        field(
            "max_watermark_drift",
            Form::Duration,
            Absent::Default("60s"),
            "How far an input may be taken in ahead of the one that is most behind, by the timestamps of their records. What is further ahead waits in its topic: then signals are those of a run in which no input was behind. Longer than any outage, and events are judged at once, whatever other inputs have not brought yet.",
        ),
        field("breaker", Form::Section(&BREAKER), Absent::Default("{}"), "When bad records stop the ingest."),
        field(
            "snapshots",
            Form::Section(&SNAPSHOTS),
            Absent::Means("no snapshots"),
            "Copies of partition states, to start from where a disk was lost.",
        ),
        field(
            "user_lookup",
            Form::Section(&USER_LOOKUP),
            Absent::Means("no user is known"),
            "Whose users there are, for mappings with `as: customer_of_user`.",
        ),
        field("sources", Form::List(&Form::Section(&SOURCE)), Absent::Required, "The topics to read; at least one source."),
    ],
};

pub(super) const JOURNAL: Section = Section {
    what: "the journal",
    doc: "The topic that holds everything in its one order.",
    fields: &[
        field("topic", Form::Text, Absent::Default("bellwether.journal"), "Its name."),
        field(
            "partitions",
            Form::Whole(1, 1024),
            Absent::Default("12"),
            "Its partitions when it is created; after that their number is fixed. The most workers that share the work.",
        ),
        field(
            "tick_interval",
            Form::Duration,
            Absent::Default("60s"),
            "How often the passing of time is written into partitions that are quiet otherwise: how late silence may be noticed.",
        ),
    ],
};

pub(super) const TOPICS: Section = Section {
    what: "the topics",
    doc: "The topics that are written besides the journal. Each is another one.",
    fields: &[
        field("signals", Form::Text, Absent::Default("bellwether.signals"), "Signals, for subscribers."),
        field(
            "health",
            Form::Text,
            Absent::Default("bellwether.health"),
            "The latest health and open episodes of each customer; compacted.",
        ),
        field("decisions", Form::Text, Absent::Default("bellwether.decisions"), "What was decided and not sent, and why."),
        field("kpis", Form::Text, Absent::Default("bellwether.kpis"), "The sums behind the KPIs, a record for each partition and UTC day."),
        field("dead_letters", Form::Text, Absent::Default("bellwether.dead-letters"), "Records that were refused, with the reason."),
    ],
};

pub(super) const BREAKER: Section = Section {
    what: "the breaker",
    doc: "A flood of bad records stops the ingest, loudly and with nothing lost: somebody changed a format.",
    fields: &[
        field(
            "ratio",
            Form::Number(0.0, 1.0),
            Absent::Default("0.5"),
            "The share of the last `window` records that may be refused; 1 never stops.",
        ),
        field("window", Form::Whole(1, 1_000_000), Absent::Default("1000"), "The number of records that `ratio` looks at."),
        field("consecutive", Form::Whole(1, 1_000_000), Absent::Default("200"), "Refused records in a row that stop it."),
    ],
};

pub(super) const SNAPSHOTS: Section = Section {
    what: "the snapshots",
    doc: "Copies of partition states. A partition that is given to an instance which has no state of it, or an old one, starts from the newest copy instead of the journal's beginning.",
    fields: &[
        field(
            "to",
            Form::Text,
            Absent::Required,
            "A directory or a file:// URL, made if need be. All instances share it, so it is on a file system that all of them see.",
        ),
        field(
            "every",
            Form::Duration,
            Absent::Default("1h"),
            "How often a snapshot of each partition is taken: what is folded again after a loss is no more than this.",
        ),
        field("keep", Form::Whole(1, 1_000), Absent::Default("3"), "Snapshots of each partition that are kept; older ones are removed."),
    ],
};

pub(super) const USER_LOOKUP: Section = Section {
    what: "the user lookup",
    doc: "The customer of each user, where records tell only the user. A record of an unknown user is refused as `unknown_customer`.",
    fields: &[
        field(
            "file",
            Form::Text,
            Absent::Means("no file"),
            "A CSV file with the columns `user` and `customer`, or JSON Lines (.jsonl) with these names.",
        ),
        field(
            "learn",
            Form::Boolean,
            Absent::Default("true"),
            "Whether `user.invited` and `user.activated` tell whose user one is. It is kept in memory and read from the journal, all of it at the start and then as it grows: an instance knows within about a second what another has taken in.",
        ),
        field("max_users", Form::Whole(1, 100_000_000), Absent::Default("1000000"), "Users known at most; a million take about 100 MB."),
    ],
};

pub(super) const SOURCE: Section = Section {
    what: "the source",
    doc: "Topics whose records are written in one way.",
    fields: &[
        field("name", Form::Text, Absent::Required, "Its name, in metrics and logs: a-z, 0-9 and `-`."),
        field("topics", Form::List(&Form::Text), Absent::Required, "Names of topics, or regular expressions, which begin with `^`."),
        field(
            "format",
            Form::Choice(&["auto", "structured", "binary", "plain", "mapped"]),
            Absent::Default("auto"),
            "CloudEvents in `structured` or `binary` mode, `plain` JSON with the same attribute names, any of these (`auto`), or other JSON that is `mapped`.",
        ),
        field(
            "unknown_types",
            Form::Choice(&["reject", "skip"]),
            Absent::Default("reject"),
            "Whether events of unknown types are refused, or left out and counted.",
        ),
        field(
            "tombstones",
            Form::Choice(&["skip", "reject"]),
            Absent::Default("skip"),
            "Whether records without a value are left out and counted, or refused.",
        ),
        field(
            "silent_after",
            Form::Duration,
            Absent::Default("auto"),
            "How long the whole source may bring no record before rules freeze that would take that for the silence of customers: a duration, `never`, or `auto`: twice its longest gap of the last one to two weeks, and an hour at least.",
        ),
        field("mapping", Form::Section(&MAPPING), Absent::Means("required for `mapped`"), "How other JSON becomes an event."),
    ],
};
