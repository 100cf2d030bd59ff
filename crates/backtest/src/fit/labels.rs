//! Feature rows with what became of their customers.

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
    /// Whether a churn within the horizon is known.
    pub churned: bool,
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
            let known = &changes[..changes.partition_point(|change| change.at <= self.end)];
            let life = match self.outcomes {
                Some(outcomes) => Life::from_outcomes(known, outcomes.get(&*customer.id).map_or(&[], Vec::as_slice), self.end),
                None => Life::from_log(known, self.churn_at, self.end),
            };
            for row in customer.history.rows.iter().filter(|row| row.at >= self.from && row.at <= self.end) {
                if row.at.since_ms(customer.since) < self.warm_up_ms || !life.is_customer(row.at) {
                    continue;
                }
                let window_end = row.at.plus_ms(self.horizon_ms);
                let churned = life.churns.iter().any(|churn| churn.at > row.at && churn.at <= window_end);
                labelled.push(LabelledRow { customer: &customer.id, row, churned, is_complete: window_end <= self.end });
            }
        }
        labelled
    }
}

/// Rows that end in a churn.
#[must_use]
pub fn churns(rows: &[LabelledRow<'_>]) -> usize {
    rows.iter().filter(|row| row.churned).count()
}
