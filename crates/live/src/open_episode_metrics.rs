//! Open episodes as a metric: by rule and its kind, severity, and whether anybody was told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bellwether_engine::open_episodes::OpenEpisodes;
use bellwether_engine::outcome::Group;
use bellwether_engine::outcome_counts::OTHER_RULES;
use bellwether_engine::partition::Header;
use bellwether_engine::rule::{Mode, Rule, Severity};
use bellwether_engine::rule_set::RuleSet;
use prometheus::{IntGaugeVec, Opts};

use crate::registry::Registry;

/// Group, kind, rule and severity: what tells the series apart.
type Labels = [String; 4];

/// The metric, and how each partition stands that this process owns.
pub struct OpenEpisodeMetrics {
    open: IntGaugeVec,
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    partitions: BTreeMap<u16, Standing>,
    /// Series that are there.
    told: BTreeSet<Labels>,
}

/// One partition.
struct Standing {
    rule_set: u32,
    episodes: OpenEpisodes,
    series: BTreeMap<Labels, u64>,
}

impl OpenEpisodeMetrics {
    /// Registers the metric.
    ///
    /// # Panics
    ///
    /// If another metric has its name, which is a defect of this file.
    #[must_use]
    pub fn register(registry: &Registry) -> Self {
        let help = "Episodes that are open now, by rule, its kind, and severity; group: told, held_out to compare with, or untold (shadow mode). \
                    `other`: of rules that are not in the rule set any more, until their customers have been reviewed.";
        let options = Opts::new("bellwether_open_episodes", help);
        let open = IntGaugeVec::new(options, &["group", "kind", "rule", "severity"]).expect("a valid name");
        registry.register(Box::new(open.clone())).expect("a name of its own");
        Self { open, board: Mutex::default() }
    }

    /// A partition stands so after a commit, under these rules.
    pub fn settled(&self, partition: u16, header: &Header, rules: &RuleSet) {
        let episodes = &header.aggregates.outcomes.open;
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let known = board.partitions.get(&partition);
        if known.is_some_and(|known| known.rule_set == rules.number && known.episodes == *episodes) {
            return;
        }
        let standing = Standing { rule_set: rules.number, episodes: episodes.clone(), series: series(episodes, rules) };
        board.partitions.insert(partition, standing);
        self.sum_up(&mut board);
    }

    /// A partition is no longer this process's: what only it had is told no longer.
    pub fn gone(&self, partition: u16) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if board.partitions.remove(&partition).is_some() {
            self.sum_up(&mut board);
        }
    }

    fn sum_up(&self, board: &mut Board) {
        let mut sums: BTreeMap<&Labels, u64> = BTreeMap::new();
        for (labels, count) in board.partitions.values().flat_map(|standing| &standing.series) {
            *sums.entry(labels).or_default() += count;
        }
        for labels in board.told.iter().filter(|labels| !sums.contains_key(labels)) {
            // It was told, so it is there to be taken back.
            _ = self.open.remove_label_values(&each(labels));
        }
        for (labels, count) in &sums {
            self.open.with_label_values(&each(labels)).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        board.told = sums.into_keys().cloned().collect();
    }
}

fn each(labels: &Labels) -> [&str; 4] {
    labels.each_ref().map(String::as_str)
}

/// The series of one partition. Each rule in force has its own from the start, at zero: a rule without open episodes is not one that is missing.
fn series(episodes: &OpenEpisodes, rules: &RuleSet) -> BTreeMap<Labels, u64> {
    let mut series = BTreeMap::new();
    for rule in &rules.rules {
        let possible = rule.severity.iter().map(|(severity, _)| *severity).chain([Severity::Warning]);
        let rule = Some(&**rule);
        possible.for_each(|severity| _ = series.insert(labels(rule, group(rule), severity), 0));
    }
    for (hash, open) in episodes.rules() {
        let rule = rules.rules.iter().find(|rule| rule.hash == hash).map(|rule| &**rule);
        for (group, counts) in [(group(rule), open.told), (Group::HeldOut, open.held_out)] {
            for (severity, count) in Severity::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
                *series.entry(labels(rule, group, severity)).or_default() += count;
            }
        }
    }
    series
}

