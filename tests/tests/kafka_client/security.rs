//! TLS and passwords, by properties that are passed through.

use std::time::Duration;

use bellwether_kafka::{Admin, AdminError, BrokerClient, BrokerOptions, Client, ConnectionOptions, Remedy, TopicPartition, TopicSettings};
use bellwether_tests::broker::{Broker, PASSWORD, STRANGER, USER};

use crate::support::{Worker, connection, options, transaction};

fn secured(broker: &Broker, user: &str, password: &str) -> ConnectionOptions {
    let mut connection = connection(broker);
    for (name, value) in [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", user),
        ("sasl.password", password),
        ("ssl.ca.location", &broker.certificate().display().to_string()),
    ] {
        connection.properties.insert(name.into(), value.into());
    }
    connection
}

fn with(broker: &Broker, connection: ConnectionOptions) -> BrokerOptions {
    BrokerOptions { connection, ..options(broker, "secured", "secured") }
}

/// One broker for all of it: it takes some seconds to start.
#[test]
fn a_secured_broker_takes_the_right_password_only() {
    let broker = Broker::start_secured();
    let good = secured(&broker, USER, PASSWORD);
    let topic = TopicSettings { name: "secured".into(), partitions: 1, replication: None, settings: [].into() };
    Admin::new(good.clone()).and_then(|admin| admin.create(&[topic])).unwrap_or_else(|error| panic!("{error}"));
    let mut worker = Worker::new(with(&broker, good.clone()));
    worker.client.commit(&transaction("secured", &[(0, "value")])).expect("it is committed");
    worker.until("the record is read", |worker| worker.read.len() == 1);
    assert_eq!(worker.client.bounds(&TopicPartition::new("secured", 0)), Ok((0, 2)));

    let wrong = BrokerClient::new(with(&broker, secured(&broker, USER, "hunter2-is-wrong"))).err().expect("the password is wrong");
    println!("wrong password: {wrong}");
    assert_eq!(wrong.remedy, Remedy::Stop, "{wrong}");
    let text = wrong.to_string();
    assert!(text.contains("uthentication") && !text.contains("hunter2") && !text.contains(PASSWORD), "{wrong}");

    let wrong = Admin::new(secured(&broker, USER, "hunter2-is-wrong")).and_then(|admin| admin.describe(&["secured"]));
    let wrong = wrong.expect_err("the password is wrong");
    println!("wrong password: {wrong}");
    assert!(matches!(wrong, AdminError::NotAuthorised { .. }) && !wrong.to_string().contains("hunter2"), "{wrong}");

    let mistyped = ConnectionOptions { properties: [("sasl.pasword".into(), "hunter2".into())].into(), ..good.clone() };
    let mistyped = BrokerClient::new(with(&broker, mistyped)).err().expect("there is no such property");
    println!("mistyped property: {mistyped}");
    assert_eq!(mistyped.remedy, Remedy::Stop, "{mistyped}");
    assert!(mistyped.to_string().contains("sasl.pasword") && !mistyped.to_string().contains("hunter2"), "{mistyped}");

    let plain = ConnectionOptions { properties: [].into(), timeout: Duration::from_secs(3), ..good.clone() };
    let plain = BrokerClient::new(with(&broker, plain)).err().expect("the broker wants TLS");
    println!("no TLS: {plain}");

    let stranger = secured(&broker, STRANGER, PASSWORD);
    let refused = BrokerClient::new(with(&broker, stranger.clone())).err().expect("it may do nothing");
    println!("no permission: {refused}");
    assert_eq!(refused.remedy, Remedy::Stop, "{refused}");
    let refused = Admin::new(stranger).and_then(|admin| admin.describe(&["secured"])).expect_err("it may do nothing");
    println!("no permission: {refused}");
    assert!(matches!(refused, AdminError::NotAuthorised { .. }), "{refused}");
}
