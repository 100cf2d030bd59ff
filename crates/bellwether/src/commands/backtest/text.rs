//! The report of a backtest in words, for the terminal.

use bellwether_backtest::report::{CompareReport, HealthReport, Report, RiskReport, RuleReport, SweepReport};
use comfy_table::{CellAlignment, Table, presets};

use crate::sizes::count;

/// The report in a screen or two.
pub fn in_words(report: &Report) -> String {
    let mut parts = vec![head(report), rules(report).trim_fmt(), totals(report)];
    parts.extend(report.sweep.as_ref().map(sweep));
    parts.extend(report.compare.as_ref().map(compare));
    parts.join("\n\n")
}

fn head(report: &Report) -> String {
    let log = &report.log;
    let mut lines = Vec::new();
    if report.partial {
        lines.push("PARTIAL: stopped before the end of the log; the figures are of what was read".to_owned());
    }
    lines.push(format!(
        "log      {} to {}: {} events, {} customers ({} paid), {} customer-months",
        &log.from[..10],
        &log.to[..10],
        count(log.events),
        count(log.customers),
        count(log.paying_customers),
        count(log.customer_months.round() as i64),
    ));
    lines.push(format!(
        "churns   {} ({} of customers past the warm-up); random alarms would be right in {}",
        count(log.churns),
        count(log.eligible_churns),
        percent(log.prevalence),
    ));
    lines.push(format!(
        "judged   true if churn ({}) follows within {} days, at least {} days later; {} alarms still open to judgement",
        log.churn_at,
        log.horizon_days,
        log.min_lead_days,
        count(log.censored),
    ));
    if let Some(unknown) = log.unknown_outcomes.filter(|unknown| *unknown > 0) {
        lines.push(format!("note     {} customers of the outcomes are not on the log", count(unknown)));
    }
    let notes = [
        (
            log.unused_outcomes.unwrap_or_default(),
            "churns of the outcomes are not counted: after the end of the log, or without paid service before",
        ),
        (log.refused, "lines were refused"),
        (log.left_out, "facts were left out, over the limits of one customer"),
    ];
    for (number, what) in notes {
        if number > 0 {
            lines.push(format!("note     {} {what}", count(number)));
        }
    }
    lines.join("\n")
}

fn rules(report: &Report) -> Table {
    let header = ["rule", "raised", "true", "late", "false", "open", "precision", "recall", "median lead", "false per kcm", "verdict"];
    let mut table = plain_table(&header);
    let spoke = |rule: &&RuleReport| rule.figures.signals > 0;
    let kinds = [("churn", false), ("churn", true), ("expansion", false), ("conversion", false), ("nothing", false)];
    for (judged_by, notice_driven) in kinds {
        let of_kind = report.by_rule.iter().filter(spoke).filter(|rule| rule.judged_by == judged_by);
        for rule in of_kind.filter(|rule| judged_by != "churn" || rule.notice_driven == notice_driven) {
            let verdict = match judged_by {
                "churn" if notice_driven => "notice".to_owned(),
                "churn" => rule.figures.verdict.words().to_owned(),
                _ => rule.kind.clone(),
            };
            row(&mut table, &rule.rule, &rule.figures, &verdict);
        }
    }
    row(&mut table, "OVERALL", &report.overall, report.overall.verdict.words());
    let baselines = [("no login for 30 days", &report.baselines.no_login_30d), ("60 days to renewal", &report.baselines.renewal_date)];
    for (name, figures) in baselines {
        if let Some(figures) = figures {
            row(&mut table, &format!("({name})"), figures, figures.verdict.words());
        }
    }
    table
}

fn row(table: &mut Table, name: &str, figures: &RiskReport, verdict: &str) {
    let lead = figures.lead_days.map_or_else(|| "-".to_owned(), |lead| format!("{:.0} d", lead.median));
    table.add_row([
        name,
        &count(figures.signals),
        &count(figures.true_),
        &count(figures.late),
        &count(figures.false_),
        &count(figures.censored),
        &percent(figures.precision),
        &percent(figures.recall),
        &lead,
        &figures.false_alarms_per_1000_customer_months.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
        verdict,
    ]);
}

