//! What can be asked: customers, signals, KPIs, partitions, timelines, and paging through them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{CUSTOMERS, Run};

/// All pages of a list.
pub fn all(run: &Run, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = run.read(&format!("{path}{joint}limit={limit}{cursor}"));
        assert_eq!(page.status, 200, "{page:?}");
        let page = page.json();
        let items = page[list].as_array().expect("a list");
        assert!(items.len() <= limit);
        found.extend(items.iter().cloned());
        let Some(next) = page["cursor"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
    panic!("{path} has no end");
}

fn texts(items: &[Value], field: &str) -> Vec<String> {
    items.iter().map(|item| item[field].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn every_customer_comes_once_however_it_is_paged() {
    let run = Run::of_company("  customer_url_template: https://crm.example/{customer}?from=bellwether\n");
    run.wait_for_files();
    let whole = all(&run, "/v1/customers", "customers", 500);
    let paged = all(&run, "/v1/customers", "customers", 7);
    assert_eq!(whole, paged);
    let names: BTreeSet<String> = texts(&whole, "customer").into_iter().collect();
    assert_eq!((whole.len(), names.len()), (CUSTOMERS as usize, CUSTOMERS as usize));
    let red = all(&run, "/v1/customers?grade=red", "customers", 3);
    let of_all = whole.iter().filter(|customer| customer["grade"] == "red").cloned().collect::<Vec<_>>();
    assert!(!red.is_empty() && red == of_all, "{} are red", red.len());
    let stage = whole[0]["stage"].as_str().expect("a stage");
    let in_stage = all(&run, &format!("/v1/customers?stage={stage}"), "customers", 50);
    assert_eq!(in_stage.len(), whole.iter().filter(|customer| customer["stage"] == stage).count());
    let name = whole[0]["customer"].as_str().expect("an id");
    assert_eq!(whole[0]["link"], format!("https://crm.example/{name}?from=bellwether"));
    for bad in ["cursor=x", "cursor=0-zz", "limit=0", "limit=501", "limit=x", "colour=red"] {
        assert_eq!(run.read(&format!("/v1/customers?{bad}")).problem(400), "bad-request", "{bad}");
    }
}

#[test]
fn open_signals_are_those_of_the_signals_file_and_the_most_valuable_come_first() {
    let run = Run::of_company("");
    run.wait_for_files();
    let signals = run.wait_for("a ranking of all", || {
        let signals = all(&run, "/v1/signals", "signals", 500);
        (signals.len() == open_in_file(&run).len()).then_some(signals)
    });
    assert!(signals.len() > 20, "only {} are open", signals.len());
    assert_eq!(signals, all(&run, "/v1/signals", "signals", 4));
    let priorities: Vec<f64> = signals.iter().map(|signal| signal["priority"].as_f64().expect("a number")).collect();
    assert!(priorities.is_sorted_by(|one, other| one >= other));
    let open: BTreeSet<String> = texts(&signals, "id").into_iter().collect();
    assert_eq!(open, open_in_file(&run), "the ids are those under which they were raised");
    let kind = signals[0]["kind"].as_str().expect("a kind");
    let of_kind = all(&run, &format!("/v1/signals?kind={kind}"), "signals", 100);
    assert_eq!(of_kind.len(), signals.iter().filter(|signal| signal["kind"] == kind).count());
    assert!(of_kind.len() < signals.len(), "there are other kinds");
    assert!(all(&run, "/v1/signals?state=dismissed", "signals", 100).is_empty());
    assert_eq!(run.read("/v1/signals?cursor=1_2").problem(400), "bad-request");
}

/// The ids of the raises of what is open, by the lines of the signals file.
fn open_in_file(run: &Run) -> BTreeSet<String> {
    let lines = std::fs::read_to_string(run.path("data/signals.jsonl")).expect("there are signals");
    let mut open = std::collections::BTreeMap::new();
    for line in lines.lines() {
        let signal: Value = serde_json::from_str(line).expect("JSON");
        let of = |field: &str| signal["data"][field].as_str().unwrap_or_default().to_owned();
        let key = (signal["subject"].to_string(), of("rule"), of("object"));
        match signal["type"].as_str().expect("a type") {
            "bellwether.signal.raised.v1" => _ = open.insert(key, signal["id"].as_str().expect("an id").to_owned()),
            "bellwether.signal.cleared.v1" | "bellwether.signal.expired.v1" | "bellwether.signal.resolved.v1" => _ = open.remove(&key),
            _ => {}
        }
    }
    open.into_values().collect()
}

#[test]
fn a_customer_is_told_with_its_health_features_signals_and_timeline() {
    let run = Run::of_company("");
    run.wait_for_files();
    let signal = run.wait_for("a signal", || run.read("/v1/signals").json()["signals"].get(0).cloned());
    let id = signal["customer"].as_str().expect("an id");
    let customer = run.read(&format!("/v1/customers/{id}")).json();
    assert_eq!(customer["customer"], id);
    assert!(customer["health"].is_number() && customer["grade"].is_string(), "{customer}");
    assert!(customer["contributions"].as_array().is_some_and(|parts| parts.len() > 2), "{customer}");
    assert!(customer["features"].as_array().is_some_and(|features| features.len() > 20), "{customer}");
    assert!(customer["open_signals"].as_array().is_some_and(|open| open.iter().any(|one| one["id"] == signal["id"])), "{customer}");
    assert!(customer["as_of"]["offset"].as_u64() > Some(100) && customer["as_of"]["staleness_seconds"].as_f64() > Some(0.0), "{customer}");
    let timeline = run.read(&format!("/v1/customers/{id}/timeline")).json();
    let entries = timeline["entries"].as_array().expect("entries");
    let times = texts(entries, "time");
    assert!(times.is_sorted() && entries.len() > 50 && timeline["has_events"] == true, "{timeline}");
    assert!(entries.iter().any(|entry| entry["what"] == "raised" && entry["name"] == signal["rule"]), "{timeline}");
    assert!(entries.iter().any(|entry| entry["what"] == "event" && entry["name"] == "login"), "{timeline}");
    assert_eq!(run.read("/v1/customers/nobody").problem(404), "unknown-customer");
    assert_eq!(run.read("/v1/customers/nobody/timeline").problem(404), "unknown-customer");
}

#[test]
fn kpis_and_partitions_cover_the_whole_journal() {
    let run = Run::of_company("");
    run.wait_for_files();
    let kpis = run.read("/v1/kpis").json();
    assert_eq!((kpis["customers"].as_u64(), kpis["is_complete"].as_bool()), (Some(u64::from(CUSTOMERS)), Some(true)), "{kpis}");
    assert!(
        kpis["kpis"]["current_customers"].as_f64() > Some(10.0) && kpis["currencies"].as_array().is_some_and(|all| !all.is_empty()),
        "{kpis}"
    );
    let state = run.read("/v1/partitions").json();
    let partitions = state["partitions"].as_array().expect("partitions");
    assert_eq!((partitions.len(), state["journal_partitions"].as_u64()), (4, Some(4)));
    assert!(partitions.iter().all(|one| one["state"] == "ready" && one["rule_set"] == 1 && one["owner"] == state["instance"]), "{state}");
    let customers: u64 = partitions.iter().map(|one| one["customers"].as_u64().expect("a number")).sum();
    assert_eq!(customers, u64::from(CUSTOMERS));
}
