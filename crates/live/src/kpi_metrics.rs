//! The sums behind the KPIs as metrics: levels, movements and counts that add up over instances; PromQL divides.
//!
//! Months are told as `current`, `last` and how long ago they are, up to a quarter and the month before it, so that their number is bounded. Medians that need those who are not done yet are in the daily record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bellwether_engine::event::Currency;
use bellwether_engine::kpi::{Durations, Flow, KpiSettings, KpiSums, Level, Month, target_parts};
use bellwether_engine::time::Day;
use prometheus::{GaugeVec, IntGaugeVec, Opts};

use crate::currency_labels::CurrencyLabels;
use crate::registry::Registry;
use crate::response_metrics::ResponseMetrics;
use crate::set_histograms::{SetHistogram, SetHistograms};

/// A day, for durations that are kept in days.
const DAY_SECONDS: f64 = 86_400.0;

/// The months that are told: as many as a quarter of whole ones needs, the one at whose end it begins, and the current one.
const MONTHS: [&str; 5] = ["current", "last", "2_ago", "3_ago", "4_ago"];

/// Upper bounds of the buckets of durations, days.
const DURATION_BUCKETS_DAYS: [u16; 9] = [1, 3, 7, 14, 30, 60, 90, 180, 365];

/// Gauges that are set when they are asked for.
pub(crate) struct KpiMetrics {
    levels: IntGaugeVec,
    all_mrr_minor: IntGaugeVec,
    mrr_minor: IntGaugeVec,
    plan_subscriptions: IntGaugeVec,
    plan_mrr_minor: IntGaugeVec,
    month_mrr_minor: IntGaugeVec,
    month_customers: IntGaugeVec,
    month_flows: IntGaugeVec,
    month_tickets: IntGaugeVec,
    month_costs: IntGaugeVec,
    durations: IntGaugeVec,
    duration_seconds: SetHistograms,
    responses: ResponseMetrics,
    campaigns: IntGaugeVec,
    campaign_money: IntGaugeVec,
    paying_customers: IntGaugeVec,
    targets: GaugeVec,
    money_targets: GaugeVec,
    settings: GaugeVec,
    standing: Mutex<Standing>,
    /// The settings that were told last.
    told: Mutex<Option<KpiSettings>>,
}

/// How the customers stand.
#[derive(Default)]
struct Standing {
    sums: KpiSums,
    /// MRR of running subscriptions.
    mrr_minor: BTreeMap<Currency, i64>,
    today: Day,
}

