//! The settings of a test broker: one node that is broker and controller, small, and quick to form a group.

use std::path::Path;

use super::certificate::{self, STORE_PASSWORD};
use super::{Access, PASSWORD, Proxied, USER};

/// The text of `server.properties`.
///
/// Kafka 4.4.0 takes a partition without a leader for one that was deleted, and ends a transaction without a mark there (KAFKA-20734): what is
/// committed may be aborted with the producer's next transaction, and the other way round. A lone broker is without leaders whenever the controller
/// gives it up. So it is not given up for a hang of some seconds, hands nothing over when it stops, as there is nobody to take it, and aborts
/// what took too long every 10 s only, as by default: not while it starts.
pub(super) fn server_properties(home: &Path, access: Access, [port, internal, mutual, controller]: [u16; 4], proxied: Proxied) -> String {
    let Proxied { told, target } = proxied;
    let mutual = match access {
        Access::Plain => String::new(),
        Access::Secured => format!("MUTUAL://127.0.0.1:{mutual},"),
    };
    let mut text = format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CLIENT://127.0.0.1:{port},{mutual}INTERNAL://127.0.0.1:{internal},PROXIED://127.0.0.1:{target},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENT://127.0.0.1:{port},{mutual}INTERNAL://127.0.0.1:{internal},PROXIED://127.0.0.1:{told}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INTERNAL
log.dirs={}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=6000
controlled.shutdown.enable=false
group.min.session.timeout.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=10485760
",
        home.join("data").display()
    );
    text += match access {
        Access::Plain => "listener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
        Access::Secured => {
            "listener.security.protocol.map=CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,PROXIED:PLAINTEXT,MUTUAL:SSL,CONTROLLER:PLAINTEXT\n"
        }
    };
    if access == Access::Secured {
        text += &format!(
            "sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\";
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PKCS12
ssl.keystore.location={}
ssl.keystore.password={STORE_PASSWORD}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{USER};User:{}
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.truststore.type=PKCS12
listener.name.mutual.ssl.truststore.location={}
listener.name.mutual.ssl.truststore.password={STORE_PASSWORD}
",
            certificate::store(home).display(),
            certificate::CLIENT,
            certificate::trusted(home).display(),
        );
    }
    text
}
