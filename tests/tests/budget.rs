//! What a small budget of memory holds: customers whose states do not fit into it, each as busy as the others.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::{DAY_MS, SECOND_MS, Time};
use bellwether_live::options::LEAST_MEMORY_BYTES;
use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;

/// Customers.
const CUSTOMERS: u32 = 20_000;

/// How often each of them comes by.
const ROUNDS: u32 = 2;

/// How many things a customer does at once.
const AT_ONCE: usize = 6;

/// The budget that is kept, in mebibytes: the least that is accepted.
const BUDGET_MIB: u64 = LEAST_MEMORY_BYTES >> 20;

/// 2025-01-06T00:00:00Z.
const START_MS: i64 = 1_736_121_600_000;

/// One of every kind of event, in an order in which they may happen.
fn happenings(round: u32) -> Vec<(&'static str, String)> {
    vec![
        ("account.created", r#"{"segment":"mid","industry":"retail","country":"DE","owner":"ann"}"#.to_owned()),
        (
            "subscription.started",
            format!(r#"{{"subscription":"s{round}","plan":"pro","mrr_minor":90000,"currency":"EUR","seats":9,"period_end":"2026-01-01"}}"#),
        ),
        ("user.invited", format!(r#"{{"user":"user-{round}","expires":"2025-02-01T00:00:00Z"}}"#)),
        ("login", format!(r#"{{"user":"user-{round}","method":"password"}}"#)),
        ("usage", format!(r#"{{"feature":"feature-{round}","count":7,"user":"user-{round}"}}"#)),
        ("usage", format!(r#"{{"feature":"reports","count":3,"user":"other-{round}"}}"#)),
        ("ticket.opened", format!(r#"{{"ticket":"t{round}","priority":"urgent","channel":"mail"}}"#)),
        ("ticket.answered", format!(r#"{{"ticket":"t{round}"}}"#)),
        ("invoice.issued", format!(r#"{{"invoice":"i{round}","amount_minor":90000,"currency":"EUR","due":"2025-01-20"}}"#)),
        ("payment.failed", format!(r#"{{"invoice":"i{round}","attempt":1}}"#)),
        ("cancellation.viewed", format!(r#"{{"user":"user-{round}"}}"#)),
        ("quota", format!(r#"{{"name":"quota-{round}","used":90,"limit":100}}"#)),
        ("survey.answered", format!(r#"{{"kind":"nps","score":{},"user":"user-{round}"}}"#, round % 11)),
        ("survey.answered", format!(r#"{{"kind":"csat","score":2,"scale_min":1,"scale_max":5,"user":"user-{round}"}}"#)),
        ("milestone.reached", format!(r#"{{"name":"milestone-{round}"}}"#)),
        ("contact.changed", format!(r#"{{"role":"role-{round}","user":"user-{round}"}}"#)),
        ("consent.changed", r#"{"marketing":true}"#.to_owned()),
        ("note.recorded", format!(r#"{{"note":"n{round}","kind":"feature_request"}}"#)),
        ("touch.recorded", r#"{"channel":"call"}"#.to_owned()),
        ("incident.started", format!(r#"{{"incident":"incident-{round}","severity":"critical"}}"#)),
        ("goal.set", format!(r#"{{"metric":"metric-{round}","target":10}}"#)),
        ("lead.recorded", r#"{"kind":"seats"}"#.to_owned()),
        ("campaign.sent", format!(r#"{{"campaign":"campaign-{round}"}}"#)),
    ]
}

/// A log in which all customers have their turns again and again, so that no state may rest in memory.
fn write_log(path: &Path) -> u64 {
    let mut log = zstd::Encoder::new(fs::File::create(path).expect("it can be made"), 1).expect("it can be packed").auto_finish();
    let (mut lines, mut text) = (0_u64, String::new());
    for round in 0..ROUNDS {
        for (turn, happenings) in happenings(round).chunks(AT_ONCE).enumerate() {
            for (customer, (name, data)) in (0..CUSTOMERS).flat_map(|customer| happenings.iter().map(move |one| (customer, one))) {
                let second = i64::from(customer) * 60 / i64::from(CUSTOMERS) + 60 * turn as i64;
                let time = format_time(Time(START_MS + i64::from(round) * DAY_MS + second * SECOND_MS));
                text.clear();
                writeln!(
                    text,
                    r#"{{"id":"{lines}","source":"/company","type":"{name}","subject":"customer-{customer}","time":"{time}","data":{data}}}"#
                )
                .expect("text can be written");
                std::io::Write::write_all(&mut log, text.as_bytes()).expect("it can be written");
                lines += 1;
            }
        }
    }
    lines
}

/// Runs the log under a budget: the summary, and the signals.
fn run(directory: &Path, log: &Path, budget_mib: u64) -> (Value, PathBuf) {
    let at = |name: &str| directory.join(format!("{name}-{budget_mib}"));
    let mut command = binary();
    command.args(["run", "--once", "--strict", "--metrics", "off", "--memory", &format!("{budget_mib}MiB"), "--events"]).arg(log);
    // As it is for everybody: what the allocator keeps is within the budget.
    command.env_remove("MALLOC_CONF");
    command.arg("--data").arg(at("data")).arg("--signals").arg(at("signals")).arg("--summary").arg(at("summary"));
    succeeded(&command.output().expect("the binary starts"));
    let summary = fs::read(at("summary")).expect("it was written");
    (serde_json::from_slice(&summary).expect("it is JSON"), at("signals"))
}

#[test]
fn peak_memory_stays_within_a_small_budget_and_signals_do_not_depend_on_it() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = directory.path().join("events.jsonl.zst");
    let lines = write_log(&log);
    let (small, signals) = run(directory.path(), &log, BUDGET_MIB);
    let (large, all) = run(directory.path(), &log, 4_096);
    let peaks = [&small, &large].map(|summary| summary["peak_memory_bytes"].as_u64().expect("a number") >> 20);
    println!("{lines} events: {peaks:?} MiB at most");
    assert_eq!((small["journaled"].as_u64(), small["customers"].as_u64()), (Some(lines), Some(u64::from(CUSTOMERS))));
    assert!(peaks[0] <= BUDGET_MIB, "{} MiB at most, and {BUDGET_MIB} are given", peaks[0]);
    assert!(peaks[1] > BUDGET_MIB + 32, "with room for all, the states take too little to show anything: {} MiB", peaks[1]);
    assert!(fs::read(signals).expect("signals") == fs::read(all).expect("signals"), "memory shows");
}