impl KpiMetrics {
    /// Registers every metric.
    pub fn register(registry: &Registry) -> Self {
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(gauges.clone())).expect("a name of its own");
            gauges
        };
        let levels: Vec<String> = Level::ALL.iter().map(|(_, name, doc)| format!("{name}: {doc}")).collect();
        let flows: Vec<String> = Flow::ALL.iter().map(|(_, name, doc)| format!("{name}: {doc}")).collect();
        Self {
            levels: gauges(
                "bellwether_kpi_level",
                &format!("How many there are now, by segment. {}", levels.join(" ")),
                &["level", "segment"],
            ),
            all_mrr_minor: all_mrr_minor(registry),
            mrr_minor: gauges(
                "bellwether_kpi_mrr_minor_units",
                "Monthly recurring revenue without trials, minor units, by currency and segment.",
                &["currency", "segment"],
            ),
            plan_subscriptions: gauges(
                "bellwether_kpi_plan_subscriptions",
                "Running subscriptions, by plan; trials apart.",
                &["plan", "trial"],
            ),
            plan_mrr_minor: gauges(
                "bellwether_kpi_plan_mrr_minor_units",
                "MRR of a plan without trials, minor units.",
                &["currency", "plan"],
            ),
            month_mrr_minor: gauges(
                "bellwether_kpi_month_mrr_minor_units",
                "MRR at the beginning of the month (start) and how it moved, minor units; year_start, year_gained and year_lost: MRR a year before \
                 the end of the month, what those who paid then pay more or less now, and the less alone.",
                &["currency", "month", "movement"],
            ),
            month_customers: gauges(
                "bellwether_kpi_month_customers",
                "Customers with MRR at the beginning of the month (start), and those who came (new, reactivated) or left (churned).",
                &["month", "movement"],
            ),
            month_flows: gauges(
                "bellwether_kpi_month_flows",
                &format!("What happened in the month. {}", flows.join(" ")),
                &["flow", "month"],
            ),
            month_tickets: gauges("bellwether_kpi_month_tickets", "Tickets opened in the month, by channel.", &["channel", "month"]),
            month_costs: gauges(
                "bellwether_kpi_month_cost_minor_units",
                "Cost of winning (acquisition) and keeping (retention) customers in the month, minor units.",
                &["currency", "kind", "month"],
            ),
            durations: gauges(
                "bellwether_kpi_durations",
                "Onboardings, ways to first value and activations that began in the retained months: done, given up, or waiting.",
                &["process", "state"],
            ),
            duration_seconds: duration_seconds(registry),
            responses: ResponseMetrics::register(registry).expect("a name of its own"),
            campaigns: gauges(
                "bellwether_kpi_campaign_events",
                "What became of campaigns since the journal was created.",
                &["campaign", "industry", "step"],
            ),
            campaign_money: gauges(
                "bellwether_kpi_campaign_converted_minor_units",
                "Money of conversions within the horizon after a campaign was sent, minor units.",
                &["campaign", "currency", "industry"],
            ),
            paying_customers: gauges("bellwether_kpi_paying_customers", "Customers who pay in a currency.", &["currency"]),
            targets: targets(registry),
            money_targets: money_targets(registry),
            settings: float_gauges(
                registry,
                "bellwether_kpi_setting",
                "Settings of the rule set in force for CLTV: gross_margin, 0 to 1, and lifetime_cap_months.",
                &["setting"],
            ),
            standing: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// The customers stand so, as of a day.
    pub fn stand(&self, sums: KpiSums, mrr_minor: BTreeMap<Currency, i64>, today: Day) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing { sums, mrr_minor, today };
    }

    /// There are no customers to tell of, and no rule set.
    pub fn forget(&self) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::default();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        [&self.targets, &self.money_targets, &self.settings].into_iter().for_each(GaugeVec::reset);
        *told = None;
    }

    /// Targets and settings of the rule set in force.
    pub fn set_settings(&self, settings: &KpiSettings) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() == Some(settings) {
            return;
        }
        for (name, value) in [("gross_margin", settings.gross_margin), ("lifetime_cap_months", settings.lifetime_cap_months)] {
            self.settings.with_label_values(&[name]).set(value);
        }
        self.targets.reset();
        self.money_targets.reset();
        for (name, target) in &settings.targets {
            match target_parts(name) {
                (kpi, None) => self.targets.with_label_values(&[kpi]).set(*target),
                (kpi, Some(currency)) => self.money_targets.with_label_values(&[currency, kpi]).set(*target),
            }
        }
        *told = Some(settings.clone());
    }

    /// Brings every gauge up to how the customers stand.
    pub fn refresh(&self) {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        let Standing { sums, mrr_minor, today } = &*standing;
        let all = [
            &self.levels,
            &self.all_mrr_minor,
            &self.mrr_minor,
            &self.plan_subscriptions,
            &self.plan_mrr_minor,
            &self.month_mrr_minor,
            &self.month_customers,
        ];
        let rest = [&self.month_flows, &self.month_tickets, &self.month_costs, &self.durations, &self.campaigns];
        all.into_iter().chain(rest).chain([&self.campaign_money, &self.paying_customers]).for_each(IntGaugeVec::reset);
        let labels = CurrencyLabels::of(sums, mrr_minor);
        labels.by_label(mrr_minor).iter().for_each(|(currency, mrr)| self.all_mrr_minor.with_label_values(&[currency]).set(*mrr));
        self.refresh_levels(sums, &labels);
        let current = Month::of(*today);
        for (months, name) in (0..).zip(MONTHS) {
            self.refresh_month(sums, &labels, name, current.back(months));
        }
        let mut durations =
            [("onboarding", Durations::default()), ("first_value", Durations::default()), ("activation", Durations::default())];
        for month in sums.months.values() {
            let of_month = [&month.onboarding, &month.first_value, &month.activation];
            durations.iter_mut().zip(of_month).for_each(|((_, all), one)| all.merge(one));
        }
        durations.iter().for_each(|(process, durations)| self.refresh_durations(process, durations));
        self.refresh_campaigns(sums, &labels);
    }

    fn refresh_levels(&self, sums: &KpiSums, labels: &CurrencyLabels) {
        for (label, segment) in &sums.segments {
            for (level, name, _) in Level::ALL {
                self.levels.with_label_values(&[name, label]).set(segment.level(level));
            }
            for (currency, mrr) in labels.by_label(&segment.mrr_minor) {
                self.mrr_minor.with_label_values(&[&*currency, &**label]).set(mrr);
            }
        }
        for currency in sums.currencies() {
            let paying = sums.segments.values().filter_map(|segment| segment.paying.get(&currency)).sum();
            // Several may have the label of the rest.
            self.paying_customers.with_label_values(&[&labels.label(currency)]).add(paying);
        }
        for (label, plan) in &sums.plans {
            self.plan_subscriptions.with_label_values(&[&**label, "no"]).set(plan.subscriptions);
            self.plan_subscriptions.with_label_values(&[&**label, "yes"]).set(plan.trials);
            for (currency, mrr) in labels.by_label(&plan.mrr_minor) {
                self.plan_mrr_minor.with_label_values(&[&*currency, &**label]).set(mrr);
            }
        }
    }

    fn refresh_month(&self, sums: &KpiSums, labels: &CurrencyLabels, name: &str, month: Month) {
        for currency in sums.currencies() {
            let label = labels.label(currency);
            let moved = sums.moved(currency, month);
            let movements = [
                ("start", sums.mrr_minor_at(currency, month.back(1))),
                ("new", moved.new),
                ("reactivated", moved.reactivated),
                ("expansion", moved.expansion),
                ("contraction", moved.contraction),
                ("churned", moved.churned),
                ("year_start", sums.mrr_minor_at(currency, month.back(12))),
                ("year_gained", moved.year_gained),
                ("year_lost", moved.year_lost),
            ];
            for (movement, minor) in movements {
                self.month_mrr_minor.with_label_values(&[&*label, name, movement]).add(minor);
            }
        }
        let of_month = || sums.segments.values().filter_map(|segment| segment.movements.get(&month));
        let customers = [
            ("start", sums.customers_at(month.back(1))),
            ("new", of_month().map(|moved| moved.new_customers).sum()),
            ("reactivated", of_month().map(|moved| moved.reactivated_customers).sum()),
            ("churned", of_month().map(|moved| moved.churned_customers).sum()),
        ];
        customers.iter().for_each(|(movement, count)| self.month_customers.with_label_values(&[name, movement]).set(*count));
        self.responses.set(name, sums.months.get(&month));
        let Some(happened) = sums.months.get(&month) else { return };
        for (flow, flow_name, _) in Flow::ALL {
            self.month_flows.with_label_values(&[flow_name, name]).set(happened.flow(flow));
        }
        happened.tickets.iter().for_each(|(channel, count)| self.month_tickets.with_label_values(&[&**channel, name]).set(*count));
        for (kind, costs) in [("acquisition", &happened.acquisition_cost_minor), ("retention", &happened.retention_cost_minor)] {
            for (currency, cost) in labels.by_label(costs) {
                self.month_costs.with_label_values(&[&*currency, kind, name]).set(cost);
            }
        }
    }

    fn refresh_durations(&self, process: &str, durations: &Durations) {
        let states = [
            ("done", durations.done_count()),
            ("given_up", durations.given_up.values().sum()),
            ("waiting", durations.waiting.values().sum()),
        ];
        states.iter().for_each(|(state, count)| self.durations.with_label_values(&[process, state]).set(*count));
        let whole = |count: i64| u64::try_from(count).unwrap_or_default();
        let within = |bound: u16| durations.done.range(..=bound).map(|(_, count)| count).sum();
        let buckets = DURATION_BUCKETS_DAYS.iter().map(|bound| (f64::from(*bound) * DAY_SECONDS, whole(within(*bound))));
        let sum_seconds = durations.done.iter().map(|(days, count)| f64::from(*days) * DAY_SECONDS * *count as f64).sum();
        let histogram = SetHistogram { buckets: buckets.collect(), count: whole(durations.done_count()), sum: sum_seconds };
        self.duration_seconds.set(process, histogram);
    }

    fn refresh_campaigns(&self, sums: &KpiSums, labels: &CurrencyLabels) {
        for ((campaign, industry), one) in &sums.campaigns {
            let steps = [
                ("sent", one.sent),
                ("failed", one.failed),
                ("opened", one.opened),
                ("clicked", one.clicked),
                ("converted", one.converted),
                ("converted_late", one.converted_late),
                ("unsubscribed", one.unsubscribed),
            ];
            steps.iter().for_each(|(step, count)| self.campaigns.with_label_values(&[&**campaign, &**industry, step]).set(*count));
            for (currency, minor) in labels.by_label(&one.converted_minor) {
                self.campaign_money.with_label_values(&[&**campaign, &*currency, &**industry]).set(minor);
            }
        }
    }
}

