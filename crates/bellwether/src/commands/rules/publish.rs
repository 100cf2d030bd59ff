//! `bellwether rules publish`: a rule file takes effect in a journal.

use std::path::PathBuf;

use bellwether_codec::journal::PublishedRules;
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{JournalError, publish_rules, read_created, rules_in_force};
use clap::Args;

use super::trial;
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::rule_text::RuleText;
use crate::terminal::tell;

/// A rule set is one record of the journal, and must fit into a topic that somebody else has made.
const MAX_BYTES: usize = 900_000;

/// Put a rule file into force in a Kafka journal
///
/// It becomes a record in every partition, in one transaction, numbered one up. It takes effect at that place of the journal, for every customer at
/// once. A file that is in force already is not published again.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether rules publish --config bellwether.yaml --dry-run rules.yaml
  bellwether rules publish --config bellwether.yaml rules.yaml")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Publish nothing: replay the journal, and tell how many episodes each rule would open, close and keep
    #[arg(long)]
    dry_run: bool,

    /// The rule file [default: the built-in rule pack]
    rules: Option<PathBuf>,
}

/// Publishes the file.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let rules = RuleText::read(arguments.rules.as_deref())?;
    rules.parse()?;
    if rules.text.len() > MAX_BYTES {
        return Err(Failure::Usage(format!(
            "{} has {} bytes, more than the {MAX_BYTES} that may be published",
            rules.name,
            rules.text.len()
        )));
    }
    let Kafka { connect, .. } = Kafka::read(&arguments.config)?;
    let topic = &connect.settings().journal.topic;
    let mut client = connect.control_client().map_err(LiveError::from)?;
    let not_created = || LiveError::from(JournalError::NotCreated { topic: topic.clone() });
    let created = read_created(&mut client, topic)?.ok_or_else(not_created)?;
    let in_force = rules_in_force(connect.connection(), &connect.journal_start())?;
    if let Some(same) = in_force.as_ref().filter(|known| known.text == rules.text) {
        tell(&format!("{} is in force already, as rule set {}", rules.name, same.number));
        return Ok(Outcome::Done);
    }
    if arguments.dry_run {
        return trial::run(&connect, &rules);
    }
    let number = in_force.map_or(1, |known| known.number + 1);
    publish_rules(&mut client, topic, created.partitions, PublishedRules { number, text: rules.text })?;
    tell(&format!("published {} as rule set {number}", rules.name));
    Ok(Outcome::Done)
}
