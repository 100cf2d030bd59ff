//! Where alarms come from: which rules raise them, and which others stand open for the same customer then.

use std::collections::BTreeMap;

use bellwether_engine::rule::Kind;

use super::{Company, Episode, Truth};

/// How many at-risk alarms each rule raised about the customers that `is_meant` picks, most first.
#[must_use]
pub fn alarms_by_rule<'a>(company: &Company, episodes: &'a [Episode], is_meant: impl Fn(&Truth) -> bool) -> Vec<(&'a str, usize)> {
    let at_risk = episodes.iter().filter(|episode| episode.kind == Kind::AtRisk);
    let meant = at_risk.filter(|episode| company.get(&episode.customer).is_some_and(&is_meant));
    most_first(meant.map(|episode| episode.rule.as_str()))
}

/// Pairs of at-risk rules with how often the first raised an alarm while one of the second was open, most first. Of several that are open, the one
/// raised first counts.
#[must_use]
pub fn pairs_beside(episodes: &[Episode]) -> Vec<((&str, &str), usize)> {
    let mut of_customer: BTreeMap<&str, Vec<&Episode>> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.kind == Kind::AtRisk) {
        of_customer.entry(&episode.customer).or_default().push(episode);
    }
    most_first(of_customer.values_mut().flat_map(|episodes| {
        episodes.sort_by_key(|episode| episode.raised);
        let beside = |(place, episode): (usize, &&Episode)| {
            let open = episodes[..place].iter().find(|open| open.ended.is_none_or(|ended| ended >= episode.raised))?;
            // Twins of one instant are a pair of either order.
            Some((episodes[place].rule.as_str(), open.rule.as_str()))
        };
        episodes.iter().enumerate().filter_map(beside).collect::<Vec<_>>()
    }))
}

fn most_first<T: Ord>(all: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

#[cfg(test)]
mod tests {
    use bellwether_engine::time::{DAY_MS, Time};

    use super::*;

    fn episode(customer: &str, rule: &str, raised: i64, ended: Option<i64>) -> Episode {
        let day = |day: i64| Time(day * DAY_MS);
        Episode { customer: customer.to_owned(), rule: rule.to_owned(), kind: Kind::AtRisk, raised: day(raised), ended: ended.map(day) }
    }

    #[test]
    fn a_pair_is_an_alarm_and_the_oldest_that_is_open() {
        let episodes = [
            episode("a", "decline", 10, Some(30)),
            episode("a", "slide", 20, None),
            episode("a", "drop", 25, None),
            episode("a", "drop", 40, None),
            episode("b", "drop", 20, None),
        ];
        let expected = [(("drop", "decline"), 1), (("drop", "slide"), 1), (("slide", "decline"), 1)];
        assert_eq!(pairs_beside(&episodes), expected);
    }

    #[test]
    fn alarms_are_counted_by_rule() {
        let truth = |story: &str| Truth { story: story.to_owned(), start: Time(0), decision: None, notice: None, end: None, upsell: None };
        let company: Company = [("a".to_owned(), truth("holidays")), ("b".to_owned(), truth("healthy"))].into_iter().collect();
        let other_kind = Episode { kind: Kind::Upsell, ..episode("a", "growth", 1, None) };
        let episodes = [
            episode("a", "drop", 1, None),
            episode("a", "gap", 2, None),
            episode("a", "gap", 3, None),
            episode("b", "drop", 4, None),
            other_kind,
        ];
        assert_eq!(alarms_by_rule(&company, &episodes, |truth| truth.story == "holidays"), [("gap", 2), ("drop", 1)]);
    }
}
