//! The daily record of KPIs: the sums at the end of a UTC day, and what comes of dividing them, as one line of JSON.

use std::collections::BTreeMap;

use bellwether_engine::event::Currency;
use bellwether_engine::feature::STAGES;
use bellwether_engine::kpi::{
    CampaignSums, Durations, Flow, KpiDay, KpiSums, Kpis, Level, MoneyKpis, MoneyMoved, Month, MonthSums, Movements, SegmentSums,
};
use bellwether_engine::time::Day;
use serde::Serialize;
use serde_json::{Map, Value, json};

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

/// The record of a day.
#[must_use]
pub fn record(ended: &KpiDay, partition: Option<u16>) -> Value {
    let mut aggregates = ended.aggregates.clone();
    aggregates.kpis.tidy();
    let sums = &aggregates.kpis;
    let kpis = Kpis::of(sums, ended.day, &ended.settings);
    let stages = STAGES.iter().zip(aggregates.customers_by_stage).filter(|(_, count)| *count != 0);
    let mut record = json!({
        "day": date(ended.day),
        "rule_set": ended.rule_set,
        "customers": aggregates.customers,
        "active_customers": aggregates.active_customers,
        "stages": stages.map(|(stage, count)| ((*stage).to_owned(), json!(count))).collect::<Map<_, _>>(),
        "kpis": named(&kpis),
        "targets": ended.settings.targets,
        "currencies": kpis.money.iter().map(|(code, money)| currency(*code, money)).collect::<Vec<_>>(),
        "segments": sums.segments.iter().map(|(label, one)| segment(label, one)).collect::<Vec<_>>(),
        "plans": sums.plans.iter().map(|(label, plan)| json!({
            "plan": label, "subscriptions": plan.subscriptions, "trials": plan.trials, "mrr_minor": by_currency(&plan.mrr_minor),
        })).collect::<Vec<_>>(),
        "months": sums.months.iter().map(|(month, one)| month_record(*month, one)).collect::<Vec<_>>(),
        "movements": movements(sums),
        "campaigns": sums.campaigns.iter().map(|(labels, one)| campaign(labels, one)).collect::<Vec<_>>(),
    });
    if let (Some(number), Value::Object(fields)) = (partition, &mut record) {
        fields.insert("partition".to_owned(), json!(number));
    }
    record
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

fn currency(currency: Currency, money: &MoneyKpis) -> Value {
    let share = |value: Option<f64>| value.map(|value| round(value, DECIMALS));
    let minor = |value: Option<f64>| value.map(|value| round(value, 2));
    json!({
        "currency": code(currency),
        "mrr_minor": money.mrr_minor,
        "mrr_start_minor": money.mrr_start_minor,
        "net_retention": share(money.net_retention),
        "gross_retention": share(money.gross_retention),
        "net_retention_year": share(money.net_retention_year),
        "gross_retention_year": share(money.gross_retention_year),
        "revenue_churn": share(money.revenue_churn),
        "arpa_minor": minor(money.arpa_minor),
        "cltv_minor": minor(money.cltv_minor),
        "cac_minor": minor(money.cac_minor),
        "crc_minor": minor(money.crc_minor),
    })
}

fn segment(label: &str, segment: &SegmentSums) -> Value {
    let levels = Level::ALL.iter().map(|(level, name, _)| ((*name).to_owned(), json!(segment.level(*level))));
    let mut record: Map<String, Value> = levels.collect();
    record.insert("segment".to_owned(), json!(label));
    record.insert("mrr_minor".to_owned(), json!(by_currency(&segment.mrr_minor)));
    record.insert("paying".to_owned(), json!(by_currency(&segment.paying)));
    Value::Object(record)
}

fn month_record(month: Month, sums: &MonthSums) -> Value {
    let flows = Flow::ALL.iter().map(|(flow, name, _)| ((*name).to_owned(), json!(sums.flow(*flow))));
    let mut record: Map<String, Value> = flows.collect();
    let durations = [("onboarding", &sums.onboarding), ("first_value", &sums.first_value), ("activation", &sums.activation)];
    record.extend(durations.map(|(name, durations)| (name.to_owned(), durations_record(durations))));
    record.insert("month".to_owned(), json!(month_name(month)));
    record.insert("tickets".to_owned(), json!(sums.tickets));
    record.insert("first_response_hours".to_owned(), json!(sums.first_response_hours));
    record.insert("acquisition_cost_minor".to_owned(), json!(by_currency(&sums.acquisition_cost_minor)));
    record.insert("retention_cost_minor".to_owned(), json!(by_currency(&sums.retention_cost_minor)));
    Value::Object(record)
}

fn durations_record(durations: &Durations) -> Value {
    let waiting: BTreeMap<String, i64> = durations.waiting.iter().map(|(day, count)| (date(*day), *count)).collect();
    json!({ "done": durations.done, "given_up": durations.given_up, "waiting": waiting })
}

fn movements(sums: &KpiSums) -> Vec<Value> {
    let moved =
        sums.segments.iter().flat_map(|(label, segment)| segment.movements.iter().map(move |(month, moved)| (label, *month, moved)));
    moved.map(|(label, month, moved)| movement(label, month, moved)).collect()
}

/// MRR at the beginning and end is not in it: it follows from MRR now and all later movements.
fn movement(label: &str, month: Month, moved: &Movements) -> Value {
    let money: BTreeMap<String, Moved> = moved.money.iter().map(|(currency, moved)| (code(*currency), Moved::of(moved))).collect();
    json!({
        "segment": label,
        "month": month_name(month),
        "new_customers": moved.new_customers,
        "reactivated_customers": moved.reactivated_customers,
        "churned_customers": moved.churned_customers,
        "money": money,
    })
}

#[derive(Serialize)]
struct Moved {
    new_minor: i64,
    reactivated_minor: i64,
    expansion_minor: i64,
    contraction_minor: i64,
    churned_minor: i64,
    year_gained_minor: i64,
    year_lost_minor: i64,
}

impl Moved {
    fn of(moved: &MoneyMoved) -> Self {
        Self {
            new_minor: moved.new,
            reactivated_minor: moved.reactivated,
            expansion_minor: moved.expansion,
            contraction_minor: moved.contraction,
            churned_minor: moved.churned,
            year_gained_minor: moved.year_gained,
            year_lost_minor: moved.year_lost,
        }
    }
}

fn campaign((campaign, industry): &(Box<str>, Box<str>), sums: &CampaignSums) -> Value {
    json!({
        "campaign": campaign,
        "industry": industry,
        "sent": sums.sent,
        "failed": sums.failed,
        "opened": sums.opened,
        "clicked": sums.clicked,
        "converted": sums.converted,
        "converted_late": sums.converted_late,
        "unsubscribed": sums.unsubscribed,
        "converted_minor": by_currency(&sums.converted_minor),
    })
}
