//! Where notices, ends and periods meet alarms: what is judged by which churn.

use bellwether_backtest::evaluate::{ChurnAt, EvaluationOptions, Judge, Life, Role, RuleSpec, Side, evaluate};
use bellwether_backtest::months::month_of;
use bellwether_backtest::observe::{Change, History, Observed, ObservedEpisode, ObservedLog, Score};
use bellwether_backtest::outcomes::read_outcomes;
use bellwether_backtest::report::Report;
use bellwether_engine::time::{DAY_MS, Time};

use super::{LOG_DAYS, change, customer, day, episode, evaluated, evaluated_with, options, report, rule};

/// An episode that churn resolved on a day.
fn resolved(raised: i64, on: i64) -> ObservedEpisode {
    ObservedEpisode { over_at: Time::NEVER, ..episode(0, raised, Some(on)) }
}

/// Signals, true, late, false, withdrawn of one customer by a churn time.
fn counts(notice: Option<i64>, end: i64, episode: ObservedEpisode, churn_at: ChurnAt) -> [u64; 5] {
    let options = EvaluationOptions { churn_at, ..options() };
    let overall = evaluated_with(vec![customer("c", notice, Some(end), vec![episode])], &[rule("a", Judge::Churn)], None, &options);
    let overall = overall.report.overall;
    [overall.signals, overall.true_, overall.late, overall.false_, overall.withdrawn]
}

#[test]
fn what_a_notice_resolved_warns_of_the_end_too() {
    for churn_at in [ChurnAt::Notice, ChurnAt::End] {
        assert_eq!(counts(Some(120), 180, resolved(100, 120), churn_at), [1, 1, 0, 0, 0], "{churn_at:?}");
        // It was over long before the notice.
        assert_eq!(counts(Some(150), 180, episode(0, 100, Some(110)), churn_at), [1, 0, 0, 1, 1], "{churn_at:?}");
    }
    let by_end = EvaluationOptions { churn_at: ChurnAt::End, ..options() };
    let one = vec![customer("c", Some(120), Some(180), vec![resolved(100, 120)])];
    let report = evaluated_with(one, &[rule("a", Judge::Churn)], None, &by_end).report;
    assert_eq!((report.overall.lead_days.map(|lead| lead.median), report.overall.warned.days_60), (Some(80.0), Some(1.0)));
    // The log tells of the notice, and a CRM of an end after that of the log.
    let outcomes = read_outcomes("customer,notice,end\nc,,2024-07-01\n".as_bytes()).expect("it is right");
    let one = vec![customer("c", Some(120), Some(150), vec![resolved(100, 120)])];
    assert_eq!(evaluated(one, &[rule("a", Judge::Churn)], Some(&outcomes)).report.overall.true_, 1);
}

#[test]
fn what_a_notice_resolved_that_is_withdrawn_warns_of_the_next() {
    let of = |episodes: Vec<ObservedEpisode>| {
        let mut leaver = customer("c", None, None, episodes);
        leaver.history.changes.extend([change(120, 100, Some(120)), change(125, 100, None), change(180, 100, Some(180))]);
        let overall = report(vec![leaver]).overall;
        [overall.signals, overall.true_, overall.false_, overall.withdrawn]
    };
    assert_eq!(of(vec![resolved(100, 120)]), [1, 1, 0, 0]);
    // Raised anew on day 140, it had been over in between.
    let again = ObservedEpisode { over_at: day(140), ..resolved(100, 120) };
    assert_eq!(of(vec![again, episode(0, 140, None)]), [2, 1, 1, 1]);
}

#[test]
fn what_was_resolved_by_the_end_of_one_life_warns_of_no_later_one() {
    let mut returned = customer("c", None, Some(120), vec![resolved(100, 120)]);
    returned.history.changes.extend([change(130, 100, None), change(200, 0, None)]);
    let warned = report(vec![returned]).overall.warned;
    // Of two churns the first had 20 days.
    assert_eq!((warned.days_14, warned.days_30), (Some(0.5), Some(0.0)));
}

#[test]
fn a_customer_is_known_until_its_partition_ends() {
    let of = |known_until: i64| {
        let mut one = customer("c", None, None, vec![episode(0, 100, None)]);
        one.history.scores = vec![Score { month: month_of(day(92)), health_tenths: Some(500) }];
        one.known_until = day(known_until);
        let all = vec![one, customer("d", None, None, vec![])];
        let evaluated = evaluated(all, &[rule("a", Judge::Churn)], None);
        let Report { overall, health, log, by_month, .. } = evaluated.report;
        let complete = by_month.iter().filter(|month| month.is_complete).count();
        let days = log.customer_months * 30.4375 - LOG_DAYS as f64;
        ([overall.false_, overall.censored, health.observations, health.censored, complete as u64], days.round() as i64)
    };
    assert_eq!(of(LOG_DAYS), ([1, 0, 1, 0, 1], LOG_DAYS));
    assert_eq!(of(180), ([0, 1, 0, 1, 0], 180));
}

