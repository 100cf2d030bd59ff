//! Puts the whole report together.

use bellwether_codec::timestamp::format_time;

use super::bootstrap::{Statistic, intervals};
use super::figures::{Measured, lead_histogram};
use super::outcome::{Judge, days};
use super::population::{EvaluationOptions, MIN_CHURNS, Population};
use super::tally::{Group, ratio};
use super::{ChurnAt, Observations, Role, RuleSpec, compare, overlap, slices, stories};
use crate::observe::{Observed, ObservedLog};
use crate::outcomes::Outcomes;
use crate::report::{Baselines, HorizonReport, LogReport, Report, RiskReport, RuleReport, RulesReport, SCHEMA, SweepPoint, SweepReport};

/// A rule set with what was observed under it.
pub struct Side<'s> {
    /// The file of the rules.
    pub file: String,
    /// A hash of its text.
    pub hash: String,
    /// The rules, in the order of the rule set.
    pub rules: &'s [RuleSpec],
    /// What was observed.
    pub observed: &'s Observed,
    /// Health under this is red.
    pub amber_from: f64,
    /// The rule and param that are swept, its value in the file, and the values of the points.
    pub sweep: Option<(String, String, f64, Vec<f64>)>,
}

/// What an evaluation gives.
pub struct Evaluated {
    /// The report.
    pub report: Report,
    /// The monthly observations behind the figures of health.
    pub observations: Observations,
}

/// Evaluates rules, and compares them with a baseline if there is one.
#[must_use]
pub fn evaluate(
    log: ObservedLog,
    refused: u64,
    ours: &Side<'_>,
    baseline: Option<&Side<'_>>,
    outcomes: Option<&Outcomes>,
    options: &EvaluationOptions,
) -> Evaluated {
    let population = Population::new(log, ours.observed, outcomes, options);
    let mut all = Measures::of(ours, &population);
    let observations = Observations::of(&population);
    let their_population = baseline.map(|side| Population::new(log, side.observed, outcomes, options));
    let theirs = baseline.zip(their_population.as_ref()).map(|(side, population)| (side, population, Measures::of(side, population)));
    let found = {
        let mut statistics: Vec<Statistic<'_>> = all.every().flat_map(Measured::statistics).collect();
        statistics.extend(observations.statistics());
        if let Some((_, _, theirs)) = &theirs {
            statistics.extend(compare::statistics(&all.overall, &theirs.overall, &population));
        }
        intervals(population.customers.len(), options.seed, &statistics)
    };
    let mut pairs = found.chunks(2);
    all.every_mut().for_each(|measured| {
        let [precision, recall] = *pairs.next().unwrap_or(&[None, None]) else { return };
        measured.settle(precision, recall, &population);
    });
    let rest = &found[2 * all.every().count()..];
    let mut health = observations.report(&population, ours.amber_from);
    (health.auc_interval, health.pr_auc_interval) = (rest[0], rest[1]);
    let by_rule = all.rule_reports(ours.rules);
    let compare = theirs.as_ref().map(|(side, _, theirs)| {
        let changes = compare::rule_changes(&by_rule, &theirs.rule_reports(side.rules));
        let named = (side.file.clone(), side.hash.clone());
        compare::compare((&all.overall, &theirs.overall), &rest[2..], named, &population, changes)
    });
    let report = Report {
        schema: SCHEMA.to_owned(),
        partial: log.is_partial,
        log: log_report(&population, ours, &all, refused, outcomes),
        rules: rules_report(ours, options),
        lead_histogram: lead_histogram(&all.overall.tallies.leads_days, days(options.horizon_ms)),
        by_month: slices::by_month(&all.overall, &population),
        by_owner: slices::by_owner(&all.overall, &population),
        worst_misses: stories::worst_misses(&all.overall, ours.rules, &population),
        worst_false_alarms: stories::worst_false_alarms(&all.overall, ours.rules, &population),
        baselines: all.baselines(&population),
        overall: all.overall.figures.clone(),
        notice_driven: all.notice_driven.figures.clone(),
        sweep: all.sweep_report(ours),
        by_rule,
        health,
        compare,
    };
    Evaluated { report, observations }
}

