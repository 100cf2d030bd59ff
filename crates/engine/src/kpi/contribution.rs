//! What a customer contributes to the sums: a function of its state, the rule set and the day.

use super::due::due_months;
use super::durations::{Duration, add};
use super::ledger::{Money, MonthEnds, changes, money_at};
use super::month::Month;
use super::sums::{Flow, KpiSums, Label, Level, MoneyMoved, Movements};
use crate::customer::{Customer, Entry};
use crate::event::Currency;
use crate::feature::{Feature, FeatureSet};
use crate::rule_set::RuleSet;
use crate::time::{Day, Time};

/// Features that tell of a change to what a customer contributes.
pub(crate) const CONTRIBUTING: FeatureSet = FeatureSet::of(&[
    Feature::Subscriptions,
    Feature::ActiveUsers30d,
    Feature::PendingActivations,
    Feature::MilestonesReached,
    Feature::Nps,
    Feature::MarketingConsent,
]);

/// Movements are told year over year for this month and the one before.
const YEAR_MONTHS: i32 = 2;

/// What a customer adds to the sums of its partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KpiContribution {
    pub(super) segment: Label,
    pub(super) levels: Vec<(Level, i64)>,
    pub(super) money: Money,
    pub(super) movements: Vec<(Month, Movements)>,
    pub(super) plans: Vec<(Label, Option<(Currency, i64)>)>,
    pub(super) durations: Vec<(Process, Day, Duration)>,
    pub(super) due: Vec<Month>,
    pub(super) grade: Option<u8>,
}

/// Something that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Process {
    Onboarding,
    FirstValue,
    Activation,
}

impl Process {
    /// Each, in the order of the enum.
    pub(super) const ALL: [Self; 3] = [Self::Onboarding, Self::FirstValue, Self::Activation];
}

impl KpiContribution {
    /// What a customer contributes on the day on which it was last evaluated.
    pub(crate) fn of(customer: &Customer, rules: &RuleSet) -> Self {
        let settings = &rules.settings.kpis;
        let today = customer.clock.day();
        let mut contribution = Self {
            segment: settings.segments.of(customer.account.segment.get().map(|segment| &**segment)).into(),
            grade: customer.health.grade(&rules.settings.health),
            ..Self::default()
        };
        for subscription in customer.billing.active() {
            let plan = settings.plans.of(subscription.plan.get().map(|plan| &**plan)).into();
            let currency = subscription.paid_currency();
            let paid = (!subscription.is_trial()).then(|| (currency, subscription.mrr_minor.get().copied().unwrap_or(0)));
            contribution.plans.push((plan, paid));
        }
        contribution.money = money_at(&customer.billing, customer.ledger.as_deref(), Month(i32::MAX));
        contribution.movements = movements(customer, Month::of(today));
        contribution.due = due_months(&customer.billing);
        contribution.durations = durations(customer, rules.settings.first_value);
        contribution.levels = contribution.levels(customer, today);
        contribution
    }

    /// The health grade, 0 for red.
    pub(crate) fn grade(&self) -> Option<u8> {
        self.grade
    }

    fn levels(&self, customer: &Customer, today: Day) -> Vec<(Level, i64)> {
        let trials = self.plans.iter().filter(|(_, paid)| paid.is_none()).count();
        let mut levels = vec![
            (Level::Customers, 1),
            (Level::CurrentCustomers, i64::from(!self.money.is_empty())),
            (Level::Subscriptions, (self.plans.len() - trials) as i64),
            (Level::Trials, trials as i64),
            (Level::ActiveUsers30d, i64::from(customer.activity.users.counts(today).last_30d)),
            (Level::ProvisionedUsers, provisioned_users(customer)),
        ];
        // Those who left have a last grade too, which is of no interest any more.
        if let Some(grade) = self.grade.filter(|_| !self.plans.is_empty()) {
            levels.push(([Level::GradeRed, Level::GradeAmber, Level::GradeGreen][usize::from(grade) % 3], 1));
        }
        if let Some(support) = &customer.support {
            for (score, is_decision_maker) in support.last_nps_answers(today) {
                let class = if score >= 9.0 { 0 } else { usize::from(score <= 6.0) + 1 };
                levels.push(([Level::NpsPromoters, Level::NpsPassives, Level::NpsDetractors][class], 1));
                if is_decision_maker {
                    let alone =
                        [Level::NpsDecisionMakerPromoters, Level::NpsDecisionMakerPassives, Level::NpsDecisionMakerDetractors][class];
                    levels.push((alone, 1));
                }
            }
        }
        if let Some(relation) = &customer.relation {
            match relation.marketing_consent() {
                Some(true) => levels.push((Level::ConsentGiven, 1)),
                Some(false) => levels.push((Level::ConsentRefused, 1)),
                None => {}
            }
            levels.push((Level::UsersWithdrawn, relation.users_withdrawn() as i64));
        }
        levels.retain(|(_, count)| *count != 0);
        levels
    }
}

/// The first day after `today` on which time alone changes what a customer contributes.
pub(crate) fn next_change(customer: &Customer, today: Day) -> Option<Day> {
    let month = Month::of(today);
    let changes = changes(&customer.billing, customer.ledger.as_deref());
    let year = changes.last().filter(|ends| ends.month >= month.back(13)).map(|_| month.next().first_day());
    let answers = customer.support.as_ref().and_then(|support| support.next_nps_expiry(today));
    let users = customer.activity.users.next_inactive(today);
    [year, answers, users].into_iter().flatten().min()
}

