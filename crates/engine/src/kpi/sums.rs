//! The sums: integers per segment, plan and month, that add up across partitions and instances.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::campaigns::CampaignSums;
use super::durations::{Durations, add};
use super::month::Month;
use crate::event::Currency;

/// A value of a label.
pub type Label = Box<str>;

/// Everything that KPIs are computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KpiSums {
    /// Customers as they are, by segment.
    pub segments: BTreeMap<Label, SegmentSums>,
    /// Subscriptions as they are, by plan.
    pub plans: BTreeMap<Label, PlanSums>,
    /// What happened, by month of event time; the months that are retained.
    pub months: BTreeMap<Month, MonthSums>,
    /// What became of campaigns, by campaign and industry, since the journal was created.
    pub campaigns: BTreeMap<(Label, Label), CampaignSums>,
    /// Months before this one are not kept.
    pub(super) retained_from: Month,
}

/// The customers of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSums {
    /// Levels, by [`Level`].
    pub levels: BTreeMap<Level, i64>,
    /// MRR without trials, minor units by currency.
    pub mrr_minor: BTreeMap<Currency, i64>,
    /// Customers who pay in a currency.
    pub paying: BTreeMap<Currency, i64>,
    /// How MRR and customers moved, by month.
    pub movements: BTreeMap<Month, Movements>,
}

/// A number of customers, users, respondents or subscriptions that stands at the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`Level::ALL` has the meaning of each")]
pub enum Level {
    Customers,
    CurrentCustomers,
    Subscriptions,
    Trials,
    NpsPromoters,
    NpsPassives,
    NpsDetractors,
    NpsDecisionMakerPromoters,
    NpsDecisionMakerPassives,
    NpsDecisionMakerDetractors,
    ActiveUsers30d,
    ProvisionedUsers,
    ConsentGiven,
    ConsentRefused,
    UsersWithdrawn,
    GradeRed,
    GradeAmber,
    GradeGreen,
}

impl Level {
    /// Every level, in the order of the enum, with its name and meaning.
    pub const ALL: [(Level, &'static str, &'static str); 18] = [
        (Level::Customers, "customers", "Customers ever seen."),
        (Level::CurrentCustomers, "current_customers", "Customers with MRR over zero; trials do not count."),
        (Level::Subscriptions, "subscriptions", "Running subscriptions that are billed: active plans."),
        (Level::Trials, "trials", "Running subscriptions that are trials."),
        (Level::NpsPromoters, "nps_promoters", "Respondents whose last NPS answer within 90 days is 9 or 10."),
        (Level::NpsPassives, "nps_passives", "Respondents whose last NPS answer within 90 days is 7 or 8."),
        (Level::NpsDetractors, "nps_detractors", "Respondents whose last NPS answer within 90 days is 0 to 6."),
        (Level::NpsDecisionMakerPromoters, "nps_decision_maker_promoters", "Promoters who are decision makers."),
        (Level::NpsDecisionMakerPassives, "nps_decision_maker_passives", "Passives who are decision makers."),
        (Level::NpsDecisionMakerDetractors, "nps_decision_maker_detractors", "Detractors who are decision makers."),
        (Level::ActiveUsers30d, "active_users_30d", "Users with a login or usage within 30 days."),
        (Level::ProvisionedUsers, "provisioned_users", "Users seen or invited, and not removed; the never active ones too."),
        (Level::ConsentGiven, "consent_given", "Customers who agreed to marketing."),
        (Level::ConsentRefused, "consent_refused", "Customers who refused or withdrew it."),
        (Level::UsersWithdrawn, "users_withdrawn", "Users who refused marketing or unsubscribed for themselves."),
        (Level::GradeRed, "grade_red", "Customers with a running subscription whose health is red."),
        (Level::GradeAmber, "grade_amber", "Customers with a running subscription whose health is amber."),
        (Level::GradeGreen, "grade_green", "Customers with a running subscription whose health is green."),
    ];

    /// Its name in records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// The subscriptions of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSums {
    /// Running and billed.
    pub subscriptions: i64,
    /// Running trials.
    pub trials: i64,
    /// MRR of the billed ones, minor units by currency.
    pub mrr_minor: BTreeMap<Currency, i64>,
}

