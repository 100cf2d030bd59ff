//! Feature rows with what became of their customers.

use std::collections::BTreeSet;

use bellwether_engine::time::Time;

use crate::evaluate::{ChurnAt, Life};
use crate::observe::{FeatureRow, Observed};
use crate::outcomes::Outcomes;

/// Who counts as a customer, and what as its churn.
#[derive(Clone, Copy, Debug)]
pub struct Labelling<'o> {
    /// What counts as the churn time.
    pub churn_at: ChurnAt,
    /// Who left, when the log does not say it.
    pub outcomes: Option<&'o Outcomes>,
    /// A row is one of a churn if that follows within this.
    pub horizon_ms: i64,
    /// Rows of younger customers are left out.
    pub warm_up_ms: i64,
    /// Rows before this are left out.
    pub from: Time,
    /// What happens after this is unknown, and rows after it are left out.
    pub end: Time,
}

/// A row of a customer that pays and has not given notice.
#[derive(Clone, Copy, Debug)]
pub struct LabelledRow<'r> {
    /// The customer id.
    pub customer: &'r str,
    /// Its features.
    pub row: &'r FeatureRow,
    /// The churn that follows within the horizon, if one is known.
    pub churned_at: Option<Time>,
    /// Whether all of the horizon is known. Rows for which it is not say nothing: their churns are known before their stays.
    pub is_complete: bool,
}

impl Labelling<'_> {
    /// The rows in the order of customers, then dates.
    #[must_use]
    pub fn label<'r>(&self, observed: &'r Observed) -> Vec<LabelledRow<'r>> {
        let mut labelled = Vec::new();
        for customer in &observed.customers {
            let changes = &customer.history.changes;
            let end = self.end.min(customer.known_until);
            let known = &changes[..changes.partition_point(|change| change.at <= end)];
            let life = match self.outcomes {
                Some(outcomes) => Life::from_outcomes(known, outcomes.get(&*customer.id).map_or(&[], Vec::as_slice), end),
                None => Life::from_log(known, self.churn_at, end),
            };
            for row in customer.history.rows.iter().filter(|row| row.at >= self.from && row.at <= end) {
                if row.at.since_ms(customer.since) < self.warm_up_ms || !life.is_customer(row.at) {
                    continue;
                }
                let window_end = row.at.plus_ms(self.horizon_ms);
                let follows = life.churns.iter().find(|churn| churn.at > row.at && churn.at <= window_end);
                let churned_at = follows.map(|churn| churn.at);
                labelled.push(LabelledRow { customer: &customer.id, row, churned_at, is_complete: window_end <= end });
            }
        }
        labelled
    }
}

impl LabelledRow<'_> {
    /// Whether a churn within the horizon is known.
    #[must_use]
    pub fn churned(&self) -> bool {
        self.churned_at.is_some()
    }
}

/// The churns that rows end in: several rows of a customer may end in the same one.
#[must_use]
pub fn churns(rows: &[LabelledRow<'_>]) -> usize {
    rows.iter().filter_map(|row| Some((row.customer, row.churned_at?))).collect::<BTreeSet<_>>().len()
}
