//! What producers write does not make series: hundreds of currencies, and names with all that may break a line.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_engine::kpi::MAX_LABELS;
use bellwether_live::currency_labels::MAX_CURRENCIES;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::panels::Run;
use crate::prometheus::{PATIENCE, check_metrics};
use crate::{deploy, read};

/// A name that breaks whatever does not escape it.
const NASTY: &str = "a\"b\\n\\c{e=\"f\"} 1 # TYPE g counter\u{2028}é";

/// One that no event may have.
const REFUSED: &str = "a\nb 1\n# TYPE g counter";

/// Currencies that ISO 4217 lists, and codes that it does not: more of both than are told apart.
const LISTED: [&str; 40] = [
    "AED", "ARS", "AUD", "BDT", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP", "GHS", "HKD", "HUF",
    "IDR", "ILS", "INR", "ISK", "JPY", "KES", "KRW", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "QAR", "RON",
    "SEK", "USD",
];

/// Customers, each with a currency and with names that no other has. In the listed currencies two pay each, in `EUR` and `USD` more.
const CUSTOMERS: usize = 700;

fn currency(customer: usize) -> String {
    match customer {
        0..80 => LISTED[customer / 2].to_owned(),
        80..100 => ["EUR", "USD"][customer % 2].to_owned(),
        // None of these is listed.
        _ => String::from_utf8(vec![b'Q', b'A' + (customer / 26 % 26) as u8, b'A' + (customer % 26) as u8]).expect("ASCII"),
    }
}

/// What a customer does: everything that has a name which a producer chooses.
fn life(customer: usize) -> String {
    let nasty = format!("{NASTY}{customer}");
    let listed = customer.is_multiple_of(3).then(|| NASTY.to_owned());
    let name = || listed.clone().unwrap_or_else(|| nasty.clone());
    let currency = currency(customer);
    let events: [(&str, Value); 12] = [
        ("account.created", json!({ "segment": name(), "industry": name(), "owner": nasty, "country": "DE" })),
        ("subscription.started", json!({ "subscription": nasty, "plan": name(), "mrr_minor": 100, "currency": currency, "seats": 2 })),
        ("login", json!({ "user": nasty })),
        ("usage", json!({ "feature": nasty, "count": 3, "user": nasty })),
        ("ticket.opened", json!({ "ticket": nasty, "channel": name(), "priority": "urgent" })),
        ("campaign.sent", json!({ "campaign": name() })),
        ("campaign.converted", json!({ "campaign": name(), "amount_minor": 7, "currency": currency })),
        ("cost.recorded", json!({ "kind": "acquisition", "amount_minor": 5, "currency": currency, "period": "2025-05" })),
        ("cancellation.viewed", json!({ "user": nasty })),
        ("invoice.issued", json!({ "invoice": nasty, "amount_minor": 5, "currency": currency })),
        ("login", json!({ "user": REFUSED })),
        (&nasty, json!({})),
    ];
    let line = |(number, (kind, data)): (usize, (&str, Value))| {
        // Costs are the company's own.
        let subject = match kind {
            "cost.recorded" => "_company",
            _ if data["user"] == REFUSED => REFUSED,
            _ => &nasty,
        };
        let time = format!("2025-05-15T{:02}:00:00Z", number + 1);
        let event = json!({
            "specversion": "1.0", "id": format!("{nasty}-{number}"), "source": format!("/{nasty}"), "type": kind, "subject": subject, "time": time, "data": data,
        });
        format!("{event}\n")
    };
    events.into_iter().enumerate().map(line).collect()
}

/// The pack with nasty names among those that it tells apart.
fn rules() -> String {
    let nasty = serde_json::to_string(NASTY).expect("it is text");
    let text = read(&deploy("rules/default.yaml")).replace("campaigns: []", &format!("campaigns: [{nasty}]"));
    ["segments", "plans", "industries", "channels"].iter().fold(text, |text, name| {
        let (from, to) = (format!("{name}: ["), format!("{name}: [{nasty}, "));
        assert!(text.contains(&from), "the pack has no {name}");
        text.replace(&from, &to)
    })
}