/// How MRR and customers of a segment moved in one month, and within the year that ends with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movements {
    /// Customers who pay for the first time.
    pub new_customers: i64,
    /// Customers who pay again.
    pub reactivated_customers: i64,
    /// Customers who paid at the end of the month before, and do not any more.
    pub churned_customers: i64,
    /// MRR that moved, by currency.
    pub money: BTreeMap<Currency, MoneyMoved>,
}

/// MRR of one currency that moved, in minor units; none of it is negative but `year_gained`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoneyMoved {
    /// Of customers who pay for the first time.
    pub new: i64,
    /// Of customers who paid before and pay again.
    pub reactivated: i64,
    /// More from those who stay.
    pub expansion: i64,
    /// Less from those who stay.
    pub contraction: i64,
    /// Of those who left.
    pub churned: i64,
    /// What customers who paid at the end of the same month a year before pay now, minus what they paid then.
    pub year_gained: i64,
    /// How much less than then those of them pay who pay less.
    pub year_lost: i64,
}

/// What happened in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthSums {
    /// From the beginning of a customer to its final milestone, for those who began in this month.
    pub onboarding: Durations,
    /// From the beginning of a customer to its first value, for those who began in this month.
    pub first_value: Durations,
    /// From an invitation to its use, for those sent in this month.
    pub activation: Durations,
    /// Events counted, by [`Flow`].
    pub flows: BTreeMap<Flow, i64>,
    /// Tickets opened, by channel.
    pub tickets: BTreeMap<Label, i64>,
    /// Tickets of this month that were answered, by whole hours to the first answer.
    pub first_response_hours: BTreeMap<u16, i64>,
    /// Cost of winning customers, minor units by currency.
    pub acquisition_cost_minor: BTreeMap<Currency, i64>,
    /// Cost of keeping customers, minor units by currency.
    pub retention_cost_minor: BTreeMap<Currency, i64>,
}

/// Something that is counted when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "`Flow::ALL` has the meaning of each")]
pub enum Flow {
    Renewed,
    Ended,
    CsatAnswers,
    CsatSatisfied,
    CesAnswers,
    CesSum,
    Leads,
    Due,
    DueRenewed,
    ActiveUsersAtEnd,
}

impl Flow {
    /// Every flow, in the order of the enum, with its name and meaning.
    pub const ALL: [(Flow, &'static str, &'static str); 10] = [
        (Flow::Renewed, "renewed", "Subscriptions renewed."),
        (Flow::Ended, "ended", "Subscriptions ended."),
        (Flow::CsatAnswers, "csat_answers", "CSAT answers."),
        (Flow::CsatSatisfied, "csat_satisfied", "CSAT answers in the top two of five."),
        (Flow::CesAnswers, "ces_answers", "CES answers."),
        (Flow::CesSum, "ces_sum_hundredths", "Sum of CES answers, each mapped to 0-10,000, where 10,000 is the least effort."),
        (Flow::Leads, "leads", "Expansion leads."),
        (Flow::Due, "due", "Terms of subscriptions whose paid period ends in the month, be it yet to come; trials are not due."),
        (Flow::DueRenewed, "due_renewed", "Those of them that were renewed, whenever the renewal came."),
        (
            Flow::ActiveUsersAtEnd,
            "active_users_at_end",
            "Users active within 30 days when the month ended, by what was known then; none before.",
        ),
    ];

    /// Its name in records and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl KpiSums {
    /// Time has come into a month: months that are too old are dropped.
    pub(crate) fn enter(&mut self, month: Month) {
        self.retained_from = self.retained_from.max(month.back(super::ledger::RETAINED_MONTHS - 1));
        self.months = self.months.split_off(&self.retained_from);
        for segment in self.segments.values_mut() {
            segment.movements = segment.movements.split_off(&self.retained_from);
        }
    }

    /// A month is over: what stands only at the present is noted for it.
    pub(crate) fn end_month(&mut self, month: Month) {
        let active_users = self.level(Level::ActiveUsers30d);
        if let Some(sums) = self.month(month).filter(|_| active_users != 0) {
            sums.flows.insert(Flow::ActiveUsersAtEnd, active_users);
        }
    }

    /// The sums of a month, if it is retained.
    pub(super) fn month(&mut self, month: Month) -> Option<&mut MonthSums> {
        (month >= self.retained_from).then(|| self.months.entry(month).or_default())
    }