fn totals(report: &Report) -> String {
    let overall = &report.overall;
    let warned = overall.warned;
    let random = &report.baselines.random;
    let lines = [
        format!(
            "overall  precision {}, recall {}, lift {}",
            with_interval(overall.precision, overall.precision_interval),
            with_interval(overall.recall, overall.recall_interval),
            overall.lift.map_or_else(|| "-".to_owned(), |lift| format!("{lift:.1}")),
        ),
        format!("random   as many alarms at random: precision {}, recall {}", percent(random.precision), percent(random.recall)),
        format!(
            "warned   {} of churns 14 days ahead, {} 30, {} 60, {} 90",
            percent(warned.days_14),
            percent(warned.days_30),
            percent(warned.days_60),
            percent(warned.days_90),
        ),
        format!(
            "burden   {} alerts a week, {} per 1,000 customer-months; {} of the time in alarm; {} raised again within a week",
            one_decimal(overall.alerts_per_week),
            one_decimal(overall.alerts_per_1000_customer_months),
            percent(overall.share_of_time_in_alarm),
            count(overall.flaps),
        ),
        health(&report.health),
    ];
    lines.join("\n")
}

fn health(health: &HealthReport) -> String {
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    let enough = if health.is_enough { "" } else { "; too few churns for a verdict" };
    format!(
        "health   AUC {}, PR-AUC {} (chance {}), lift of the lowest tenth {}, Brier {} (prevalence alone {}){enough}",
        figure(health.auc),
        figure(health.pr_auc),
        figure(health.prevalence),
        one_decimal(health.lift),
        figure(health.brier),
        figure(health.calibration.as_ref().map(|calibration| calibration.brier_of_prevalence)),
    )
}

fn sweep(sweep: &SweepReport) -> String {
    let title = format!("{}.{} (now {})", sweep.rule, sweep.param, sweep.current);
    let mut table = plain_table(&[&title, "raised", "precision", "recall", "median lead", "overall precision", "overall recall"]);
    for point in &sweep.points {
        let lead = point.figures.lead_days.map_or_else(|| "-".to_owned(), |lead| format!("{:.0} d", lead.median));
        table.add_row([
            &point.value.to_string(),
            &count(point.figures.signals),
            &percent(point.figures.precision),
            &percent(point.figures.recall),
            &lead,
            &percent(point.overall.precision),
            &percent(point.overall.recall),
        ]);
    }
    table.trim_fmt()
}

fn compare(compare: &CompareReport) -> String {
    let change = |change: bellwether_backtest::report::Change, unit: f64, digits: usize| {
        let show = |value: f64| format!("{:+.digits$}", value * unit);
        let interval = change.interval.map(|[low, high]| format!(" ({} to {})", show(low), show(high)));
        format!("{}{}", change.change.map_or_else(|| "-".to_owned(), show), interval.unwrap_or_default())
    };
    let days = |median: Option<f64>| median.map(|days| format!(" by {days:.0} d in the median")).unwrap_or_default();
    [
        format!("against  {}", compare.file),
        format!(
            "churns   {} gained, {} lost, {} earlier{}, {} later{}",
            count(compare.gained),
            count(compare.lost),
            count(compare.earlier),
            days(compare.earlier_median_days),
            count(compare.later),
            days(compare.later_median_days),
        ),
        format!(
            "change   precision {} points, recall {} points, median lead {} days, false alarms per 1,000 customer-months {}",
            change(compare.precision, 100.0, 1),
            change(compare.recall, 100.0, 1),
            change(compare.median_lead_days, 1.0, 1),
            change(compare.false_alarms_per_1000_customer_months, 1.0, 2),
        ),
    ]
    .join("\n")
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn one_decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}

fn with_interval(share: Option<f64>, interval: Option<[f64; 2]>) -> String {
    let interval = interval.map(|[low, high]| format!(" ({:.1} to {:.1})", low * 100.0, high * 100.0));
    percent(share) + &interval.unwrap_or_default()
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    for (number, _) in header.iter().enumerate().skip(1).filter(|(_, title)| **title != "verdict") {
        table.column_mut(number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    table
}