/// Values of each label, and how many series there are.
fn labels(answer: &str) -> (BTreeMap<&str, BTreeSet<&str>>, usize) {
    let (mut labels, mut series) = (BTreeMap::<&str, BTreeSet<&str>>::new(), 0);
    for line in answer.lines().filter(|line| !line.starts_with('#')) {
        series += 1;
        let Some((_, mut rest)) = line.split_once('{') else { continue };
        while let Some((name, value)) = rest.split_once("=\"") {
            let escaped = |at: &usize| value[..*at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
            let end = value.match_indices('"').map(|(at, _)| at).find(|at| !escaped(at)).expect("a value has an end");
            labels.entry(name.trim_start_matches(',')).or_default().insert(&value[..end]);
            rest = &value[end + 1..];
        }
    }
    (labels, series)
}

#[test]
fn hundreds_of_currencies_and_nasty_names_make_no_series() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("rules.yaml");
    fs::write(&path, rules()).expect("it can be written");
    let events: String = (0..CUSTOMERS).map(life).collect();
    let codes: BTreeSet<String> = (0..CUSTOMERS).map(currency).collect();
    assert!(codes.len() > 500, "{}", codes.len());
    let run = Run::start_with(directory.path(), &events, &[OsStr::new("--rules"), path.as_os_str()]);
    let started = Instant::now();
    let answer = loop {
        let answer = run.metrics();
        let is_done = answer.contains(&format!("bellwether_events_total {}\n", events.lines().count()))
            && answer.contains(&format!("bellwether_customers {CUSTOMERS}\n"));
        if is_done {
            break answer;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "it does not get through: {:?}",
            answer.lines().filter(|line| line.contains("rejected") || line.contains("events_total")).collect::<Vec<_>>()
        );
        sleep(Duration::from_millis(100));
    };
    check_metrics(&answer);

    let (labels, series) = labels(&answer);
    let currencies = &labels["currency"];
    assert_eq!(currencies.len(), MAX_CURRENCIES + 1, "{currencies:?}");
    for told in ["EUR", "USD", "XXX", "other"] {
        assert!(currencies.contains(told), "no {told} in {currencies:?}");
    }
    for reason in ["out_of_range", "unknown_type"] {
        let refused = format!("bellwether_rejected_total{{reason=\"{reason}\"}} {CUSTOMERS}\n");
        assert!(
            answer.contains(&refused),
            "{:?}",
            answer.lines().filter(|line| line.starts_with("bellwether_rejected")).collect::<Vec<_>>()
        );
    }
    let nasty = NASTY.replace('\\', "\\\\").replace('"', "\\\"");
    for name in ["segment", "plan", "industry", "channel", "campaign"] {
        let values = &labels[name];
        assert!(values.len() <= MAX_LABELS + 1 && values.contains(&*nasty) && values.contains("other"), "{name}: {values:?}");
    }
    // What a producer writes stands in no other label.
    for (name, values) in &labels {
        let is_listed = ["segment", "plan", "industry", "channel", "campaign"].contains(name);
        assert!(is_listed || values.iter().all(|value| !value.contains("TYPE g")), "{name}: {values:?}");
        assert!(values.len() < 100, "{name} has {} values", values.len());
    }
    println!("{series} series, {} bytes", answer.len());
    assert!(series < 10_000 && answer.len() < 1024 * 1024, "{series} series, {} bytes", answer.len());

    // Nothing of the money is lost: what has no label of its own is in the rest.
    let all: i64 = answer.lines().filter_map(|line| line.strip_prefix("bellwether_mrr_minor_units{")).map(value).sum();
    assert_eq!(all, 100 * CUSTOMERS as i64);
    let paying: i64 = answer.lines().filter_map(|line| line.strip_prefix("bellwether_kpi_paying_customers{")).map(value).sum();
    assert_eq!(paying, CUSTOMERS as i64);
}

fn value(series: &str) -> i64 {
    series.rsplit_once(' ').expect("a series has a value").1.parse().expect("a whole number")
}
