//! The evaluation on lives that are written out: what each alarm turns out to be, and what the figures come to.

mod edges;
mod versus;

use bellwether_backtest::evaluate::{ChurnAt, Evaluated, EvaluationOptions, Judge, Life, Role, RuleSpec, Side, Spell, evaluate};
use bellwether_backtest::months::month_of;
use bellwether_backtest::observe::{Change, History, Observed, ObservedCustomer, ObservedEpisode, ObservedLog, Score};
use bellwether_backtest::outcomes::{Outcomes, read_outcomes};
use bellwether_backtest::report::Report;
use bellwether_engine::rule::Severity;
use bellwether_engine::time::{DAY_MS, Time};

/// 2024-01-01.
const START_DAY: i64 = 19_723;
const LOG_DAYS: i64 = 400;

fn day(number: i64) -> Time {
    Time((START_DAY + number) * DAY_MS)
}

/// An episode of a rule, from a day to a day.
fn episode(rule: u16, raised: i64, closed: Option<i64>) -> ObservedEpisode {
    let closed_at = closed.map_or(Time::NEVER, day);
    let (raised_at, over_at) = (day(raised), closed_at);
    ObservedEpisode { rule, object: 0, raised_at, closed_at, over_at, severity: Severity::Warning, mrr_minor: 100, owner: None }
}

fn change(at: i64, mrr_minor: i64, notice: Option<i64>) -> Change {
    Change { at: day(at), mrr_minor, is_active: mrr_minor > 0, notice_at: notice.map(day), paid_until: Time::MIN }
}

/// A customer from day 0 on; it gives notice and ends on these days.
fn customer(id: &str, notice: Option<i64>, end: Option<i64>, episodes: Vec<ObservedEpisode>) -> ObservedCustomer {
    let mut changes = vec![change(0, 100, None)];
    changes.extend(notice.map(|notice| change(notice, 100, Some(notice))));
    changes.extend(end.map(|end| change(end, 0, notice)));
    let history = History { changes, episodes, ..History::default() };
    ObservedCustomer { id: id.into(), since: day(0), known_until: day(LOG_DAYS), segment: None, history }
}

fn rule(name: &str, judge: Judge) -> RuleSpec {
    RuleSpec { name: name.to_owned(), kind: "at_risk", judge, is_live: true, is_notice_driven: false, role: Role::Own }
}

fn options() -> EvaluationOptions {
    let (horizon_ms, min_lead_ms, warm_up_ms) = (90 * DAY_MS, 14 * DAY_MS, 28 * DAY_MS);
    EvaluationOptions { horizon_ms, min_lead_ms, churn_at: ChurnAt::Notice, from: None, warm_up_ms, seed: 1 }
}

fn evaluated(customers: Vec<ObservedCustomer>, rules: &[RuleSpec], outcomes: Option<&Outcomes>) -> Evaluated {
    evaluated_with(customers, rules, outcomes, &options())
}

fn evaluated_with(
    customers: Vec<ObservedCustomer>,
    rules: &[RuleSpec],
    outcomes: Option<&Outcomes>,
    options: &EvaluationOptions,
) -> Evaluated {
    let observed = Observed::merge([Observed { customers, left_out: 0 }]);
    let log = ObservedLog { start: day(0), end: day(LOG_DAYS), ..ObservedLog::default() };
    let side = Side { file: String::new(), hash: String::new(), rules, observed: &observed, amber_from: 40.0, sweep: None };
    evaluate(log, 0, &side, None, outcomes, options)
}

fn report(customers: Vec<ObservedCustomer>) -> Report {
    evaluated(customers, &[rule("a", Judge::Churn), rule("b", Judge::Churn)], None).report
}

/// Signals, true, late, false, withdrawn, censored of one episode of a customer with that notice and end.
fn counts(notice: Option<i64>, end: Option<i64>, episode: ObservedEpisode) -> [u64; 6] {
    let overall = report(vec![customer("c", notice, end, vec![episode])]).overall;
    [overall.signals, overall.true_, overall.late, overall.false_, overall.withdrawn, overall.censored]
}