    /// Adds those of another partition. Both must have come to the same month.
    pub fn merge(&mut self, other: &Self) {
        self.retained_from = self.retained_from.max(other.retained_from);
        for (label, segment) in &other.segments {
            self.segments.entry(label.clone()).or_default().merge(segment);
        }
        for (label, plan) in &other.plans {
            let into = self.plans.entry(label.clone()).or_default();
            into.subscriptions += plan.subscriptions;
            into.trials += plan.trials;
            plan.mrr_minor.iter().for_each(|(currency, mrr)| add(&mut into.mrr_minor, *currency, *mrr));
        }
        for (month, sums) in &other.months {
            self.months.entry(*month).or_default().merge(sums);
        }
        for (labels, sums) in &other.campaigns {
            self.campaigns.entry(labels.clone()).or_default().merge(sums);
        }
    }

    /// Drops labels and months of which nothing is left, so that equal sums are equal however they came about.
    pub fn tidy(&mut self) {
        self.segments.values_mut().for_each(|segment| segment.movements.retain(|_, moved| !moved.is_empty()));
        self.segments.retain(|_, segment| *segment != SegmentSums::default());
        self.plans.retain(|_, plan| *plan != PlanSums::default());
        self.months.retain(|_, month| *month != MonthSums::default());
    }

    /// The first month that is kept.
    #[must_use]
    pub fn retained_from(&self) -> Month {
        self.retained_from
    }
}

impl SegmentSums {
    fn merge(&mut self, other: &Self) {
        other.levels.iter().for_each(|(level, count)| add(&mut self.levels, *level, *count));
        other.mrr_minor.iter().for_each(|(currency, mrr)| add(&mut self.mrr_minor, *currency, *mrr));
        other.paying.iter().for_each(|(currency, count)| add(&mut self.paying, *currency, *count));
        for (month, moved) in &other.movements {
            self.movements.entry(*month).or_default().add(moved, 1);
        }
    }

    /// A level.
    #[must_use]
    pub fn level(&self, level: Level) -> i64 {
        self.levels.get(&level).copied().unwrap_or(0)
    }
}

impl Movements {
    pub(super) fn add(&mut self, other: &Self, sign: i64) {
        self.new_customers += sign * other.new_customers;
        self.reactivated_customers += sign * other.reactivated_customers;
        self.churned_customers += sign * other.churned_customers;
        for (currency, moved) in &other.money {
            self.money.entry(*currency).or_default().add(moved, sign);
        }
        self.money.retain(|_, moved| *moved != MoneyMoved::default());
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl MoneyMoved {
    pub(super) fn add(&mut self, other: &Self, sign: i64) {
        self.new += sign * other.new;
        self.reactivated += sign * other.reactivated;
        self.expansion += sign * other.expansion;
        self.contraction += sign * other.contraction;
        self.churned += sign * other.churned;
        self.year_gained += sign * other.year_gained;
        self.year_lost += sign * other.year_lost;
    }
}

impl MoneyMoved {
    /// By how much MRR rose over the month.
    #[must_use]
    pub fn net(&self) -> i64 {
        self.new + self.reactivated + self.expansion - self.contraction - self.churned
    }
}

impl MonthSums {
    fn merge(&mut self, other: &Self) {
        self.onboarding.merge(&other.onboarding);
        self.first_value.merge(&other.first_value);
        self.activation.merge(&other.activation);
        other.flows.iter().for_each(|(flow, count)| add(&mut self.flows, *flow, *count));
        other.tickets.iter().for_each(|(channel, count)| add(&mut self.tickets, channel.clone(), *count));
        other.first_response_hours.iter().for_each(|(hours, count)| add(&mut self.first_response_hours, *hours, *count));
        other.acquisition_cost_minor.iter().for_each(|(currency, cost)| add(&mut self.acquisition_cost_minor, *currency, *cost));
        other.retention_cost_minor.iter().for_each(|(currency, cost)| add(&mut self.retention_cost_minor, *currency, *cost));
    }

    /// A flow.
    #[must_use]
    pub fn flow(&self, flow: Flow) -> i64 {
        self.flows.get(&flow).copied().unwrap_or(0)
    }
}