/// Whether subscribers are told of episodes of the rule that are not held out.
fn group(rule: Option<&Rule>) -> Group {
    if rule.is_some_and(|rule| rule.mode == Mode::Shadow) { Group::Untold } else { Group::Told }
}

fn labels(rule: Option<&Rule>, group: Group, severity: Severity) -> Labels {
    let (kind, name) = rule.map_or((OTHER_RULES, OTHER_RULES), |rule| (rule.kind.name(), rule.name.as_str()));
    [group.name(), kind, name, severity.name()].map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use bellwether_codec::rules::RuleFile;
    use bellwether_engine::episode::Episode;
    use bellwether_engine::time::Time;
    use prometheus::TextEncoder;

    use super::*;

    const RULES: &str = "\
signals:
  - { name: silence, kind: at_risk, when: logins_28d == 0, summary: s, severity: { critical: logins_28d == 0 } }
  - { name: trial, kind: attention, mode: shadow, when: logins_28d == 0, summary: t }
";

    fn rules(text: &str, number: u32) -> RuleSet {
        let file = RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
        file.rule_set(number)
    }

    /// A header with an open episode of each of these severities and groups of the first rule.
    fn header(rules: &RuleSet, rule: usize, open: &[(Severity, bool)]) -> Header {
        let mut header = Header::default();
        for (severity, held_out) in open {
            let mut episode = Episode::pending(rules.rules[rule].hash, "", true, Time(0));
            episode.open(Time(0));
            episode.held_out = *held_out;
            episode.set_severity(*severity);
            header.aggregates.outcomes.open.add(&episode);
        }
        header
    }

    fn told(registry: &Registry) -> Vec<String> {
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("bellwether_open_episodes")).map(str::to_owned).collect()
    }

    #[test]
    fn partitions_add_up_and_take_theirs_with_them() {
        let registry = Registry::new();
        let metrics = OpenEpisodeMetrics::register(&registry);
        let rules = rules(RULES, 1);
        metrics.settled(0, &header(&rules, 0, &[(Severity::Critical, false), (Severity::Critical, true)]), &rules);
        metrics.settled(1, &header(&rules, 0, &[(Severity::Critical, false), (Severity::Info, false)]), &rules);
        let both = [
            r#"{group="held_out",kind="at_risk",rule="silence",severity="critical"} 1"#,
            r#"{group="told",kind="at_risk",rule="silence",severity="critical"} 2"#,
            r#"{group="told",kind="at_risk",rule="silence",severity="info"} 1"#,
            r#"{group="told",kind="at_risk",rule="silence",severity="warning"} 0"#,
            r#"{group="untold",kind="attention",rule="trial",severity="warning"} 0"#,
        ];
        assert_eq!(told(&registry), both);
        metrics.gone(0);
        let one = [both[1].replace(" 2", " 1"), both[2].into(), both[3].into(), both[4].into()];
        assert_eq!(told(&registry), one);
        metrics.gone(1);
        assert_eq!(told(&registry), Vec::<String>::new());
    }

    #[test]
    fn a_rule_that_is_gone_is_other_until_its_episodes_are() {
        let registry = Registry::new();
        let metrics = OpenEpisodeMetrics::register(&registry);
        let before = rules(RULES, 1);
        let header = header(&before, 1, &[(Severity::Warning, false)]);
        metrics.settled(0, &header, &before);
        assert!(told(&registry).contains(&r#"{group="untold",kind="attention",rule="trial",severity="warning"} 1"#.into()));
        let after = rules(RULES.split_inclusive('\n').take(2).collect::<String>().as_str(), 2);
        metrics.settled(0, &header, &after);
        let series = told(&registry);
        assert!(series.contains(&r#"{group="told",kind="other",rule="other",severity="warning"} 1"#.into()), "{series:?}");
        assert!(!series.iter().any(|series| series.contains("trial")), "{series:?}");
        metrics.settled(0, &Header::default(), &after);
        assert!(!told(&registry).iter().any(|series| series.contains("other")));
    }
}
