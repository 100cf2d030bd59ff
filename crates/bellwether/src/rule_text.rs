//! The text of the rules: that of a file, or of the pack that is built in.

use std::fs;
use std::path::Path;

use bellwether_codec::rules::RuleFile;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;

use crate::failure::Failure;

/// The default rule pack, and what errors call it.
const DEFAULT_PACK: &str = include_str!("../../../deploy/rules/default.yaml");
const DEFAULT_PACK_NAME: &str = "the built-in rule pack";

/// A larger rule file is none: the default pack has 60 KiB.
const MAX_BYTES: u64 = 4 << 20;

/// A rule file that is read, but not yet checked.
pub struct RuleText {
    /// What errors call it.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl RuleText {
    /// Reads a file; without one there is the default pack.
    pub fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self { name: DEFAULT_PACK_NAME.to_owned(), text: DEFAULT_PACK.to_owned() }) };
        let name = path.display().to_string();
        let unreadable = |problem: String| Failure::Usage(format!("cannot read the rule file {name}: {problem}"));
        let bytes = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if bytes > MAX_BYTES {
            return Err(unreadable(format!("it has {bytes} bytes, more than the {MAX_BYTES} that a rule file may have")));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { name, text })
    }

    /// The same with this time as its `quiet_until`.
    pub fn quiet_until(self, time: Option<Time>) -> Result<Self, Failure> {
        let own = self.parse()?.settings.quiet_until;
        let Some(time) = time.filter(|time| *time != own) else { return Ok(self) };
        if own != Time::MIN {
            return Err(Failure::Usage(format!("{} is quiet until {}, not {}", self.name, format_time(own), format_time(time))));
        }
        let text = format!("{}\nquiet_until: {}\n", self.text.trim_end(), format_time(time));
        let with_time = Self { name: self.name, text };
        with_time.parse()?;
        Ok(with_time)
    }

    /// The same with the table of its time zone in it: what is published must not depend on anybody's time zone database.
    pub fn with_time_zone(self) -> Result<Self, Failure> {
        let Some(section) = self.parse()?.time_zone_section() else { return Ok(self) };
        let with_table = Self { name: self.name, text: format!("{}\n\n{section}", self.text.trim_end()) };
        with_table.parse()?;
        Ok(with_table)
    }

    /// Checks and compiles it, or tells every mistake in it.
    pub fn parse(&self) -> Result<RuleFile, Failure> {
        RuleFile::parse(&self.name, &self.text).map_err(|errors| Failure::Usage(format!("the rules have mistakes\n\n{errors}")))
    }
}

/// Compiles the text of rules that a journal holds. A journal that is just being made has none yet.
pub fn compile(text: &str, number: u32) -> Result<RuleSet, String> {
    if text.is_empty() {
        return Ok(RuleSet::new(number, Vec::new(), Settings::default()));
    }
    let file = RuleFile::parse("the rules of the journal", text).map_err(|errors| errors.to_string())?;
    Ok(file.rule_set(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_put_into_a_text_once() {
        let quiet_until = |text: &RuleText| text.parse().expect("it has no mistakes").settings.quiet_until;
        let text = || RuleText::read(None).expect("it is built in");
        assert_eq!(quiet_until(&text()), Time::MIN);
        let quiet = text().quiet_until(Some(Time(1_767_225_600_000))).expect("it can be put in");
        assert_eq!(quiet_until(&quiet), Time(1_767_225_600_000));
        assert!(quiet.text.ends_with("\nquiet_until: 2026-01-01T00:00:00Z\n"), "{}", quiet.text);
        let again = RuleText { name: quiet.name.clone(), text: quiet.text.clone() }.quiet_until(Some(Time(1_767_225_600_000)));
        assert_eq!(again.map(|again| again.text).ok(), Some(quiet.text.clone()));
        assert!(quiet.quiet_until(Some(Time(0))).is_err());
    }

    #[test]
    fn a_published_text_has_the_table_of_its_time_zone() {
        let text = "settings:\n  business_hours: { opens: 9, closes: 17, time_zone: Europe/Berlin }\nsignals: []\n";
        let named = RuleText { name: "rules.yaml".to_owned(), text: text.to_owned() };
        let hours = |text: &RuleText| text.parse().expect("it has no mistakes").settings.business_hours;
        let expected = hours(&named);
        assert!(expected.zone.changes.len() > 100, "two changes a year: {}", expected.zone.changes.len());
        let published = named.with_time_zone().expect("it can be put in");
        assert_eq!(hours(&published), expected);
        assert!(published.parse().expect("it has no mistakes").time_zone.is_none(), "nothing is looked up any more");
        let text = published.text.clone();
        assert_eq!(published.with_time_zone().expect("it has one").text, text);
    }

    #[test]
    fn the_default_pack_has_no_mistakes() {
        let file = RuleText::read(None).and_then(|text| text.parse()).expect("the default pack is right");
        assert!(!file.rules.is_empty());
    }
}
