//! The KPIs themselves: the one place in which sums are divided.

use std::collections::BTreeMap;

use super::durations::Durations;
use super::month::Month;
use super::settings::KpiSettings;
use super::sums::{Flow, KpiSums, Level, MoneyMoved, MonthSums};
use crate::event::Currency;
use crate::time::Day;

/// A KPI that may have a target: name, unit and meaning.
#[derive(Clone, Copy, Debug)]
pub struct Kpi {
    /// Its name.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Meaning and formula.
    pub doc: &'static str,
}

/// Every KPI of [`Kpis::values`], in that order. Those of money are told by currency, apart from these.
pub const KPI_NAMES: [Kpi; 21] = [
    kpi("nps", "-100 to 100", "Share of promoters less share of detractors, by the last answer of each respondent within 90 days."),
    kpi("nps_decision_makers", "-100 to 100", "The same of respondents with the role decision_maker alone."),
    kpi(
        "onboarding_days",
        "days",
        "Kaplan-Meier median from the beginning to the final milestone, of those who began in the retained months.",
    ),
    kpi("first_value_days", "days", "Kaplan-Meier median from the beginning to the first value."),
    kpi("activation_days", "days", "Kaplan-Meier median from an invitation to its use."),
    kpi("activation_rate", "0 to 1", "Invitations of the retained months that were used."),
    kpi("ces", "0 to 100", "Mean of the CES answers of the month and the two before it; 100 is the least effort."),
    kpi("csat", "0 to 1", "CSAT answers of the month and the two before it in the top two of five."),
    kpi("customer_churn", "0 to 1", "Customers lost in the last whole month over customers at its beginning."),
    kpi("customer_churn_quarter", "0 to 1", "Customers lost in the last three whole months over customers at their beginning."),
    kpi("customer_churn_month_annualised", "0 to 1", "1 - (1 - m)^12 of the churn of the month."),
    kpi("customer_churn_annualised", "0 to 1", "1 - (1 - q)^4 of the churn of the quarter."),
    kpi("customer_churn_year", "0 to 1", "Customers lost in the last twelve whole months over customers at their beginning."),
    kpi("renewal_rate", "0 to 1", "Renewals of the last whole month over renewals and ends."),
    kpi("renewal_rate_due", "0 to 1", "Terms due in the last whole month that were renewed, early or late, over all that were due."),
    kpi("first_response_hours", "hours", "Median whole hours to the first answer, of tickets of the month and the two before it."),
    kpi("first_response_hours_p90", "hours", "Whole hours within which nine of ten of those tickets got their first answer."),
    kpi("active_user_ratio", "0 to 1", "Users active within 30 days over provisioned users."),
    kpi(
        "active_user_growth",
        "relative",
        "Users active within 30 days at the end of the last whole month over those at the end of the third month before it, less 1.",
    ),
    kpi("current_customers", "customers", "Customers with MRR over zero."),
    kpi("active_plans", "subscriptions", "Running subscriptions that are billed."),
];

pub(super) const fn kpi(name: &'static str, unit: &'static str, doc: &'static str) -> Kpi {
    Kpi { name, unit, doc }
}

/// KPIs as of the end of a day; what cannot be divided is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kpis {
    /// By the position of the name in [`KPI_NAMES`].
    pub values: [Option<f64>; KPI_NAMES.len()],
    /// Those of money.
    pub money: BTreeMap<Currency, MoneyKpis>,
}

/// KPIs of one currency; of the last whole month where a month is meant. Amounts are minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MoneyKpis {
    /// MRR now.
    pub mrr_minor: i64,
    /// MRR at the beginning of the last whole month.
    pub mrr_start_minor: i64,
    /// How MRR moved in that month.
    pub moved: MoneyMoved,
    /// Net retention of that month: what its starters pay at its end over what they paid at its beginning.
    pub net_retention: Option<f64>,
    /// Gross retention of that month: the same without expansion.
    pub gross_retention: Option<f64>,
    /// Net retention year over year, at the end of that month.
    pub net_retention_year: Option<f64>,
    /// Gross retention year over year.
    pub gross_retention_year: Option<f64>,
    /// Churned and contracted MRR of the month over MRR at its beginning.
    pub revenue_churn: Option<f64>,
    /// The same of the last three whole months, over MRR at their beginning.
    pub revenue_churn_quarter: Option<f64>,
    /// 1 - (1 - q)^4 of the revenue churn of the quarter.
    pub revenue_churn_annualised: Option<f64>,
    /// MRR per customer who pays in this currency.
    pub arpa_minor: Option<f64>,
    /// Worth of a customer over its life: ARPA x margin / churn of the last whole month, its life capped.
    pub cltv_minor: Option<f64>,
    /// Cost of acquisition of the month per new or reactivated customer.
    pub cac_minor: Option<f64>,
    /// Cost of retention of the month per current customer.
    pub crc_minor: Option<f64>,
}

