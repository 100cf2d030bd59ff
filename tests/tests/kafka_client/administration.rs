//! Topics: made, described, missing, and out of reach.

use std::time::{Duration, Instant};

use bellwether_kafka::{Admin, AdminError, Batch, BrokerClient, Client, ConnectionOptions, TopicSettings};
use bellwether_tests::broker::Broker;

use crate::support::{LONG, connection, make_topic, options};

#[test]
fn a_topic_is_as_it_was_made() {
    let admin = Admin::new(connection(Broker::shared())).expect("the options are right");
    let settings = [("cleanup.policy", "compact"), ("message.timestamp.type", "LogAppendTime"), ("retention.ms", "86400000")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let topic = TopicSettings { name: "made".into(), partitions: 3, replication: None, settings: settings.clone().into() };
    admin.create(std::slice::from_ref(&topic)).unwrap_or_else(|error| panic!("{error}"));
    let made = admin.describe(&["made"]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((made.len(), made[0].partitions, made[0].replication), (1, 3, 1));
    for (name, value) in &settings {
        assert_eq!(made[0].settings.get(name), Some(value), "{name}");
    }
    assert_eq!(made[0].settings.get("min.insync.replicas").map(String::as_str), Some("1"), "defaults are told too");
    assert_eq!(admin.create(std::slice::from_ref(&topic)), Err(AdminError::TopicExists("made".into())));
    assert_eq!(admin.describe(&["made", "unmade"]), Err(AdminError::MissingTopic("unmade".into())));
    let odd = TopicSettings { name: "odd".into(), settings: [("cleanup.policy".into(), "sometimes".into())].into(), ..topic };
    let error = admin.create(&[odd]).expect_err("there is no such policy");
    assert!(matches!(error, AdminError::Kafka(_)), "{error}");
}

#[test]
fn a_broker_out_of_reach_is_told_in_time() {
    let nowhere =
        ConnectionOptions { bootstrap_servers: "127.0.0.1:1".into(), timeout: Duration::from_secs(2), ..connection(Broker::shared()) };
    let start = Instant::now();
    let error = Admin::new(nowhere).and_then(|admin| admin.describe(&["any"])).expect_err("nobody listens there");
    assert!(start.elapsed() < LONG);
    assert!(matches!(error, AdminError::Unreachable { seconds: 2, .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1") && error.to_string().contains("refused"), "{error}");
}

#[test]
fn the_library_tells_how_it_is_doing() {
    let broker = Broker::shared();
    make_topic(broker, "told", 1);
    let mut client = BrokerClient::new(options(broker, "told", "told")).unwrap_or_else(|error| panic!("{error}"));
    let start = Instant::now();
    let told = loop {
        client.poll(&mut Batch::default(), 1, 1, Duration::from_millis(100)).unwrap_or_else(|error| panic!("{error}"));
        let told = client.statistics();
        if told.len() == 2 && told.iter().all(|told| told.round_trip_p99_seconds > 0.0) {
            break told;
        }
        assert!(start.elapsed() < LONG, "{told:?}");
    };
    assert_eq!(
        [0, 1].map(|index: usize| (told[index].client.as_str(), told[index].kind.as_str())),
        [("test", "consumer"), ("test", "producer")]
    );
    assert_eq!([0, 1].map(|index: usize| told[index].transaction_state.as_deref()), [None, Some("Ready")]);
    assert!(told.iter().all(|told| told.connects > 0), "{told:?}");
}
