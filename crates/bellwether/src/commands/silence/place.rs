//! Where silences stand: in a rule file, or in the rule set in force of a Kafka journal.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bellwether_codec::journal::PublishedRules;
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{JournalError, publish_rules, read_created, rules_in_force};
use clap::Args;

use crate::commands::rules::MAX_PUBLISHED_BYTES;
use crate::failure::{Failure, Outcome};
use crate::kafka::Kafka;
use crate::rule_text::RuleText;
use crate::terminal::tell;

/// Where the silences are.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct Place {
    /// A rule file, which is changed
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// The configuration file of a Kafka journal, into which a changed rule set is published
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Place {
    /// The rules as they are.
    pub fn read(&self) -> Result<RuleText, Failure> {
        match &self.config {
            Some(config) => Ok(in_force(&Kafka::read(config)?)?.1),
            None => RuleText::read(self.rules.as_deref()),
        }
    }

    /// Changes the rules, and tells that.
    pub fn change(&self, told: &str, change: impl FnOnce(&RuleText) -> Result<RuleText, Failure>) -> Result<Outcome, Failure> {
        let Some(config) = &self.config else {
            let rules = self.read()?;
            let changed = change(&rules)?;
            replace(Path::new(&rules.name), &changed.text)
                .map_err(|error| Failure::Run(format!("cannot write {}: {error}", rules.name)))?;
            tell(&format!("{told} in {}; it takes effect when `run --rules` starts with it", rules.name));
            return Ok(Outcome::Done);
        };
        let kafka = Kafka::read(config)?;
        let (number, rules) = in_force(&kafka)?;
        let text = change(&rules)?.text;
        if text.len() > MAX_PUBLISHED_BYTES {
            return Err(Failure::Usage(format!(
                "the rules would have {} bytes, more than the {MAX_PUBLISHED_BYTES} that may be published",
                text.len()
            )));
        }
        let topic = &kafka.connect.settings().journal.topic;
        let mut client = kafka.connect.control_client().map_err(LiveError::from)?;
        let created =
            read_created(&mut client, topic)?.ok_or_else(|| LiveError::from(JournalError::NotCreated { topic: topic.clone() }))?;
        publish_rules(&mut client, topic, created.partitions, PublishedRules { number: number + 1, text })?;
        tell(&format!("{told}; published as rule set {}", number + 1));
        Ok(Outcome::Done)
    }
}

/// Puts another text into a file in one step, so that no failure leaves half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::set_permissions(&new, fs::metadata(&path)?.permissions())?;
    fs::rename(&new, &path)
}

fn in_force(kafka: &Kafka) -> Result<(u32, RuleText), Failure> {
    let connect = &kafka.connect;
    let none = || Failure::Usage("the journal has no rules yet; see `bellwether rules publish`".to_owned());
    let known = rules_in_force(connect.connection(), &connect.journal_start())?.ok_or_else(none)?;
    Ok((known.number, RuleText { name: format!("rule set {} of the journal", known.number), text: known.text }))
}
