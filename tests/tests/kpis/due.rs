//! Terms that are due on the edge of a month or of a day: renewed at that instant, early, late, or heard of late.

use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_tests::company::{Random, START};

use super::flat::{Flat, flat};
use super::{Case, recompute};

/// Of the recomputation and of the record, what counts terms.
const TERMS: [&str; 4] = ["/due", "/due_renewed", "/renewed", "renewal_rate_due"];

/// Months that the histories take, from January 2024 on.
const MONTHS: i64 = 8;

/// An event of a subscription, and by how many days it comes late.
struct Said {
    time: Time,
    step: &'static str,
    /// When the paid period ends.
    end: Option<Time>,
    trial: bool,
    late_days: u64,
}

/// The first instant of a month, counted from January 2024.
fn month(number: i64) -> Time {
    const FIRST_DAYS: [i64; 14] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366, 397];
    START.plus_ms(FIRST_DAYS[number as usize] * DAY_MS)
}

/// An instant at the edge of a month or of a day in it.
fn edge(number: i64, random: &mut Random) -> Time {
    let day = random.below(28) as i64 * DAY_MS;
    match random.below(6) {
        0 => month(number),
        1 => month(number).plus_ms(-1),
        2 => month(number).plus_ms(1),
        3 => month(number).plus_ms(day),
        4 => month(number).plus_ms(day - 1),
        _ => month(number).plus_ms(day + random.below(DAY_MS as u64) as i64),
    }
}

/// The history of a subscription: terms of a month or three, each renewed around its due date, or not at all. Half of them may end and come back;
/// of these nothing comes late, since a state knows the newest term alone (deploy/reference/kpis.md).
fn history(random: &mut Random) -> Vec<Said> {
    let mut number = random.below(3) as i64;
    let began = edge(number, random).max(START);
    let (trial, comes_back) = (random.one_in(6), random.one_in(2));
    number += if random.one_in(3) { 3 } else { 1 };
    let mut end = edge(number, random).max(began);
    let mut said = vec![Said { time: began, step: "started", end: Some(end), trial, late_days: 0 }];
    while number < MONTHS {
        if random.one_in(5) {
            said.push(Said { time: end, step: "ended", end: None, trial: false, late_days: 0 });
            let back = end.plus_ms(1 + random.below(60 * DAY_MS as u64) as i64);
            number = (back.0 - START.0) / (30 * DAY_MS) + 1;
            if !comes_back || number >= MONTHS {
                break;
            }
            end = edge(number, random).max(back);
            let step = if random.one_in(3) { "renewed" } else { "started" };
            said.push(Said { time: back, step, end: Some(end), trial: false, late_days: 0 });
            continue;
        }
        if random.one_in(5) {
            let time = end.plus_ms(-(random.below(10 * DAY_MS as u64) as i64)).max(began);
            said.push(Said { time, step: "changed", end: Some(edge(number + 1, random)), trial: false, late_days: 0 });
        }
        let away = random.below(6 * DAY_MS as u64) as i64;
        let time = [end, end.plus_ms(-1), end.plus_ms(1), end.plus_ms(-away), end.plus_ms(away)][random.below(5) as usize];
        number += if random.one_in(3) { 3 } else { 1 };
        // Now and then a term that ends where it begins.
        end = if random.one_in(12) { time } else { edge(number, random) };
        let late_days = if !comes_back && random.one_in(4) { random.below(45) } else { 0 };
        // Of two terms that begin at one instant, the ids say which one is later, and SQL does not know their hashes.
        let taken = |time: &Time| said.iter().any(|said| said.step != "changed" && said.time == *time);
        let time = (0..).map(|later| time.max(began).plus_ms(later)).find(|time| !taken(time)).expect("there is a free instant");
        said.push(Said { time, step: "renewed", end: Some(end), trial: false, late_days });
    }
    said
}

/// The events of many such subscriptions in the order of their arrival, one a line.
fn lines(seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    let mut arrivals: Vec<(i64, String)> = Vec::new();
    for customer in 0..120 {
        for (number, said) in history(&mut random).into_iter().enumerate() {
            let time = format_time(said.time);
            let end = said.end.map_or(String::new(), |end| format!(r#","period_end":"{}""#, format_time(end)));
            let trial = if said.trial { r#","trial":true"# } else { "" };
            let line = format!(
                r#"{{"specversion":"1.0","id":"{customer}-{number}","source":"/billing","type":"subscription.{}","subject":"c-{customer}","time":"{time}","data":{{"subscription":"s","mrr_minor":100,"currency":"EUR"{end}{trial}}}}}"#,
                said.step
            );
            arrivals.push((said.time.0 + said.late_days as i64 * DAY_MS, line));
        }
    }
    arrivals.sort_by_key(|(arrival, _)| *arrival);
    arrivals.into_iter().map(|(_, line)| line).collect()
}

fn terms(flat: &Flat) -> Flat {
    let counts = flat.iter().filter(|(name, _)| TERMS.iter().any(|term| name.ends_with(term)));
    counts.map(|(name, count)| (name.clone(), *count)).collect()
}

#[test]
fn terms_at_the_edges_of_months_and_days_are_counted_as_sql_counts_them() {
    let mut compared = 0;
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let case = Case::new();
        let events = case.write("events.jsonl", &super::then_silence(lines(seed), "2024-12-31T12:00:00Z"));
        let records = case.replay(&events, 4);
        // The days before and behind the end of each month, and some in the middle.
        let on_edge = |day: &&String| ["-01", "-02", "-15", "-28", "-29", "-30", "-31"].iter().any(|end| day.ends_with(end));
        let days: Vec<&String> = records.keys().filter(on_edge).collect();
        assert!(days.len() > 40, "{} days", days.len());
        for (day, expected) in recompute(&events, days.iter().map(|day| day.as_str())) {
            let (found, expected) = (terms(&flat(&records[&day])), terms(&expected));
            assert_eq!(found, expected, "{day}, seed {seed}");
            compared += expected.len();
        }
    }
    assert!(compared > 1_500, "only {compared} numbers were compared");
}