#[test]
fn each_alarm_has_one_outcome() {
    let cases = [
        ("a churn 14 days later", Some(114), Some(200), episode(0, 100, None), [1, 1, 0, 0, 0, 0]),
        ("a churn 90 days later", Some(190), None, episode(0, 100, None), [1, 1, 0, 0, 0, 0]),
        ("a churn 13 days later", Some(113), Some(200), episode(0, 100, None), [1, 0, 1, 0, 0, 0]),
        ("an alarm on the day of the notice", Some(100), Some(200), episode(0, 100, None), [1, 0, 1, 0, 0, 0]),
        ("an alarm in the notice period", Some(90), Some(200), episode(0, 100, None), [1, 0, 1, 0, 0, 0]),
        ("a churn 91 days later", Some(191), Some(200), episode(0, 100, None), [1, 0, 0, 1, 0, 0]),
        ("no churn", None, None, episode(0, 100, None), [1, 0, 0, 1, 0, 0]),
        ("an end without a notice", None, Some(150), episode(0, 100, None), [1, 1, 0, 0, 0, 0]),
        ("closed before the last moment", Some(150), Some(200), episode(0, 100, Some(136)), [1, 0, 0, 1, 1, 0]),
        ("closed after the last moment", Some(150), Some(200), episode(0, 100, Some(137)), [1, 1, 0, 0, 0, 0]),
        ("the log ends too early", None, None, episode(0, LOG_DAYS - 89, None), [1, 0, 0, 0, 0, 1]),
        ("the log ends with the horizon", None, None, episode(0, LOG_DAYS - 90, None), [1, 0, 0, 1, 0, 0]),
    ];
    for (what, notice, end, episode, expected) in cases {
        assert_eq!(counts(notice, end, episode), expected, "{what}");
    }
}

#[test]
fn a_customer_that_comes_back_has_two_lives() {
    let changes = [change(0, 100, None), change(50, 100, Some(50)), change(80, 0, Some(50)), change(200, 100, None), change(300, 0, None)];
    let life = Life::from_log(&changes, ChurnAt::Notice, day(LOG_DAYS));
    let spells = [Spell { from: day(0), until: day(80) }, Spell { from: day(200), until: day(300) }];
    assert_eq!(life.spells, spells);
    assert_eq!(life.churns.iter().map(|churn| (churn.at, churn.gone_at)).collect::<Vec<_>>(), [(day(50), day(80)), (day(300), day(300))]);
    assert!(life.is_customer(day(49)) && !life.is_customer(day(60)) && !life.is_customer(day(100)) && life.is_customer(day(250)));
    let by_end = Life::from_log(&changes, ChurnAt::End, day(LOG_DAYS));
    assert_eq!(by_end.churns.iter().map(|churn| churn.at).collect::<Vec<_>>(), [day(80), day(300)]);
}

#[test]
fn a_notice_that_is_withdrawn_is_no_churn() {
    let changes = [change(0, 100, None), change(50, 100, Some(50)), change(60, 100, None)];
    assert!(Life::from_log(&changes, ChurnAt::Notice, day(LOG_DAYS)).churns.is_empty());
}

#[test]
fn a_free_subscription_that_runs_on_is_no_churn() {
    let free = Change { mrr_minor: 0, is_active: true, ..change(100, 0, None) };
    let churns = |churn_at| Life::from_log(&[change(0, 100, None), free], churn_at, day(LOG_DAYS)).churns.len();
    assert_eq!([ChurnAt::Notice, ChurnAt::End, ChurnAt::PaidEnd].map(churns), [0, 0, 0]);
}

#[test]
fn recall_is_about_churns_past_the_warm_up() {
    let customers = vec![
        customer("early", Some(20), Some(30), vec![]),
        customer("missed", Some(200), Some(230), vec![]),
        customer("warned", Some(200), Some(230), vec![episode(0, 150, None), episode(1, 170, None)]),
        customer("stays", None, None, vec![episode(0, 100, Some(110)), episode(0, 113, Some(120))]),
    ];
    let report = report(customers);
    let overall = &report.overall;
    assert_eq!((report.log.churns, overall.churns, overall.churns_warned, overall.recall), (3, 2, 1, Some(0.5)));
    assert_eq!((overall.signals, overall.true_, overall.false_, overall.flaps), (4, 2, 2, 1));
    assert_eq!(overall.lead_days.map(|lead| lead.median), Some(50.0));
    assert_eq!((overall.warned.days_30, overall.warned.days_60), (Some(0.5), Some(0.0)));
    // 30, 230, 230 and 400 days of service; 80 and 17 of them in alarm.
    let days = report.log.customer_months * 30.4375;
    assert!((days - 890.0).abs() < 1e-9 && (overall.share_of_time_in_alarm.expect("there is some") - 97.0 / 890.0).abs() < 1e-12);
    let alone: Vec<u64> = report.by_rule.iter().map(|rule| rule.churns_warned_alone).collect();
    assert_eq!((alone, report.by_rule[0].overlap[0].churns), (vec![0, 0], 1));
    assert_eq!(report.worst_misses.iter().map(|story| story.customer.as_str()).collect::<Vec<_>>(), ["missed"]);
    assert_eq!(report.worst_false_alarms.iter().map(|story| story.customer.as_str()).collect::<Vec<_>>(), ["stays"]);
}

