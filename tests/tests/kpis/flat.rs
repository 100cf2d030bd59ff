//! Daily records and rows of the recomputation under the same names: whole numbers, none of them zero.

use std::collections::BTreeMap;

use serde_json::Value;

/// Numbers by name.
pub type Flat = BTreeMap<String, i64>;

/// What is not recomputed from events: it depends on the rules (see `grades.rs`), or is told otherwise.
const NOT_RECOMPUTED: [&str; 6] = ["segment", "mrr_minor", "paying", "grade_red", "grade_amber", "grade_green"];

/// What a daily record says in millionths, and in hundredths of a minor unit.
const SHARE: f64 = 1e6;
const AMOUNT: f64 = 100.0;

/// The sums of a daily record.
pub fn flat(record: &Value) -> Flat {
    let mut into = Flat::new();
    for segment in list(record, "segments") {
        let label = text(segment, "segment");
        for (level, count) in fields(segment).filter(|(level, _)| !NOT_RECOMPUTED.contains(&level.as_str())) {
            put(&mut into, format!("{level}/{label}"), count);
        }
        put_all(&mut into, &format!("mrr_minor/{label}"), &segment["mrr_minor"]);
    }
    put_all(&mut into, "stage", &record["stages"]);
    for plan in list(record, "plans") {
        let label = text(plan, "plan");
        put(&mut into, format!("plan_subscriptions/{label}"), &plan["subscriptions"]);
        put(&mut into, format!("plan_trials/{label}"), &plan["trials"]);
        put_all(&mut into, &format!("plan_mrr_minor/{label}"), &plan["mrr_minor"]);
    }
    list(record, "movements").iter().for_each(|moved| put_movements(&mut into, moved));
    list(record, "months").iter().for_each(|month| put_month(&mut into, month));
    for campaign in list(record, "campaigns") {
        let label = format!("{}/{}", text(campaign, "campaign"), text(campaign, "industry"));
        for step in ["sent", "failed", "opened", "clicked", "converted", "converted_late", "unsubscribed"] {
            put(&mut into, format!("campaign/{label}/{step}"), &campaign[step]);
        }
        put_all(&mut into, &format!("campaign_money/{label}"), &campaign["converted_minor"]);
    }
    fields(&record["kpis"]).for_each(|(name, value)| put_scaled(&mut into, format!("kpi/{name}"), value, SHARE));
    for money in list(record, "currencies") {
        for (name, value) in fields(money).filter(|(name, _)| !["currency", "mrr_minor"].contains(&name.as_str())) {
            let scale = if name.ends_with("_minor") { AMOUNT } else { SHARE };
            put_scaled(&mut into, format!("money/{}/{name}", text(money, "currency")), value, scale);
        }
    }
    into
}

/// A number that was divided, and may be null.
fn put_scaled(into: &mut Flat, name: String, value: &Value, scale: f64) {
    let scaled = value.as_f64().map_or(0.0, |value| (value * scale).round());
    put(into, name, &Value::from(scaled as i64));
}

fn put_movements(into: &mut Flat, moved: &Value) {
    let label = format!("{}/{}", text(moved, "segment"), text(moved, "month"));
    for kind in ["new", "reactivated", "churned"] {
        put(into, format!("customers_moved/{label}/{kind}"), &moved[format!("{kind}_customers")]);
    }
    for (currency, money) in fields(&moved["money"]) {
        for kind in ["new", "reactivated", "expansion", "contraction", "churned"] {
            put(into, format!("moved/{label}/{currency}/{kind}"), &money[format!("{kind}_minor")]);
        }
        for kind in ["gained", "lost"] {
            put(into, format!("year/{label}/{currency}/{kind}"), &money[format!("year_{kind}_minor")]);
        }
    }
}

fn put_month(into: &mut Flat, sums: &Value) {
    let month = text(sums, "month");
    for process in ["onboarding", "first_value", "activation"] {
        for (state, by_days) in fields(&sums[process]) {
            put_all(into, &format!("{process}/{month}/{state}"), by_days);
        }
    }
    const FLOWS: [&str; 10] = [
        "renewed",
        "ended",
        "csat_answers",
        "csat_satisfied",
        "ces_answers",
        "ces_sum_hundredths",
        "leads",
        "due",
        "due_renewed",
        "active_users_at_end",
    ];
    for flow in FLOWS {
        put(into, format!("flow/{month}/{flow}"), &sums[flow]);
    }
    put_all(into, &format!("tickets/{month}"), &sums["tickets"]);
    put_all(into, &format!("first_response_hours/{month}"), &sums["first_response_hours"]);
    for kind in ["acquisition", "retention"] {
        put_all(into, &format!("cost/{month}/{kind}"), &sums[format!("{kind}_cost_minor")]);
    }
}

fn put_all(into: &mut Flat, name: &str, counts: &Value) {
    fields(counts).for_each(|(label, count)| put(into, format!("{name}/{label}"), count));
}

fn put(into: &mut Flat, name: String, count: &Value) {
    let count = count.as_i64().unwrap_or_else(|| panic!("{name} is no whole number: {count}"));
    if count != 0 {
        *into.entry(name).or_default() += count;
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is no list"))
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

/// A text field.
pub fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is no text"))
}