impl Kpis {
    /// The KPIs of sums over all partitions, as of a day.
    #[must_use]
    pub fn of(sums: &KpiSums, today: Day, settings: &KpiSettings) -> Self {
        let last = Month::of(today).back(1);
        let churn = [1, 3, 12].map(|months| churn(sums, last, months));
        let quarter = |flow| recent(sums, Month::of(today)).map(|month| month.flow(flow)).sum::<i64>();
        let level = |level| sums.level(level);
        let mut all = [Durations::default(), Durations::default(), Durations::default()];
        for month in sums.months.values() {
            [&month.onboarding, &month.first_value, &month.activation].into_iter().zip(&mut all).for_each(|(one, all)| all.merge(one));
        }
        let median = |durations: &Durations| durations.median_days(today).map(f64::from);
        let of_last = |flow| sums.months.get(&last).map_or(0, |month| month.flow(flow));
        let active_users = |month| sums.months.get(&month).map_or(0, |month| month.flow(Flow::ActiveUsersAtEnd));
        let (renewed, ended) = (of_last(Flow::Renewed), of_last(Flow::Ended));
        let values = [
            nps(level(Level::NpsPromoters), level(Level::NpsPassives), level(Level::NpsDetractors)),
            nps(level(Level::NpsDecisionMakerPromoters), level(Level::NpsDecisionMakerPassives), level(Level::NpsDecisionMakerDetractors)),
            median(&all[0]),
            median(&all[1]),
            median(&all[2]),
            over(all[2].done_count(), all[2].count()),
            over(quarter(Flow::CesSum), 100 * quarter(Flow::CesAnswers)),
            over(quarter(Flow::CsatSatisfied), quarter(Flow::CsatAnswers)),
            churn[0],
            churn[1],
            churn[0].map(|month| annualised(month.min(1.0), 12)),
            churn[1].map(|quarter| annualised(quarter.min(1.0), 4)),
            churn[2],
            over(renewed, renewed + ended),
            over(of_last(Flow::DueRenewed), of_last(Flow::Due)),
            response_hours(sums, today, 5),
            response_hours(sums, today, 9),
            over(level(Level::ActiveUsers30d), level(Level::ProvisionedUsers)),
            over(active_users(last), active_users(last.back(3))).map(|ratio| ratio - 1.0),
            Some(level(Level::CurrentCustomers) as f64),
            Some(level(Level::Subscriptions) as f64),
        ];
        let money = sums.currencies().into_iter().map(|currency| (currency, money(sums, currency, last, churn[0], settings))).collect();
        Self { values, money }
    }

    /// The KPIs with their names.
    pub fn named(&self) -> impl Iterator<Item = (&'static Kpi, Option<f64>)> {
        KPI_NAMES.iter().zip(self.values)
    }
}

impl KpiSums {
    /// A level over all segments.
    #[must_use]
    pub fn level(&self, level: Level) -> i64 {
        self.segments.values().map(|segment| segment.level(level)).sum()
    }

    /// MRR now.
    #[must_use]
    pub fn mrr_minor(&self, currency: Currency) -> i64 {
        self.segments.values().filter_map(|segment| segment.mrr_minor.get(&currency)).sum()
    }

    /// MRR at the end of a month that is retained or the one before the first of them.
    #[must_use]
    pub fn mrr_minor_at(&self, currency: Currency, month: Month) -> i64 {
        let later = self.segments.values().flat_map(|segment| segment.movements.range(month.next()..));
        let moved: i64 = later.filter_map(|(_, moved)| moved.money.get(&currency)).map(MoneyMoved::net).sum();
        self.mrr_minor(currency) - moved
    }

    /// Customers who paid at the end of a month that is retained or the one before the first of them.
    #[must_use]
    pub fn customers_at(&self, month: Month) -> i64 {
        let later = self.segments.values().flat_map(|segment| segment.movements.range(month.next()..));
        let moved = later.map(|(_, moved)| moved.new_customers + moved.reactivated_customers - moved.churned_customers);
        self.level(Level::CurrentCustomers) - moved.sum::<i64>()
    }

    /// How MRR moved in a month, over all segments.
    #[must_use]
    pub fn moved(&self, currency: Currency, month: Month) -> MoneyMoved {
        let mut all = MoneyMoved::default();
        let of_month = self.segments.values().filter_map(|segment| segment.movements.get(&month));
        of_month.filter_map(|moved| moved.money.get(&currency)).for_each(|moved| all.add(moved, 1));
        all
    }

    /// Every currency in which anything is told.
    #[must_use]
    pub fn currencies(&self) -> std::collections::BTreeSet<Currency> {
        let now = self.segments.values().flat_map(|segment| segment.mrr_minor.keys());
        let moved = self.segments.values().flat_map(|segment| segment.movements.values().flat_map(|moved| moved.money.keys()));
        let costs = self.months.values().flat_map(|month| month.acquisition_cost_minor.keys().chain(month.retention_cost_minor.keys()));
        now.chain(moved).chain(costs).copied().collect()
    }
}