#[test]
fn a_rule_that_is_always_on_does_not_win() {
    let customers = (0..40).map(|number| customer(&format!("c{number}"), Some(300), Some(330), vec![episode(0, 30, None)])).collect();
    let report = report(customers);
    assert_eq!((report.overall.precision, report.overall.recall), (Some(0.0), Some(0.0)));
    assert_eq!((report.overall.warned.days_14, report.overall.warned.days_90), (Some(0.0), Some(0.0)));
}

#[test]
fn upsell_is_judged_by_expansion() {
    let mut grown = customer("grown", None, None, vec![episode(0, 100, None), episode(0, 200, None)]);
    grown.history.changes.push(change(150, 105, None));
    let report = evaluated(vec![grown], &[rule("u", Judge::Expansion)], None).report;
    let figures = &report.by_rule[0].figures;
    assert_eq!((figures.true_, figures.false_, figures.recall, report.overall.signals), (1, 1, None, 0));
}

#[test]
fn a_crm_overrules_the_log() {
    let outcomes = read_outcomes("customer,notice,end\nc1,2024-07-01,2024-08-01\nelse,2024-07-01,\n".as_bytes()).expect("it is right");
    let customers =
        vec![customer("c1", None, None, vec![episode(0, 150, None)]), customer("c2", Some(200), Some(210), vec![episode(0, 150, None)])];
    let report = evaluated(customers, &[rule("a", Judge::Churn)], Some(&outcomes)).report;
    // Day 182 is the first of July.
    assert_eq!((report.log.churns, report.overall.true_, report.overall.false_), (1, 1, 1));
    assert_eq!((report.log.unknown_outcomes, report.log.churn_at.as_str()), (Some(1), "outcomes"));
    assert_eq!(report.overall.lead_days.map(|lead| lead.median), Some(32.0));
}

#[test]
fn there_is_no_verdict_under_twenty_churns() {
    let of = |churns: usize| {
        let churned = (0..churns).map(|number| customer(&format!("l{number}"), Some(200), Some(220), vec![episode(0, 150, None)]));
        let others = (0..80).map(|number| customer(&format!("s{number}"), None, None, vec![]));
        serde_json::to_value(report(churned.chain(others).collect()).overall.verdict).expect("it is JSON")
    };
    assert_eq!([of(19), of(20)], ["too_few_churns", "better_than_random"]);
}

#[test]
fn health_is_looked_at_while_its_outcome_is_known_and_open() {
    let mut leaver = customer("leaver", Some(200), Some(260), vec![]);
    let months = (0..14).map(|number| month_of(day(0)) + number);
    leaver.history.scores = months.map(|month| Score { month, health_tenths: Some(700) }).collect();
    let rows = evaluated(vec![leaver], &[rule("a", Judge::Churn)], None).observations.rows;
    // From February (past the warm-up) to July, the last first of a month before the notice on July 19; churn is within 90 days from May on.
    let labels: Vec<bool> = rows.iter().map(|row| row.is_positive()).collect();
    assert_eq!(labels, [false, false, false, true, true, true]);
}

#[test]
fn random_alarms_have_the_precision_that_time_gives_them() {
    // One of two customers leaves on day 200: 172 days after the warm-up, of which 76 are 14 to 90 days before; 282 of the other's are judged.
    let report = report(vec![customer("a", Some(200), Some(220), vec![]), customer("b", None, None, vec![])]);
    let expected = 76.0 / (76.0 + (200.0 - 90.0 - 28.0) + (400.0 - 90.0 - 28.0));
    assert!((report.log.prevalence.expect("there is one") - expected).abs() < 1e-12);
}
