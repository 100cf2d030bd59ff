//! `bellwether rules publish`: a rule file takes effect in a journal.

use std::path::PathBuf;

use bellwether_codec::journal::PublishedRules;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::Time;
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{JournalError, publish_rules, read_created, rules_in_force};
use clap::Args;

use super::trial;
use crate::failure::{Failure, Outcome};
use crate::inputs::parse_time_argument;
use crate::kafka::Kafka;
use crate::rule_text::{self, RuleText};
use crate::silence_text;
use crate::terminal::tell;

/// A rule set is one record of the journal, and must fit into a topic that somebody else has made.
pub const MAX_BYTES: usize = 900_000;

/// Put a rule file into force in a Kafka journal
///
/// It becomes a record in every partition, in one transaction, numbered one up. It takes effect at that place of the journal, for every customer at
/// once. A file that is in force already is not published again. A file without a section `silences` keeps those in force.
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

    /// Decide what is dated before this time, but do not send it; what is still open then is sent: a date (UTC) or 2026-03-01T08:15:00Z
    ///
    /// For a journal that begins with history. It goes with the first rule set of a journal, as its `quiet_until`, and all later ones get the same.
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    quiet_until: Option<Time>,

    /// The rule file [default: the built-in rule pack]
    rules: Option<PathBuf>,
}

/// Publishes the file.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let rules = RuleText::read(arguments.rules.as_deref())?.quiet_until(arguments.quiet_until)?.with_time_zone()?;
    if rules.text.len() > MAX_BYTES {
        return Err(Failure::Usage(format!(
            "{} has {} bytes, more than the {MAX_BYTES} that may be published",
            rules.name,
            rules.text.len()
        )));
    }
    let Kafka { connect, .. } = Kafka::read(&arguments.config)?;
    let topic = &connect.settings().journal.topic;
    // The one that writes ends what others of its kind are at, such as an import.
    let client = if arguments.dry_run { connect.looking_client() } else { connect.control_client() };
    let mut client = client.map_err(LiveError::from)?;
    let not_created = || LiveError::from(JournalError::NotCreated { topic: topic.clone() });
    let created = read_created(&mut client, topic)?.ok_or_else(not_created)?;
    let in_force = rules_in_force(connect.connection(), &connect.journal_start())?;
    let rules = match &in_force {
        Some(known) => as_silent_as(known, as_quiet_as(known, rules)?)?,
        None => rules,
    };
    if let Some(same) = in_force.as_ref().filter(|known| known.text == rules.text) {
        tell(&format!("{} is in force already, as rule set {}", rules.name, same.number));
        return Ok(Outcome::Done);
    }
    if arguments.dry_run {
        return trial::run(&connect, &rules);
    }
    let number = in_force.map_or(1, |known| known.number + 1);
    let published = PublishedRules { number, text: rules.text };
    if let Err(error) = publish_rules(&mut client, topic, created.partitions, published.clone()) {
        // Nobody may know yet, or somebody else who publishes has pushed this one out: the journal tells.
        let found = rules_in_force(connect.connection(), &connect.journal_start())?;
        if found.as_ref() != Some(&published) {
            let now = found.map_or(0, |known| known.number);
            return Err(Failure::Run(format!(
                "{error}\n{} is not in force: the journal is at rule set {now}. Run the command again; what is in force already is not published twice",
                rules.name
            )));
        }
    }
    tell(&format!("published {} as rule set {number}", rules.name));
    Ok(Outcome::Done)
}

/// Silences belong to the day, and rule files to their repository: a file that says nothing of them keeps those in force.
fn as_silent_as(in_force: &PublishedRules, rules: RuleText) -> Result<RuleText, Failure> {
    let known = RuleText { name: format!("rule set {} of the journal", in_force.number), text: in_force.text.clone() };
    silence_text::kept(rules, &known.parse()?)
}

/// Later rule sets are quiet until the time of the first one: an episode that was told must not be told again.
fn as_quiet_as(in_force: &PublishedRules, rules: RuleText) -> Result<RuleText, Failure> {
    let known = rule_text::compile(&in_force.text, in_force.number).map_err(Failure::Run)?.settings.quiet_until;
    let asked = rules.parse()?.settings.quiet_until;
    if asked != Time::MIN && asked != known {
        let found = if known == Time::MIN { "not quiet".to_owned() } else { format!("quiet until {}", format_time(known)) };
        return Err(Failure::Usage(format!(
            "a time until which nothing is sent goes with the first rule set only: this journal is {found}"
        )));
    }
    rules.quiet_until(Some(known).filter(|known| *known != Time::MIN))
}