#[test]
fn months_before_one_churn_are_one_churn() {
    let of = |churns: i64| {
        let mut customers: Vec<_> = (0..churns).map(|number| customer(&format!("l{number}"), Some(200), Some(220), vec![])).collect();
        customers.extend((0..80).map(|number| customer(&format!("s{number}"), None, None, vec![])));
        for one in &mut customers {
            let months = (0..14).map(|number| month_of(day(0)) + number);
            one.history.scores = months.map(|month| Score { month, health_tenths: Some(500) }).collect();
        }
        let health = evaluated(customers, &[rule("a", Judge::Churn)], None).report.health;
        (health.positives, health.is_enough, health.by_segment[0].is_enough)
    };
    assert_eq!(of(19), (57, false, false));
    assert_eq!(of(20), (60, true, true));
}

#[test]
fn an_expansion_needs_something_to_expand() {
    let mut free = customer("c", None, None, vec![ObservedEpisode { mrr_minor: 0, ..episode(0, 100, None) }]);
    free.history.changes.push(change(110, 101, None));
    assert_eq!(evaluated(vec![free], &[rule("u", Judge::Expansion)], None).report.by_rule[0].figures.false_, 1);
}

#[test]
fn advocacy_is_judged_by_conversions() {
    let mut spoken = customer("c", None, None, vec![episode(0, 100, None), episode(0, 200, None), episode(0, 390, None)]);
    spoken.history.conversions.push(day(190));
    let figures = evaluated(vec![spoken], &[rule("p", Judge::Conversion)], None).report.by_rule[0].figures.clone();
    assert_eq!((figures.true_, figures.false_, figures.censored), (1, 1, 1));
}

#[test]
fn a_crm_that_knows_of_notices_alone_leaves_ends_to_the_log() {
    let outcomes = "customer,notice,end\nc,2024-04-10,\nc,2024-11-06,\nd,2024-04-10,\ne,2024-04-10,\ne,2030-01-01,\n";
    let outcomes = read_outcomes(outcomes.as_bytes()).expect("it is right");
    // Days 100 and 310. The first one ended on day 150, was back on day 200, and gave notice again.
    let changes = [change(0, 100, None), change(150, 0, None), change(200, 100, None)];
    let life = Life::from_outcomes(&changes, &outcomes["c"], day(LOG_DAYS));
    let churns: Vec<_> = life.churns.iter().map(|churn| (churn.at, churn.gone_at)).collect();
    assert_eq!(churns, [(day(100), day(150)), (day(310), Time::NEVER)]);
    assert!(!life.is_customer(day(160)) && life.is_customer(day(250)) && !life.is_customer(day(320)));
    assert_eq!(life.spells.last().map(|spell| spell.until), Some(day(LOG_DAYS)));
    // What cannot be counted is told: of one that never paid, and after the end of the log.
    let mut never = customer("d", None, None, vec![]);
    never.history = History::default();
    let mut twice = customer("c", None, None, vec![]);
    twice.history.changes = changes.to_vec();
    let log = evaluated(vec![twice, never, customer("e", None, None, vec![])], &[rule("a", Judge::Churn)], Some(&outcomes)).report.log;
    assert_eq!((log.churns, log.unknown_outcomes, log.unused_outcomes), (3, Some(0), Some(2)));
}

#[test]
fn a_churn_of_the_period_may_have_been_warned_of_before_it() {
    let options = EvaluationOptions { from: Some(day(130)), ..options() };
    let customers = vec![
        customer("c", Some(150), Some(180), vec![episode(0, 100, None)]),
        customer("d", None, None, vec![episode(0, 100, Some(140)), episode(0, 145, Some(150))]),
    ];
    let report = evaluated_with(customers, &[rule("a", Judge::Churn)], None, &options).report;
    let overall = &report.overall;
    assert_eq!((overall.signals, overall.true_, overall.false_, overall.flaps), (1, 0, 1, 1));
    assert_eq!((overall.churns, overall.churns_warned, overall.warned.days_30), (1, 1, Some(1.0)));
    // Of 50 and 270 days, 50, 10 and 5 are in alarm.
    assert!((overall.share_of_time_in_alarm.expect("there is some") - 65.0 / 320.0).abs() < 1e-12);
    assert!(report.worst_misses.is_empty());
}

