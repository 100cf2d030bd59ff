//! Which rules warned of the same churns, and what would be lost without each.

use super::figures::Measured;
use super::tally::ratio;
use crate::report::{Overlap, RuleReport};

/// Other rules that are shown for each.
const MAX_OVERLAPS: usize = 5;

/// Fills in what each of the rules of `overall` shares with the others; `own` are the rules' measures, in the order of the reports.
pub(super) fn compare_rules(reports: &mut [RuleReport], own: &[Measured], is_in_overall: &[bool]) {
    let rules: Vec<usize> = (0..reports.len()).filter(|index| is_in_overall[*index]).collect();
    let warns = |rule: usize, churn: usize| own[rule].tallies.leads_days[churn].is_some();
    let churns = rules.first().map_or(0, |rule| own[*rule].tallies.leads_days.len());
    let mut shared = vec![vec![0_u64; reports.len()]; reports.len()];
    for churn in 0..churns {
        let warning: Vec<usize> = rules.iter().copied().filter(|rule| warns(*rule, churn)).collect();
        for rule in &warning {
            warning.iter().for_each(|other| shared[*rule][*other] += 1);
        }
        if let [alone] = warning[..] {
            reports[alone].churns_warned_alone += 1;
        }
    }
    for rule in &rules {
        let mut others: Vec<Overlap> = rules
            .iter()
            .filter(|other| *other != rule && shared[*rule][**other] > 0)
            .map(|other| Overlap { rule: reports[*other].rule.clone(), churns: shared[*rule][*other] })
            .collect();
        others.sort_by(|left, right| right.churns.cmp(&left.churns).then_with(|| left.rule.cmp(&right.rule)));
        others.truncate(MAX_OVERLAPS);
        reports[*rule].overlap = others;
        reports[*rule].marginal_recall = ratio(reports[*rule].churns_warned_alone as f64, churns as f64);
    }
}
