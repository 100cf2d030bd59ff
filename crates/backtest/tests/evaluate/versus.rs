//! Two rule sets on one log, where everything that can differ does.

use bellwether_backtest::evaluate::{Judge, Side, evaluate};
use bellwether_backtest::observe::{Observed, ObservedCustomer, ObservedEpisode, ObservedLog};
use bellwether_backtest::report::Report;

use super::{LOG_DAYS, customer, day, episode, options, rule};

/// The report on our alarms against theirs, each of a customer that gives notice on day 200; without an alarm there is none.
fn against(pairs: &[(Option<i64>, Option<i64>)], stays: &[(usize, usize)]) -> Report {
    let alarms = |raised: &Option<i64>| -> Vec<ObservedEpisode> { raised.iter().map(|raised| episode(0, *raised, None)).collect() };
    let false_alarms = |count: usize| -> Vec<ObservedEpisode> {
        (0..count as i64).map(|number| episode(0, 30 + 20 * number, Some(35 + 20 * number))).collect()
    };
    let side = |is_ours: bool| {
        let leaver = |(number, pair): (usize, &(Option<i64>, Option<i64>))| {
            customer(&format!("l{number:03}"), Some(200), Some(230), alarms(if is_ours { &pair.0 } else { &pair.1 }))
        };
        let stayer = |(number, counts): (usize, &(usize, usize))| {
            customer(&format!("s{number:03}"), None, None, false_alarms(if is_ours { counts.0 } else { counts.1 }))
        };
        let customers: Vec<ObservedCustomer> = pairs.iter().enumerate().map(leaver).chain(stays.iter().enumerate().map(stayer)).collect();
        Observed::merge([Observed { customers, left_out: 0 }])
    };
    let log = ObservedLog { start: day(0), end: day(LOG_DAYS), ..ObservedLog::default() };
    let rules = [rule("a", Judge::Churn)];
    let (ours, theirs) = (side(true), side(false));
    let named =
        |file: &str, observed| Side { file: file.to_owned(), hash: String::new(), rules: &rules, observed, amber_from: 40.0, sweep: None };
    evaluate(log, 0, &named("ours", &ours), Some(&named("theirs", &theirs)), None, &options()).report
}

#[test]
fn who_is_gained_lost_earlier_and_later_is_told() {
    let pairs = [
        (Some(150), None),
        (Some(160), None),
        (None, Some(150)),
        (Some(130), Some(150)),
        (Some(140), Some(150)),
        (Some(110), Some(180)),
        (Some(171), Some(170)),
        (Some(175), Some(170)),
        (Some(150), Some(150)),
        (None, None),
        // Too late for either: no warning.
        (Some(190), Some(195)),
    ];
    let report = against(&pairs, &[(1, 0), (2, 1), (0, 1)]);
    let compare = report.compare.expect("there is a baseline");
    assert_eq!((compare.file.as_str(), compare.gained, compare.lost, compare.earlier, compare.later), ("theirs", 2, 1, 3, 2));
    // Earlier by 20, 10 and 70 days, later by 1 and 5.
    assert_eq!((compare.earlier_median_days, compare.later_median_days), (Some(20.0), Some(3.0)));
    // Eight of eleven against seven; eight true of eleven against seven of nine.
    let close = |change: Option<f64>, expected: f64| change.is_some_and(|change| (change - expected).abs() < 1e-12);
    assert!(close(compare.recall.change, 1.0 / 11.0), "{:?}", compare.recall);
    assert!(close(compare.precision.change, 8.0 / 11.0 - 7.0 / 9.0), "{:?}", compare.precision);
    let months = report.log.customer_months;
    assert!(close(compare.false_alarms_per_1000_customer_months.change, 1_000.0 / months));
    // Leads of 50, 40, 70, 60, 90, 29, 25 and 50 days, against 50, 50, 50, 20, 30, 30 and 50.
    assert_eq!(compare.median_lead_days.change, Some(0.0));
    let moved =
        |what: &str| -> Vec<&str> { compare.customers.iter().filter(|one| one.what == what).map(|one| one.customer.as_str()).collect() };
    assert_eq!((moved("earlier"), moved("later")), (vec!["l005", "l003", "l004"], vec!["l007", "l006"]));
    assert_eq!((moved("gained"), moved("lost")), (vec!["l000", "l001"], vec!["l002"]));
    let first = compare.customers.iter().find(|one| one.customer == "l005").expect("it is listed");
    assert_eq!((first.lead_days, first.baseline_lead_days), (Some(90.0), Some(20.0)));
    assert_eq!(compare.rules.iter().map(|rule| (rule.signals, rule.baseline_signals)).collect::<Vec<_>>(), [(Some(12), Some(10))]);
}

#[test]
fn equal_sides_differ_by_nothing_and_intervals_are_paired() {
    // Of 60 churns ours warns of every second, theirs of every third; each of both of the same customers.
    let pairs: Vec<_> = (0..60).map(|number| ((number % 2 == 0).then_some(150), (number % 6 == 0).then_some(150))).collect();
    let stays: Vec<_> = (0..200).map(|number| (usize::from(number % 5 == 0), usize::from(number % 5 == 0) * 2)).collect();
    let same: Vec<_> = pairs.iter().map(|(ours, _)| (*ours, *ours)).collect();
    let same_stays: Vec<_> = stays.iter().map(|(ours, _)| (*ours, *ours)).collect();
    let equal = against(&same, &same_stays).compare.expect("there is a baseline");
    for change in [&equal.precision, &equal.recall, &equal.false_alarms_per_1000_customer_months, &equal.median_lead_days] {
        assert_eq!((change.change, change.interval), (Some(0.0), Some([0.0, 0.0])));
    }
    assert!(equal.customers.is_empty() && equal.rules.is_empty());

    let report = against(&pairs, &stays);
    let compare = report.compare.expect("there is a baseline");
    let width = |interval: Option<[f64; 2]>| interval.map(|[low, high]| high - low).expect("there is one");
    // Were the two drawn apart, the variance of the difference would be the sum of both.
    let ours = width(report.overall.recall_interval);
    let theirs = width(against(&pairs.iter().map(|(_, theirs)| (*theirs, *theirs)).collect::<Vec<_>>(), &stays).overall.recall_interval);
    let (paired, apart) = (width(compare.recall.interval), ours.hypot(theirs));
    assert!(paired < 0.9 * apart, "{paired} is not narrower than {apart}");
    let [low, high] = compare.recall.interval.expect("there is one");
    assert!(low > 0.0 && low < 1.0 / 3.0 && 1.0 / 3.0 < high, "{low} to {high}");
    // One false alarm for every two of theirs: 40 of 200 customers, whose time is the same on both sides.
    let change = &compare.false_alarms_per_1000_customer_months;
    let [low, high] = change.interval.expect("there is one");
    assert!(low < change.change.expect("there is one") && change.change.expect("there is one") < high && high < 0.0, "{change:?}");
}