#[test]
fn a_notice_that_is_given_again_is_as_old_as_the_first() {
    let mut history = History::default();
    let notes = [(0, None), (50, Some(50)), (70, Some(70)), (90, None), (110, Some(110))];
    notes.into_iter().for_each(|(at, notice)| assert!(history.note_change(change(at, 100, notice))));
    let first = |at: i64, notice| Change { at: day(at), ..change(at, 100, notice) };
    assert_eq!(history.changes, [first(0, None), first(50, Some(50)), first(90, None), first(110, Some(110))]);
    let churns = |changes: &[Change]| -> Vec<Time> {
        Life::from_log(changes, ChurnAt::Notice, day(LOG_DAYS)).churns.iter().map(|churn| churn.at).collect()
    };
    assert_eq!(churns(&history.changes), [day(110)]);
    assert_eq!(churns(&history.changes[..2]), [day(50)]);
}

#[test]
fn what_was_paid_for_is_served_to_its_end() {
    let ended = |at: i64, paid_until: i64| Change { paid_until: day(paid_until), ..change(at, 0, None) };
    let lives = |changes: &[Change]| {
        [ChurnAt::End, ChurnAt::PaidEnd].map(|churn_at| {
            let life = Life::from_log(changes, churn_at, day(LOG_DAYS));
            let days = |time: Time| if time == Time::NEVER { -1 } else { time.since_ms(day(0)) / DAY_MS };
            let spells: Vec<_> = life.spells.iter().map(|spell| (days(spell.from), days(spell.until))).collect();
            (spells, life.churns.iter().map(|churn| days(churn.at)).collect::<Vec<_>>())
        })
    };
    // Ended on day 100, and paid until day 150.
    let one = lives(&[change(0, 100, None), ended(100, 150)]);
    assert_eq!(one, [(vec![(0, 100)], vec![100]), (vec![(0, 150)], vec![150])]);
    // Back before that: it never left.
    let back = lives(&[change(0, 100, None), ended(100, 150), change(120, 100, None), ended(300, 310)]);
    assert_eq!(back, [(vec![(0, 100), (120, 300)], vec![100, 300]), (vec![(0, 310)], vec![310])]);
    // Back after it.
    let later = lives(&[change(0, 100, None), ended(100, 150), change(200, 100, None)]);
    assert_eq!(later, [(vec![(0, 100), (200, 400)], vec![100]), (vec![(0, 150), (200, 400)], vec![150])]);
    // Paid beyond the end of the log.
    let open = lives(&[change(0, 100, None), ended(390, 450)]);
    assert_eq!(open, [(vec![(0, 390)], vec![390]), (vec![(0, 400)], vec![])]);
}

/// A rule with two points of a sweep of it.
fn swept(judge: Judge, is_notice_driven: bool) -> Vec<[u64; 2]> {
    let own = RuleSpec { is_notice_driven, ..rule("own", judge) };
    let copy = |number: usize| RuleSpec { name: format!("copy-{number}"), role: Role::Sweep(number), is_live: false, ..own.clone() };
    let rules = [own.clone(), rule("other", Judge::Churn), copy(0), copy(1)];
    let episodes = vec![episode(0, 100, None), episode(1, 101, None), episode(2, 102, None), episode(3, 103, None), episode(3, 210, None)];
    let observed = Observed::merge([Observed { customers: vec![customer("c", None, None, episodes)], left_out: 0 }]);
    let log = ObservedLog { start: day(0), end: day(LOG_DAYS), ..ObservedLog::default() };
    let sweep = Some(("own".to_owned(), "days".to_owned(), 1.0, vec![1.0, 2.0]));
    let side = Side { file: String::new(), hash: String::new(), rules: &rules, observed: &observed, amber_from: 40.0, sweep };
    let report = evaluate(log, 0, &side, None, None, &options()).report;
    report.sweep.expect("it was swept").points.iter().map(|point| [point.figures.signals, point.overall.signals]).collect()
}

#[test]
fn a_sweep_of_a_rule_that_is_none_of_overall_changes_nothing_there() {
    assert_eq!(swept(Judge::Churn, false), [[1, 2], [2, 3]]);
    assert_eq!(swept(Judge::Churn, true), [[1, 1], [2, 1]]);
    assert_eq!(swept(Judge::Expansion, false), [[1, 1], [2, 1]]);
    assert_eq!(swept(Judge::Nothing, false), [[1, 1], [2, 1]]);
}