fn over(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| part as f64 / whole as f64)
}

fn nps(promoters: i64, passives: i64, detractors: i64) -> Option<f64> {
    over(100 * (promoters - detractors), promoters + passives + detractors)
}

/// Customers lost in the months that end with `last`, over those at their beginning. Who came and left in between is lost too, but never
/// counted as there; that is why the rate of a short period is the one to look at.
fn churn(sums: &KpiSums, last: Month, months: i32) -> Option<f64> {
    let before = last.back(months);
    if before.next() < sums.retained_from() {
        return None;
    }
    let moved = sums.segments.values().flat_map(|segment| segment.movements.range(before.next()..=last));
    over(moved.map(|(_, moved)| moved.churned_customers).sum(), sums.customers_at(before))
}

/// The month and the two before it.
fn recent(sums: &KpiSums, month: Month) -> impl Iterator<Item = &MonthSums> {
    sums.months.range(month.back(2)..=month).map(|(_, sums)| sums)
}

/// Churn of a year in which each of so many periods lost what this one did: 1 - (1 - c)^n (compound, as interest is: n x c would be too much).
fn annualised(churn: f64, periods: u32) -> f64 {
    1.0 - (0..periods).fold(1.0, |kept, _| kept * (1.0 - churn))
}

/// Whole hours within which so many tenths of the tickets were answered. Those without an answer count as waiting longer than any: the median
/// is absent when more than half have none.
fn response_hours(sums: &KpiSums, today: Day, tenths: i64) -> Option<f64> {
    let month = Month::of(today);
    let tickets: i64 = recent(sums, month).flat_map(|month| month.tickets.values()).sum();
    let mut by_hours: BTreeMap<u16, i64> = BTreeMap::new();
    for (hours, count) in recent(sums, month).flat_map(|month| &month.first_response_hours) {
        *by_hours.entry(*hours).or_default() += count;
    }
    let mut answered = 0;
    by_hours.into_iter().find_map(|(hours, count)| {
        answered += count;
        (10 * answered >= tenths * tickets).then_some(f64::from(hours))
    })
}

fn money(sums: &KpiSums, currency: Currency, last: Month, churn: Option<f64>, settings: &KpiSettings) -> MoneyKpis {
    let moved = sums.moved(currency, last);
    let (mrr_minor, start) = (sums.mrr_minor(currency), sums.mrr_minor_at(currency, last.back(1)));
    let lost = (0..3).map(|back| sums.moved(currency, last.back(back))).map(|moved| moved.contraction + moved.churned);
    // More may be lost in a quarter than its beginning had, where customers come and go within it.
    let quarter = over(lost.sum(), sums.mrr_minor_at(currency, last.back(3)));
    let year_before = sums.mrr_minor_at(currency, last.back(12));
    let paying: i64 = sums.segments.values().filter_map(|segment| segment.paying.get(&currency)).sum();
    let arpa_minor = over(mrr_minor, paying);
    let life_months =
        churn.map(|churn| if churn > 0.0 { (1.0 / churn).min(settings.lifetime_cap_months) } else { settings.lifetime_cap_months });
    let new_customers: i64 = sums
        .segments
        .values()
        .filter_map(|segment| segment.movements.get(&last))
        .map(|moved| moved.new_customers + moved.reactivated_customers)
        .sum();
    let costs = sums.months.get(&last);
    let acquisition = costs.and_then(|costs| costs.acquisition_cost_minor.get(&currency).copied());
    let retention = costs.and_then(|costs| costs.retention_cost_minor.get(&currency).copied());
    MoneyKpis {
        mrr_minor,
        mrr_start_minor: start,
        moved,
        net_retention: over(start + moved.expansion - moved.contraction - moved.churned, start),
        gross_retention: over(start - moved.contraction - moved.churned, start),
        net_retention_year: over(year_before + moved.year_gained, year_before),
        gross_retention_year: over(year_before - moved.year_lost, year_before),
        revenue_churn: over(moved.contraction + moved.churned, start),
        revenue_churn_quarter: quarter,
        revenue_churn_annualised: quarter.map(|quarter| annualised(quarter.min(1.0), 4)),
        arpa_minor,
        cltv_minor: arpa_minor.zip(life_months).map(|(arpa, months)| arpa * settings.gross_margin * months),
        cac_minor: acquisition.and_then(|cost| over(cost, new_customers)),
        crc_minor: retention.and_then(|cost| over(cost, sums.customers_at(last))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn churn_of_a_year_compounds() {
        // 1.274 % a quarter is 5 % a year, 1 % a month is 11.36 %, and not 12.
        assert!((annualised(0.012_741, 4) - 0.05).abs() < 1e-5);
        assert!((annualised(0.01, 12) - 0.113_615).abs() < 1e-6);
        assert_eq!((annualised(0.0, 12), annualised(1.0, 4)), (0.0, 1.0));
    }
}
