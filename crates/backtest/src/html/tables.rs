//! The tables of a report.

use maud::{Markup, html};

use super::{count, number, percent, with_interval};
use crate::report::{Change, CompareReport, HealthReport, Report, RiskReport, RuleReport, SweepReport};

/// Every rule that spoke, those judged by churn first.
pub(super) fn rules(report: &Report) -> Markup {
    let mut rules: Vec<&RuleReport> = report.by_rule.iter().filter(|rule| rule.figures.signals > 0).collect();
    let order = ["churn", "expansion", "conversion", "nothing"];
    rules.sort_by_key(|rule| (order.iter().position(|judge| *judge == rule.judged_by), rule.notice_driven));
    let silent: Vec<&str> = report.by_rule.iter().filter(|rule| rule.figures.signals == 0).map(|rule| rule.rule.as_str()).collect();
    let baselines = [("no login for 30 days", &report.baselines.no_login_30d), ("60 days to renewal", &report.baselines.renewal_date)];
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        @for title in ["rule", "raised", "true", "late", "false", "open", "precision", "recall", "median lead, days", "false per 1,000 months", "alone", "verdict"] {
                            th.word[title == "verdict"] { (title) }
                        }
                    }
                }
                tbody {
                    @for rule in &rules {
                        tr {
                            th { (rule.rule) @if rule.notice_driven { " (notice)" } @if rule.mode == "shadow" { " (shadow)" } }
                            (figures(&rule.figures))
                            td { (count(rule.churns_warned_alone)) }
                            td.word { @if rule.judged_by == "churn" { (rule.figures.verdict.words()) } @else { (rule.kind) } }
                        }
                    }
                    tr.total { th { "together, without notice" } (figures(&report.overall)) td {} td.word { (report.overall.verdict.words()) } }
                    @for (name, baseline) in &baselines {
                        @if let Some(baseline) = baseline {
                            tr.baseline { th { (name) } (figures(baseline)) td {} td.word { (baseline.verdict.words()) } }
                        }
                    }
                }
            }
        }
        @if !silent.is_empty() { p.note { "Silent on this log: " (silent.join(", ")) "." } }
    }
}

fn figures(figures: &RiskReport) -> Markup {
    html! {
        td { (count(figures.signals)) }
        td { (count(figures.true_)) }
        td { (count(figures.late)) }
        td { (count(figures.false_)) }
        td { (count(figures.censored)) }
        td { (with_interval(figures.precision, figures.precision_interval)) }
        td { (with_interval(figures.recall, figures.recall_interval)) }
        td { (number(figures.lead_days.map(|lead| lead.median), 0)) }
        td { (number(figures.false_alarms_per_1000_customer_months, 1)) }
    }
}

/// The figures of all rules together under other horizons.
pub(super) fn horizons(report: &Report) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for title in ["horizon", "true", "late", "false", "open", "precision", "recall"] { th { (title) } } } }
                tbody {
                    @for row in &report.overall.horizons {
                        tr {
                            th { (row.horizon_days) "\u{a0}days" }
                            td { (count(row.true_)) } td { (count(row.late)) } td { (count(row.false_)) } td { (count(row.censored)) }
                            td { (percent(row.precision)) } td { (percent(row.recall)) }
                        }
                    }
                }
            }
        }
    }
}

/// Health by segment and month.
pub(super) fn health(health: &HealthReport) -> Markup {
    html! {
        p {
            (count(health.observations)) " monthly observations, " (count(health.positives)) " followed by churn. AUC "
            (number(health.auc, 3)) ", PR-AUC " (number(health.pr_auc, 3)) " (chance " (number(health.prevalence, 3)) "), Brier "
            (number(health.brier, 4)) " (the prevalence alone "
            (number(health.calibration.as_ref().map(|calibration| calibration.brier_of_prevalence), 4)) ")."
            @if !health.is_enough { " Too few churns for a verdict." }
        }
        @if let Some(calibration) = &health.calibration { p.note { "Probability: " (calibration.method) "; tested from " (calibration.test_from) "." } }
        div.scroll {
            table {
                thead { tr { @for title in ["segment or month", "observations", "before churn", "AUC", "PR-AUC", "lift", "Brier"] { th { (title) } } } }
                tbody {
                    @for slice in health.by_segment.iter().chain(&health.by_month) {
                        tr.faint[!slice.is_enough] {
                            th { (slice.name) }
                            td { (count(slice.observations)) } td { (count(slice.positives)) }
                            td { (number(slice.auc, 2)) } td { (number(slice.pr_auc, 2)) } td { (number(slice.lift, 1)) } td { (number(slice.brier, 4)) }
                        }
                    }
                }
            }
        }
    }
}

/// The points of a sweep.
pub(super) fn sweep(sweep: &SweepReport) -> Markup {
    html! {
        p { (sweep.param) " of " (sweep.rule) ", now " (sweep.current) "." }
        div.scroll {
            table {
                thead {
                    tr { @for title in [sweep.param.as_str(), "raised", "precision", "recall", "median lead, days", "precision of all", "recall of all"] { th { (title) } } }
                }
                tbody {
                    @for point in &sweep.points {
                        tr.total[point.value == sweep.current] {
                            th { (point.value) }
                            td { (count(point.figures.signals)) }
                            td { (with_interval(point.figures.precision, point.figures.precision_interval)) }
                            td { (with_interval(point.figures.recall, point.figures.recall_interval)) }
                            td { (number(point.figures.lead_days.map(|lead| lead.median), 0)) }
                            td { (percent(point.overall.precision)) } td { (percent(point.overall.recall)) }
                        }
                    }
                }
            }
        }
    }
}

/// The differences from a baseline.
pub(super) fn compare(compare: &CompareReport) -> Markup {
    let changes: [(&str, Change, f64); 4] = [
        ("precision, points", compare.precision, 100.0),
        ("recall, points", compare.recall, 100.0),
        ("false alarms per 1,000 customer-months", compare.false_alarms_per_1000_customer_months, 1.0),
        ("median lead, days", compare.median_lead_days, 1.0),
    ];
    let signed = |value: Option<f64>, unit: f64| value.map_or_else(|| "–".to_owned(), |value| format!("{:+.2}", value * unit));
    html! {
        div.scroll {
            table {
                thead { tr { th { "figure" } th { "change" } th { "from" } th { "to" } } }
                tbody {
                    @for (name, change, unit) in &changes {
                        tr {
                            th { (name) }
                            td { (signed(change.change, *unit)) }
                            td { (signed(change.interval.map(|[low, _]| low), *unit)) }
                            td { (signed(change.interval.map(|[_, high]| high), *unit)) }
                        }
                    }
                }
            }
        }
        @if !compare.customers.is_empty() {
            div.scroll {
                table {
                    thead { tr { th { "customer" } th { "churned" } th { "" } th { "lead, days" } th { "lead before, days" } } }
                    tbody {
                        @for customer in &compare.customers {
                            tr {
                                th { (customer.customer) } td { (customer.churned_at[..10]) } td.word { (customer.what) }
                                td { (number(customer.lead_days, 0)) } td { (number(customer.baseline_lead_days, 0)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
