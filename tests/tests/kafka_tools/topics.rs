//! `bellwether topics`: what it makes is what it checks for, and each thing that somebody changes is named.

use std::process::Output;

use bellwether_kafka::{Admin, TopicSettings};
use bellwether_tests::broker::{Broker, tool};
use bellwether_tests::product::{Product, succeeded};

const PARTITIONS: u16 = 3;

/// Runs `bellwether topics create` or `check`.
fn topics(product: &Product, command: &str) -> Output {
    product.bellwether(&["topics", command, "--config"], &[&product.configuration("setup")])
}

#[test]
fn what_is_made_passes_the_check_and_each_change_is_named() {
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "topics", PARTITIONS);
    let missing = topics(&product, "check");
    assert!(missing.status.code() == Some(1) && lines(&missing).contains("topics.journal"), "{missing:?}");
    succeeded(&topics(&product, "create"));
    succeeded(&topics(&product, "create"));
    let check = topics(&product, "check");
    assert_eq!((check.status.code(), lines(&check).as_str()), (Some(0), ""), "{check:?}");

    // Kafka's own tool tells the same of what was made.
    for (topic, wanted) in [
        ("journal", "cleanup.policy=delete retention.ms=-1 retention.bytes=-1 message.timestamp.type=LogAppendTime min.insync.replicas=1"),
        ("health", "cleanup.policy=compact min.insync.replicas=1"),
        ("signals", "cleanup.policy=delete min.insync.replicas=1"),
    ] {
        let told = broker.tool(tool::TOPICS, &["--describe", "--topic", &product.topic(topic)]);
        assert!(told.contains(&format!("PartitionCount: {PARTITIONS}")) && told.contains("ReplicationFactor: 1"), "{told}");
        wanted.split(' ').for_each(|setting| assert!(told.contains(setting), "{topic} lacks {setting}: {told}"));
    }

    let changes = [
        ("journal", "retention.ms=1000000", "retention.ms is 1000000, and should be -1"),
        ("journal", "retention.bytes=1000000", "retention.bytes is 1000000, and should be -1"),
        ("journal", "message.timestamp.type=CreateTime", "message.timestamp.type is CreateTime, and should be LogAppendTime"),
        ("journal", "cleanup.policy=compact", "cleanup.policy is compact, and should be delete"),
        ("health", "cleanup.policy=delete", "cleanup.policy is delete, and should be compact"),
        ("signals", "min.insync.replicas=2", "min.insync.replicas is 2, and should be 1"),
    ];
    for (topic, setting, _) in changes {
        let name = product.topic(topic);
        broker.tool(tool::CONFIGS, &["--alter", "--entity-type", "topics", "--entity-name", &name, "--add-config", setting]);
    }
    broker.tool(tool::TOPICS, &["--alter", "--topic", &product.topic("decisions"), "--partitions", "4"]);
    let check = topics(&product, "check");
    let mut expected: Vec<String> = changes.iter().map(|(topic, _, told)| format!("{}: {told}", product.topic(topic))).collect();
    expected.push(format!("{}: the number of partitions is 4, and should be 3", product.topic("decisions")));
    expected.sort_unstable();
    let told = lines(&check);
    let mut told: Vec<&str> = told.lines().collect();
    told.sort_unstable();
    assert_eq!((check.status.code(), told), (Some(1), expected.iter().map(String::as_str).collect()), "{check:?}");
}

/// A transaction is as safe as the topics in which Kafka keeps what became of it. The first record of a journal was one.
#[test]
fn replicas_that_kafka_itself_lacks_are_named() {
    let product = Product::new(Broker::shared().bootstrap(), "topics-replicas", PARTITIONS);
    succeeded(&topics(&product, "create"));
    let path = product.configuration("setup");
    let text = std::fs::read_to_string(&path).expect("it can be read");
    std::fs::write(&path, text.replace("replication: 1", "replication: 3")).expect("it can be written");
    let check = product.bellwether(&["topics", "check", "--config"], &[&path]);
    let told = lines(&check);
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    assert!(told.contains("__transaction_state: the replication is 1, and should be 3: each commit rests on it"), "{told}");
}

/// A journal has as many partitions as it begins with: it does not begin in a topic that somebody made with more.
#[test]
fn a_journal_does_not_begin_in_a_topic_of_another_size() {
    let product = Product::new(Broker::shared().bootstrap(), "topics-before", PARTITIONS);
    let settings = [("message.timestamp.type".to_owned(), "LogAppendTime".to_owned())].into();
    let journal = TopicSettings { name: product.topic("journal"), partitions: 5, replication: Some(1), settings };
    Admin::new(product.connection()).and_then(|admin| admin.create(&[journal])).unwrap_or_else(|error| panic!("{error}"));
    let created = topics(&product, "create");
    let said = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(created.status.code() == Some(2) && said.contains("has 5 partitions, and the configuration says 3"), "{said}");
    assert_eq!(product.read("journal", 5, |_| ()).len(), 0, "nothing is in it");
}

fn lines(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
