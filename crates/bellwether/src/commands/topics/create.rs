//! `bellwether topics create`: makes what is missing, and begins the journal.

use std::path::Path;

use bellwether_codec::journal::Created;
use bellwether_kafka::AdminError;
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{create_journal, key_id, read_created};
use uuid::Uuid;

use super::wanted;
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::terminal::tell;

/// Makes the topics.
pub fn run(path: &Path) -> Result<Outcome, Failure> {
    let Kafka { configuration, connect } = Kafka::read(path)?;
    let pseudonymiser = configuration.pseudonymiser()?;
    let admin = connect.admin().map_err(LiveError::from)?;
    for topic in wanted::topics(connect.settings()) {
        match admin.create(std::slice::from_ref(&topic)) {
            Ok(()) => tell(&format!("created {} with {} partitions", topic.name, topic.partitions)),
            Err(AdminError::TopicExists(name)) => tell(&format!("{name} exists")),
            Err(error) => return Err(LiveError::from(error).into()),
        }
    }
    let mut client = connect.control_client().map_err(LiveError::from)?;
    let journal = &connect.settings().journal;
    if let Some(created) = read_created(&mut client, &journal.topic)? {
        tell(&format!("the journal {} has begun already", created.journal));
        return Ok(Outcome::Done);
    }
    // Kafka takes no partitions away, and the journal says once and for all how many it has.
    let found = admin.describe(&[&journal.topic]).map_err(LiveError::from)?.first().map(|topic| topic.partitions);
    if let Some(found) = found.filter(|found| *found != u32::from(journal.partitions)) {
        let (topic, wanted) = (&journal.topic, journal.partitions);
        return Err(Failure::Usage(format!(
            "the topic {topic} has {found} partitions, and the configuration says {wanted}: say {found} there, or delete the topic; the journal was not begun"
        )));
    }
    let created = Created { journal: Uuid::new_v4().to_string(), partitions: journal.partitions, pseudonym_key_id: key_id(&pseudonymiser) };
    create_journal(&mut client, &journal.topic, &created)?;
    tell(&format!("begun the journal {}; next: bellwether rules publish", created.journal));
    Ok(Outcome::Done)
}