fn float_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
    let gauges = GaugeVec::new(Opts::new(name, help), labels).expect("a valid name");
    registry.register(Box::new(gauges.clone())).expect("a name of its own");
    gauges
}

fn all_mrr_minor(registry: &Registry) -> IntGaugeVec {
    let help = "Monthly recurring revenue in minor units, by currency.";
    let gauges = IntGaugeVec::new(Opts::new("bellwether_mrr_minor_units", help), &["currency"]).expect("a valid name");
    registry.register(Box::new(gauges.clone())).expect("a name of its own");
    gauges
}

fn targets(registry: &Registry) -> GaugeVec {
    let help = "Target of a KPI by the rule set in force, in its unit; that of a share of money holds for each currency.";
    float_gauges(registry, "bellwether_kpi_target", help, &["kpi"])
}

fn money_targets(registry: &Registry) -> GaugeVec {
    let help = "Target of an amount by the rule set in force, minor units, by currency.";
    float_gauges(registry, "bellwether_kpi_money_target", help, &["currency", "kpi"])
}

fn duration_seconds(registry: &Registry) -> SetHistograms {
    let help = "How long those took that are done, of those that began in the retained months.";
    let histograms = SetHistograms::new("bellwether_kpi_duration_seconds", help, "process").expect("a valid name");
    registry.register(Box::new(histograms.clone())).expect("a name of its own");
    histograms
}