/// Everything that is measured of one side.
struct Measures {
    overall: Measured,
    notice_driven: Measured,
    /// The rules of the file, in the order of the rule set.
    own: Vec<Measured>,
    no_login: Option<Measured>,
    renewal_date: Option<Measured>,
    /// For each point the swept rule alone, and all with it.
    sweep: Vec<[Measured; 2]>,
}

impl Measures {
    fn of(side: &Side<'_>, population: &Population<'_>) -> Self {
        let group = |judge: Judge, is_in: &dyn Fn(&RuleSpec) -> bool| {
            let rules = side.rules.iter().map(is_in).collect();
            Measured::new(Group { rules, judge }, population)
        };
        let at_risk = |is_in: &dyn Fn(&RuleSpec) -> bool| group(Judge::Churn, is_in);
        let of_role = |role: Role| side.rules.iter().any(|rule| rule.role == role).then(|| at_risk(&|rule| rule.role == role));
        let swept = side.sweep.as_ref().map(|(rule, ..)| rule.as_str());
        let points = side.sweep.as_ref().map_or(0, |(.., values)| values.len());
        let point = |number: usize| {
            let is_copy = |rule: &RuleSpec| rule.role == Role::Sweep(number);
            // A rule that is none of `overall` changes nothing there, whatever its param.
            let is_swept = |rule: &RuleSpec| rule.is_own() && Some(rule.name.as_str()) == swept;
            let counts = side.rules.iter().any(|rule| is_swept(rule) && rule.is_in_overall());
            let is_with = |rule: &RuleSpec| is_copy(rule) && counts || rule.is_in_overall() && !is_swept(rule);
            let judge = side.rules.iter().find(|rule| is_copy(rule)).map_or(Judge::Churn, |rule| rule.judge);
            [group(judge, &is_copy), at_risk(&is_with)]
        };
        let own = side.rules.iter().filter(|rule| rule.is_own());
        Self {
            overall: at_risk(&RuleSpec::is_in_overall),
            notice_driven: at_risk(&|rule| rule.is_own() && rule.is_live && rule.is_notice_driven && rule.judge == Judge::Churn),
            own: own.map(|own| group(own.judge, &|rule| std::ptr::eq(rule, own))).collect(),
            no_login: of_role(Role::NoLogin),
            renewal_date: of_role(Role::RenewalDate),
            sweep: (0..points).map(point).collect(),
        }
    }

    fn every(&self) -> impl Iterator<Item = &Measured> {
        let groups = [&self.overall, &self.notice_driven].into_iter().chain(&self.own);
        groups.chain(&self.no_login).chain(&self.renewal_date).chain(self.sweep.iter().flatten())
    }

    fn every_mut(&mut self) -> impl Iterator<Item = &mut Measured> {
        let groups = [&mut self.overall, &mut self.notice_driven].into_iter().chain(&mut self.own);
        groups.chain(&mut self.no_login).chain(&mut self.renewal_date).chain(self.sweep.iter_mut().flatten())
    }

    fn rule_reports(&self, rules: &[RuleSpec]) -> Vec<RuleReport> {
        let own: Vec<&RuleSpec> = rules.iter().filter(|rule| rule.is_own()).collect();
        let report = |(rule, measured): (&&RuleSpec, &Measured)| RuleReport {
            rule: rule.name.clone(),
            kind: rule.kind.to_owned(),
            mode: if rule.is_live { "live" } else { "shadow" }.to_owned(),
            notice_driven: rule.is_notice_driven,
            judged_by: match rule.judge {
                Judge::Churn => "churn",
                Judge::Expansion => "expansion",
                Judge::Conversion => "conversion",
                Judge::Nothing => "nothing",
            }
            .to_owned(),
            figures: measured.figures.clone(),
            churns_warned_alone: 0,
            marginal_recall: None,
            overlap: Vec::new(),
        };
        let mut reports: Vec<RuleReport> = own.iter().zip(&self.own).map(report).collect();
        let is_in_overall: Vec<bool> = own.iter().map(|rule| rule.is_in_overall()).collect();
        overlap::compare_rules(&mut reports, &self.own, &is_in_overall);
        reports
    }

