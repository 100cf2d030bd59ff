//! The page: the sections of the report, one under the other.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{ChartError, charts, count, interval, number, percent, story_chart, tables};
use crate::report::{CompareReport, Report, Story};

const STYLE: &str = include_str!("style.css");

/// No script, no image, no font, no request: only the styles within the page count.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Renders a report.
///
/// # Errors
///
/// When a chart cannot be drawn.
pub fn render(report: &Report) -> Result<String, ChartError> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                link rel="icon" href="data:,";
                title { "Backtest of " (report.rules.file) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(report))
                    (summary(report))
                    (charts_section(report)?)
                    @if let Some(sweep) = &report.sweep { section { h2 { "Sweep" } (tables::sweep(sweep)) } }
                    @if let Some(compare) = &report.compare { (compare_section(compare)) }
                    section { h2 { "Rules" } (tables::rules(report)) }
                    section { h2 { "Horizons" } (tables::horizons(report)) }
                    section { h2 { "Health" } (tables::health(&report.health)) }
                    (stories("Worst misses", "Left without a warning in time, the most valuable first.", &report.worst_misses, report)?)
                    (stories("Worst false alarms", "Alarmed about, and still there when the horizon was over, the most valuable first.", &report.worst_false_alarms, report)?)
                }
            }
        }
    };
    Ok(page.into_string())
}

fn header(report: &Report) -> Markup {
    let log = &report.log;
    let facts = [
        ("period", format!("{} to {}", &log.from[..10], &log.to[..10])),
        ("events", count(log.events)),
        ("customers", format!("{} ({} paid)", count(log.customers), count(log.paying_customers))),
        ("customer-months", count(log.customer_months.round() as u64)),
        ("churns", format!("{} ({} past the warm-up)", count(log.churns), count(log.eligible_churns))),
        ("prevalence", percent(log.prevalence)),
        ("horizon", format!("{} days, at least {} ahead", log.horizon_days, log.min_lead_days)),
        ("churn time", log.churn_at.clone()),
        ("censored", count(log.censored)),
        ("log", log.hash.clone()),
        ("rules", format!("{}, {}", report.rules.file, report.rules.hash)),
    ];
    html! {
        header {
            h1 { "Backtest" }
            @if report.partial { p.warning { "Stopped before the end of the log: these are figures of a part of it." } }
            @if log.eligible_churns < log.min_churns {
                p.warning { "Fewer than " (log.min_churns) " churns: the figures are indications, and there is no verdict." }
            }
            dl.facts { @for (name, value) in &facts { div { dt { (name) } dd { (value) } } } }
        }
    }
}

fn summary(report: &Report) -> Markup {
    let overall = &report.overall;
    let tiles = [
        ("precision", percent(overall.precision), format!("alarms that were right{}", interval(overall.precision_interval))),
        ("recall", percent(overall.recall), format!("churns that were warned of{}", interval(overall.recall_interval))),
        (
            "lift",
            number(overall.lift, 1),
            format!("over random alarms, right in {}", percent(report.baselines.random.precision).replace(' ', "\u{a0}")),
        ),
        ("median lead", format!("{} days", number(overall.lead_days.map(|lead| lead.median), 0)), "from warning to churn".to_owned()),
        ("alerts a week", number(overall.alerts_per_week, 1), format!("{} of the time in alarm", percent(overall.share_of_time_in_alarm))),
        ("health AUC", number(report.health.auc, 2), format!("PR-AUC {}", number(report.health.pr_auc, 2))),
    ];
    html! {
        section.tiles {
            @for (name, value, note) in &tiles { div.tile { div.name { (name) } div.value { (value) } div.note { (note) } } }
        }
    }
}

fn charts_section(report: &Report) -> Result<Markup, ChartError> {
    let mut figures = vec![
        ("Lead times", "How early the alarms came, over the churns that were warned of.", charts::lead_times(report)?),
        (
            "Months",
            "Precision by the month of the alarm, as far as its horizon is over; recall by the month of the churn.",
            charts::months(report)?,
        ),
        ("Precision and recall of health", "The red point is the present threshold from red to amber.", charts::precision_recall(report)?),
        ("Thresholds of health", "Who would be looked at under another threshold.", charts::health_thresholds(report)?),
        ("Churn by health", "Churn in each tenth of the customers over the mean.", charts::gains(report)?),
    ];
    if let Some(sweep) = charts::sweep(report)? {
        figures.insert(1, ("Sweep", "The swept rule alone.", sweep));
    }
    Ok(html! {
        section.charts {
            @for (title, note, svg) in &figures {
                figure { figcaption { strong { (title) } " " (note) } (PreEscaped(svg)) }
            }
        }
    })
}

fn compare_section(compare: &CompareReport) -> Markup {
    html! {
        section {
            h2 { "Against " (compare.file) }
            p {
                (count(compare.gained)) " churns gained, " (count(compare.lost)) " lost, "
                (count(compare.earlier)) " earlier" (by_days(compare.earlier_median_days)) ", "
                (count(compare.later)) " later" (by_days(compare.later_median_days)) "."
            }
            (tables::compare(compare))
        }
    }
}

/// By how many days in the median, where there is one.
fn by_days(median: Option<f64>) -> String {
    median.map_or_else(String::new, |days| format!(" (by {days:.0} days in the median)"))
}

fn stories(title: &str, note: &str, stories: &[Story], report: &Report) -> Result<Markup, ChartError> {
    let drawn = stories.iter().map(|story| Ok((story, story_chart::timeline(story, &report.log.to)?)));
    let drawn: Vec<(&Story, String)> = drawn.collect::<Result<_, ChartError>>()?;
    Ok(html! {
        section.stories {
            h2 { (title) }
            p {
                (note) " The line is health, bars are alarms: green true, blue late, red false, grey unknown; the red mark is the churn."
            }
            @if drawn.is_empty() { p { "None." } }
            div.charts { @for (story, svg) in &drawn {
                figure.story {
                    figcaption {
                        strong { (story.customer) }
                        ", since " (story.since[..10])
                        @if let Some(segment) = &story.segment { ", " (segment) }
                        ", MRR " (number(Some(story.mrr_minor as f64 / 100.0), 2))
                        @if let Some(churned) = &story.churned_at { ", churned " (churned[..10]) }
                    }
                    (PreEscaped(svg))
                }
            } }
        }
    })
}
