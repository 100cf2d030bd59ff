//! The daily record of KPIs: the sums at the end of a UTC day, and what comes of dividing them, as one line of JSON.

mod fields;

use std::collections::BTreeMap;

use bellwether_engine::event::Currency;
use bellwether_engine::feature::QUADRANTS;
use bellwether_engine::kpi::{
    CampaignSums, Durations, Flow, KpiDay, KpiSums, Kpis, Level, MoneyKpis, MoneyMoved, Month, MonthSums, Movements, SegmentSums,
};
use bellwether_engine::time::Day;
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::signal::round;
use crate::timestamp::format_time;

/// Decimals of what was divided.
const DECIMALS: i32 = 6;

/// Writes the record of a day: of one partition, or of all of them. The line ends with a newline.
pub fn write_line(ended: &KpiDay, partition: Option<u16>, into: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    serde_json::to_writer(&mut *into, &record(ended, partition)).expect("JSON renders to memory");
    into.push(b'\n');
}

/// The record of a day. Its fields stand in the order of their names.
#[must_use]
pub fn record(ended: &KpiDay, partition: Option<u16>) -> Value {
    let mut aggregates = ended.aggregates.clone();
    aggregates.kpis.tidy();
    let sums = &aggregates.kpis;
    let kpis = Kpis::of(sums, ended.day, &ended.settings);
    let stages = ended.stages.iter().zip(aggregates.customers_by_stage).filter(|(_, count)| *count != 0);
    let quadrants = QUADRANTS.iter().zip(aggregates.journey.quadrants);
    let record = fields::Record {
        day: date(ended.day),
        partition,
        rule_set: ended.rule_set,
        customers: aggregates.customers,
        active_customers: aggregates.active_customers,
        stages: stages.map(|(stage, count)| (&**stage, count)).collect(),
        quadrants: quadrants.map(|(quadrant, count)| (*quadrant, count)).collect(),
        kpis: named(&kpis),
        targets: &ended.settings.targets,
        currencies: kpis.money.iter().map(|(code, money)| currency(*code, money)).collect(),
        segments: sums.segments.iter().map(|(label, one)| segment(label, one)).collect(),
        plans: sums
            .plans
            .iter()
            .map(|(label, plan)| fields::Plan {
                plan: label,
                subscriptions: plan.subscriptions,
                trials: plan.trials,
                mrr_minor: by_currency(&plan.mrr_minor),
            })
            .collect(),
        months: sums.months.iter().map(|(month, one)| month_record(*month, one)).collect(),
        movements: movements(sums),
        campaigns: sums.campaigns.iter().map(|(labels, one)| campaign(labels, one)).collect(),
    };
    serde_json::to_value(record).expect("text and numbers always serialise")
}

/// Adds the schema of a record to a generator.
pub fn describe(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<fields::Record<'_>>()
}

/// KPIs by name; those that cannot be divided are null.
#[must_use]
pub fn named(kpis: &Kpis) -> BTreeMap<&'static str, Option<f64>> {
    kpis.named().map(|(kpi, value)| (kpi.name, value.map(|value| round(value, DECIMALS)))).collect()
}

fn date(day: Day) -> String {
    format_time(day.start()).chars().take(10).collect()
}

fn month_name(month: Month) -> String {
    let (year, month) = month.civil();
    format!("{year:04}-{month:02}")
}

fn code(currency: Currency) -> String {
    String::from_utf8_lossy(&currency.0).into_owned()
}

fn by_currency(amounts: &BTreeMap<Currency, i64>) -> BTreeMap<String, i64> {
    amounts.iter().map(|(currency, amount)| (code(*currency), *amount)).collect()
}

fn currency(currency: Currency, money: &MoneyKpis) -> fields::Currency {
    let share = |value: Option<f64>| value.map(|value| round(value, DECIMALS));
    let minor = |value: Option<f64>| value.map(|value| round(value, 2));
    fields::Currency {
        currency: code(currency),
        mrr_minor: money.mrr_minor,
        mrr_start_minor: money.mrr_start_minor,
        net_retention: share(money.net_retention),
        gross_retention: share(money.gross_retention),
        net_retention_year: share(money.net_retention_year),
        gross_retention_year: share(money.gross_retention_year),
        revenue_churn: share(money.revenue_churn),
        revenue_churn_quarter: share(money.revenue_churn_quarter),
        revenue_churn_annualised: share(money.revenue_churn_annualised),
        arpa_minor: minor(money.arpa_minor),
        cltv_minor: minor(money.cltv_minor),
        cac_minor: minor(money.cac_minor),
        crc_minor: minor(money.crc_minor),
    }
}

fn segment<'a>(label: &'a str, segment: &SegmentSums) -> fields::Segment<'a> {
    fields::Segment {
        segment: label,
        levels: Level::ALL.iter().map(|(level, name, _)| (*name, segment.level(*level))).collect(),
        mrr_minor: by_currency(&segment.mrr_minor),
        paying: by_currency(&segment.paying),
    }
}

fn month_record(month: Month, sums: &MonthSums) -> fields::Month<'_> {
    fields::Month {
        month: month_name(month),
        flows: Flow::ALL.iter().map(|(flow, name, _)| (*name, sums.flow(*flow))).collect(),
        onboarding: durations(&sums.onboarding),
        first_value: durations(&sums.first_value),
        activation: durations(&sums.activation),
        tickets: &sums.tickets,
        first_response_hours: &sums.first_response_hours,
        acquisition_cost_minor: by_currency(&sums.acquisition_cost_minor),
        retention_cost_minor: by_currency(&sums.retention_cost_minor),
    }
}

fn durations(durations: &Durations) -> fields::Durations<'_> {
    let waiting = durations.waiting.iter().map(|(day, count)| (date(*day), *count)).collect();
    fields::Durations { done: &durations.done, given_up: &durations.given_up, waiting }
}

fn movements(sums: &KpiSums) -> Vec<fields::Movement<'_>> {
    let moved =
        sums.segments.iter().flat_map(|(label, segment)| segment.movements.iter().map(move |(month, moved)| (label, *month, moved)));
    moved.map(|(label, month, moved)| movement(label, month, moved)).collect()
}

fn movement<'a>(label: &'a str, month: Month, moved: &Movements) -> fields::Movement<'a> {
    fields::Movement {
        segment: label,
        month: month_name(month),
        new_customers: moved.new_customers,
        reactivated_customers: moved.reactivated_customers,
        churned_customers: moved.churned_customers,
        money: moved.money.iter().map(|(currency, moved)| (code(*currency), money_moved(moved))).collect(),
    }
}

fn money_moved(moved: &MoneyMoved) -> fields::Moved {
    fields::Moved {
        new_minor: moved.new,
        reactivated_minor: moved.reactivated,
        expansion_minor: moved.expansion,
        contraction_minor: moved.contraction,
        churned_minor: moved.churned,
        year_gained_minor: moved.year_gained,
        year_lost_minor: moved.year_lost,
    }
}

fn campaign<'a>((campaign, industry): &'a (Box<str>, Box<str>), sums: &CampaignSums) -> fields::Campaign<'a> {
    fields::Campaign {
        campaign,
        industry,
        sent: sums.sent,
        failed: sums.failed,
        opened: sums.opened,
        clicked: sums.clicked,
        converted: sums.converted,
        converted_late: sums.converted_late,
        unsubscribed: sums.unsubscribed,
        converted_minor: by_currency(&sums.converted_minor),
    }
}
