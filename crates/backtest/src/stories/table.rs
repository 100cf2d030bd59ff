//! The figures of each story: how many of its leavers were warned of, and how long before they decided.

use std::collections::BTreeMap;

use bellwether_engine::rule::Kind;
use bellwether_engine::time::DAY_MS;

use super::{Company, Episode, Judgement, Outcome, customer_months, median, outcome};

/// One story.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoryRow {
    /// Customers.
    pub customers: usize,
    /// Those who left after their warm-up.
    pub left: usize,
    /// Those of them with at least one true alarm.
    pub warned: usize,
    /// Median days from the first true alarm to the decision, over the warned: negative is after it.
    pub lead_to_decision_days: Option<f64>,
    /// Median days from the first true alarm to notice or end, over the warned.
    pub lead_to_churn_days: Option<f64>,
    /// At-risk alarms that were false or are not known yet, for 1,000 customer-months.
    pub false_alarms_kcm: f64,
}

impl StoryRow {
    /// Warned of, of those who left.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.warned as f64 / self.left as f64
    }
}

/// A row for each story, by name. `counts` tells which at-risk episodes are looked at.
#[must_use]
pub fn story_table(
    company: &Company,
    episodes: &[Episode],
    judgement: &Judgement,
    counts: impl Fn(&Episode) -> bool,
) -> BTreeMap<String, StoryRow> {
    let mut first_true = BTreeMap::new();
    let mut false_alarms: BTreeMap<&str, usize> = BTreeMap::new();
    for episode in episodes.iter().filter(|episode| episode.kind == Kind::AtRisk && counts(episode)) {
        let Some(truth) = company.get(&episode.customer) else { continue };
        match outcome(episode, truth, judgement) {
            Outcome::True => {
                let first = first_true.entry(episode.customer.as_str()).or_insert(episode.raised);
                *first = (*first).min(episode.raised);
            }
            Outcome::False | Outcome::Censored => *false_alarms.entry(truth.story.as_str()).or_default() += 1,
            Outcome::Late | Outcome::After => {}
        }
    }
    let mut rows: BTreeMap<String, StoryRow> = BTreeMap::new();
    let mut leads: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (customer, truth) in company {
        let row = rows.entry(truth.story.clone()).or_default();
        row.customers += 1;
        let (Some(churn), Some(decided)) = (truth.churn(), truth.decided()) else { continue };
        if churn.since_ms(truth.start) <= judgement.warm_up_ms + judgement.min_lead_ms {
            continue;
        }
        row.left += 1;
        if let Some(raised) = first_true.get(customer.as_str()) {
            row.warned += 1;
            let (to_decision, to_churn) = leads.entry(&truth.story).or_default();
            to_decision.push(decided.since_ms(*raised) as f64 / DAY_MS as f64);
            to_churn.push(churn.since_ms(*raised) as f64 / DAY_MS as f64);
        }
    }
    for (story, row) in &mut rows {
        if let Some((to_decision, to_churn)) = leads.remove(story.as_str()) {
            row.lead_to_decision_days = median(to_decision);
            row.lead_to_churn_days = median(to_churn);
        }
        let months = customer_months(company.values().filter(|truth| truth.story == *story), judgement);
        row.false_alarms_kcm = false_alarms.get(story.as_str()).copied().unwrap_or_default() as f64 * 1_000.0 / months.max(1.0);
    }
    rows
}
