//! `bellwether topics check`: what differs from the configuration.

use std::path::Path;

use bellwether_kafka::{AdminError, TopicDescription, TopicSettings};
use bellwether_live::error::LiveError;

use super::wanted;
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::terminal::print;

/// What Kafka keeps of groups and transactions, which is as much a part of each commit as the outputs are.
const KEPT_BY_KAFKA: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// Compares, and prints what differs, a line each.
pub fn run(path: &Path) -> Result<Outcome, Failure> {
    let Kafka { connect, .. } = Kafka::read(path)?;
    let admin = connect.admin().map_err(LiveError::from)?;
    let mut findings = Vec::new();
    for wanted in wanted::topics(connect.settings()) {
        match admin.describe(&[&wanted.name]) {
            Ok(found) => findings.extend(found.iter().flat_map(|found| differences(&wanted, found))),
            Err(error @ AdminError::MissingTopic(_)) => findings.push(error.to_string()),
            Err(error) => return Err(LiveError::from(error).into()),
        }
    }
    for name in KEPT_BY_KAFKA {
        match admin.describe(&[name]) {
            Ok(found) => findings.extend(found.iter().filter_map(|found| too_few(found, connect.settings().replication))),
            // Kafka makes them when they are first needed, and not everybody may look at them.
            Err(AdminError::MissingTopic(_) | AdminError::NotAuthorised { .. }) => {}
            Err(error) => return Err(LiveError::from(error).into()),
        }
    }
    for finding in &findings {
        print(finding)?;
    }
    Ok(Outcome::of(!findings.is_empty()))
}

fn differences(wanted: &TopicSettings, found: &TopicDescription) -> Vec<String> {
    let mut findings = Vec::new();
    let mut compare = |what: &str, wanted_value: &str, found_value: &str| {
        if wanted_value != found_value {
            findings.push(format!("{}: {what} is {found_value}, and should be {wanted_value}", wanted.name));
        }
    };
    compare("the number of partitions", &wanted.partitions.to_string(), &found.partitions.to_string());
    if let Some(replication) = wanted.replication {
        compare("the replication", &replication.to_string(), &found.replication.to_string());
    }
    for (name, value) in &wanted.settings {
        compare(name, value, found.settings.get(name).map_or("unknown", String::as_str));
    }
    findings
}

fn too_few(found: &TopicDescription, wanted: u32) -> Option<String> {
    let TopicDescription { name, replication, .. } = found;
    (*replication < wanted).then(|| format!("{name}: the replication is {replication}, and should be {wanted}: each commit rests on it"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_difference_is_a_line() {
        let settings = |policy: &str| [("cleanup.policy".to_owned(), policy.to_owned())].into_iter().collect();
        let wanted = TopicSettings { name: "journal".to_owned(), partitions: 12, replication: Some(3), settings: settings("delete") };
        let found = TopicDescription { name: "journal".to_owned(), partitions: 6, replication: 3, settings: settings("compact") };
        let expected =
            ["journal: the number of partitions is 6, and should be 12", "journal: cleanup.policy is compact, and should be delete"];
        assert_eq!(differences(&wanted, &found), expected);
    }

    #[test]
    fn what_kafka_keeps_may_have_more_replicas_and_not_fewer() {
        let found = |replication| TopicDescription {
            name: "__consumer_offsets".to_owned(),
            partitions: 50,
            replication,
            settings: BTreeMap::new(),
        };
        let told = [1, 3, 5].map(|replication| too_few(&found(replication), 3));
        let expected = "__consumer_offsets: the replication is 1, and should be 3: each commit rests on it";
        assert_eq!(told, [Some(expected.to_owned()), None, None]);
    }
}