    fn baselines(&self, population: &Population<'_>) -> Baselines {
        let RiskReport { signals, censored, late, .. } = self.overall.figures;
        let judged = (signals - censored - late) as f64;
        let precision = population.chance.precision();
        let expected_true = precision.map_or(0, |precision| (judged * precision).round() as u64);
        let random = HorizonReport {
            horizon_days: days(population.options.horizon_ms),
            true_: expected_true,
            late,
            false_: judged as u64 - expected_true,
            censored,
            precision,
            recall: population.chance.recall(signals),
        };
        let figures = |measured: &Option<Measured>| measured.as_ref().map(|measured| measured.figures.clone());
        Baselines { random, no_login_30d: figures(&self.no_login), renewal_date: figures(&self.renewal_date) }
    }

    fn sweep_report(&self, side: &Side<'_>) -> Option<SweepReport> {
        let (rule, param, current, values) = side.sweep.clone()?;
        let points = values.into_iter().zip(&self.sweep).map(|(value, [alone, overall])| SweepPoint {
            value,
            figures: alone.figures.clone(),
            overall: overall.figures.clone(),
        });
        Some(SweepReport { rule, param, current, points: points.collect() })
    }
}

fn log_report(population: &Population<'_>, side: &Side<'_>, all: &Measures, refused: u64, outcomes: Option<&Outcomes>) -> LogReport {
    let (log, options) = (population.log, population.options);
    let known = |customer: &str| population.customers.binary_search_by(|known| (*known.observed.id).cmp(customer)).is_ok();
    let unknown = outcomes.map(|outcomes| outcomes.keys().filter(|customer| !known(customer)).count() as u64);
    let told = outcomes.map(|outcomes| outcomes.iter().filter(|(customer, _)| known(customer)).flat_map(|(_, rows)| rows));
    let told = told.map(|rows| rows.filter(|row| row.churn_at().is_some()).count());
    let counted: usize = population.customers.iter().map(|customer| customer.life.churns.len()).sum();
    let in_period = population.customers.iter().flat_map(|customer| &customer.life.churns);
    let churn_at = match options.churn_at {
        _ if outcomes.is_some() => "outcomes",
        ChurnAt::Notice => "notice",
        ChurnAt::End => "end",
        ChurnAt::PaidEnd => "paid-end",
    };
    LogReport {
        hash: format!("{:016x}", log.fingerprint),
        from: format_time(population.from),
        to: format_time(log.end),
        events: log.events,
        refused,
        left_out: side.observed.left_out,
        customers: population.customers.len() as u64,
        paying_customers: population.customers.iter().filter(|customer| !customer.life.spells.is_empty()).count() as u64,
        customer_months: population.customer_months(),
        churns: in_period.filter(|churn| churn.at >= population.from).count() as u64,
        eligible_churns: population.churns() as u64,
        unknown_outcomes: unknown,
        unused_outcomes: told.map(|told| told.saturating_sub(counted) as u64),
        prevalence: ratio(population.chance.true_ms, population.chance.true_ms + population.chance.false_ms),
        horizon_days: days(options.horizon_ms),
        min_lead_days: days(options.min_lead_ms),
        churn_at: churn_at.to_owned(),
        censored: all.overall.figures.censored,
        min_churns: MIN_CHURNS as u64,
    }
}

fn rules_report(side: &Side<'_>, options: &EvaluationOptions) -> RulesReport {
    RulesReport {
        file: side.file.clone(),
        hash: side.hash.clone(),
        rules: side.rules.iter().filter(|rule| rule.is_own()).count() as u64,
        warm_up_days: days(options.warm_up_ms),
    }
}