fn movements(customer: &Customer, present: Month) -> Vec<(Month, Movements)> {
    let (billing, ledger) = (&customer.billing, customer.ledger.as_deref());
    let mut moved: Vec<(Month, Movements)> = changes(billing, ledger).iter().map(|ends| (ends.month, movement(ends))).collect();
    for month in (0..YEAR_MONTHS).map(|back| present.back(back)) {
        let (then, now) = (money_at(billing, ledger, month.back(12)), money_at(billing, ledger, month));
        for (currency, before) in then {
            let after = of(&now, currency);
            let year = MoneyMoved { year_gained: after - before, year_lost: (before - after).max(0), ..MoneyMoved::default() };
            if year == MoneyMoved::default() {
                continue;
            }
            let movements = Movements { money: [(currency, year)].into(), ..Movements::default() };
            match moved.iter_mut().find(|(known, _)| *known == month) {
                Some((_, known)) => known.add(&movements, 1),
                None => moved.push((month, movements)),
            }
        }
    }
    moved
}

fn of(money: &Money, currency: Currency) -> i64 {
    money.iter().find(|(known, _)| *known == currency).map_or(0, |(_, amount)| *amount)
}

/// How one month moved a customer: new, back, gone, or staying with more or less in each currency.
fn movement(ends: &MonthEnds) -> Movements {
    let (was, is) = (!ends.before.is_empty(), !ends.after.is_empty());
    let mut movements = Movements {
        new_customers: i64::from(!was && is && !ends.paid_before),
        reactivated_customers: i64::from(!was && is && ends.paid_before),
        churned_customers: i64::from(was && !is),
        ..Movements::default()
    };
    for (currency, _) in ends.before.iter().chain(&ends.after) {
        let (before, after) = (of(&ends.before, *currency), of(&ends.after, *currency));
        let mut moved = MoneyMoved::default();
        match (was, is) {
            (false, _) if ends.paid_before => moved.reactivated = after,
            (false, _) => moved.new = after,
            (true, false) => moved.churned = before,
            (true, true) => {
                moved.expansion = (after - before).max(0);
                moved.contraction = (before - after).max(0);
            }
        }
        if moved != MoneyMoved::default() {
            movements.money.insert(*currency, moved);
        }
    }
    movements
}

fn provisioned_users(customer: &Customer) -> i64 {
    let users = &customer.activity.users;
    let invited = customer.onboarding.iter().flat_map(|onboarding| onboarding.invitations());
    let without_activity = invited.filter(|invitation| invitation.removed_at().is_none() && !users.contains(invitation.user)).count();
    (users.len() + without_activity) as i64
}

fn durations(customer: &Customer, first_value: Option<u32>) -> Vec<(Process, Day, Duration)> {
    let mut durations = Vec::new();
    let began = customer.since;
    let is_paying = customer.billing.active().next().is_some();
    let ended = customer.billing.subscriptions.iter().filter_map(Entry::ended_at).max();
    let given_up: Option<Time> = ended.filter(|_| !is_paying);
    let onboarding = customer.onboarding.as_deref();
    let final_at = onboarding.and_then(|onboarding| onboarding.final_at);
    durations.push((Process::Onboarding, began.day(), Duration::between(began, final_at, given_up)));
    if let Some(name) = first_value {
        let reached = onboarding.and_then(|onboarding| onboarding.reached_at(name));
        durations.push((Process::FirstValue, began.day(), Duration::between(began, reached, given_up)));
    }
    for invitation in onboarding.iter().flat_map(|onboarding| onboarding.invitations()) {
        let Some(invited) = invitation.invited_at else { continue };
        let duration = Duration::between(invited, invitation.activated_on().map(Day::start), invitation.removed_at());
        durations.push((Process::Activation, invited.day(), duration));
    }
    durations
}

impl KpiSums {
    /// Adds a contribution, or takes it away again.
    pub(crate) fn contribute(&mut self, contribution: &KpiContribution, sign: i64) {
        let retained_from = self.retained_from;
        let segment = self.segments.entry(contribution.segment.clone()).or_default();
        for (level, count) in &contribution.levels {
            add(&mut segment.levels, *level, sign * count);
        }
        for (currency, mrr) in &contribution.money {
            add(&mut segment.mrr_minor, *currency, sign * mrr);
            add(&mut segment.paying, *currency, sign);
        }
        for (month, moved) in contribution.movements.iter().filter(|(month, _)| *month >= retained_from) {
            segment.movements.entry(*month).or_default().add(moved, sign);
        }
        for (plan, paid) in &contribution.plans {
            let sums = self.plans.entry(plan.clone()).or_default();
            match paid {
                Some((currency, mrr)) => {
                    sums.subscriptions += sign;
                    add(&mut sums.mrr_minor, *currency, sign * mrr);
                }
                None => sums.trials += sign,
            }
        }
        for due in &contribution.due {
            self.flow(*due, Flow::Due, sign);
        }
        for (process, began, duration) in &contribution.durations {
            let Some(month) = self.month(Month::of(*began)) else { continue };
            let durations = match process {
                Process::Onboarding => &mut month.onboarding,
                Process::FirstValue => &mut month.first_value,
                Process::Activation => &mut month.activation,
            };
            durations.add(*began, *duration, sign);
        }
    }
}
