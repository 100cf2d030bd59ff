//! Writing down a transition with its reasons: evidence, health, priority, summary.

use crate::episode::Episode;
use crate::feature::Feature;
use crate::health;
use crate::lifecycle::Subject;
use crate::rule::Severity;
use crate::settings::SCALE;
use crate::signal::{Evidence, Priority, Signal, Transition, signal_id};
use crate::time::DAY_MS;
use crate::view::dormant_users;

/// Users listed in evidence at most.
pub const MAX_EVIDENCE_USERS: usize = 20;

/// A renewal that passed so many days ago without a word is not urgent any more: whoever bills that customer does not tell when.
const RENEWAL_PASSED_DAYS: f64 = 30.0;

/// The record of a transition.
pub(crate) fn signal(subject: &Subject<'_>, episode: &Episode, transition: Transition) -> Box<Signal> {
    let (customer, rule) = (subject.customer, subject.rule);
    let view = subject.view();
    let value_of = |feature: u16| view.value(feature);
    let events: Vec<_> = rule.families.iter().filter_map(|family| customer.references.latest(*family)).cloned().collect();
    let is_about_users = rule.when.comparisons().iter().any(|one| one.feature == Feature::DormantUsers30d as u16);
    let days_to_renewal = Some(value_of(Feature::DaysToRenewal as u16)).filter(|days| !days.is_nan());
    Box::new(Signal {
        id: signal_id(&customer.id, &rule.name, &episode.object, episode.raised_at, episode.ordinal),
        transition,
        customer: customer.id.clone(),
        rule: rule.clone(),
        object: episode.object.clone(),
        rule_set: subject.rules.number,
        severity: episode.severity(),
        episode: episode.number,
        time: subject.now,
        raised_at: episode.raised_at,
        backfilled: false,
        mark: episode.mark.get().copied(),
        verdict: None,
        expiry: None,
        event_time: events.iter().map(|event| event.time).max(),
        owner: customer.account.owner.get().cloned(),
        evidence: evidence(subject),
        events,
        users: if is_about_users { dormant_users(customer, subject.now, MAX_EVIDENCE_USERS) } else { Vec::new() },
        health: customer.health.score,
        health_contributions: health::contributions(customer, &subject.rules.settings),
        grade: customer.health.grade(&subject.rules.settings.health),
        quadrant: customer.health.quadrant,
        health_profile: customer.health.profile_of(&subject.rules.settings.health),
        mrr_minor: customer.billing.mrr_minor(),
        currency: customer.billing.currency(),
        stage: subject.rules.settings.stage_name(customer.health.stage).into(),
        days_to_renewal: days_to_renewal.map(|days| days as i32),
        priority: priority(subject, episode.severity(), days_to_renewal),
        summary: summary(subject, episode, transition),
        traceparent: None,
    })
}

/// The reason in words, or how long it was so: what the rule says of a customer is no longer true at its end.
fn summary(subject: &Subject<'_>, episode: &Episode, transition: Transition) -> String {
    let mut text = String::new();
    let is_over = match transition {
        Transition::Cleared => "is over",
        Transition::Expired => "was given up",
        Transition::Resolved => "has its outcome",
        Transition::Raised | Transition::Escalated | Transition::Eased | Transition::Reminded => {
            let view = subject.view();
            subject.rule.summary.render(&|feature| view.value(feature), &mut text);
            return text;
        }
    };
    text.push_str(&subject.rule.name);
    if !episode.object.is_empty() {
        text.extend([" (", &episode.object, ")"]);
    }
    let days = subject.now.since_ms(episode.raised_at) / DAY_MS;
    text.extend([" ", is_over, " after "]);
    match days {
        0 => text.push_str("less than a day"),
        1 => text.push_str("a day"),
        _ => text.extend([&days.to_string(), " days"]),
    }
    text
}

fn evidence(subject: &Subject<'_>) -> Vec<Evidence> {
    let view = subject.view();
    let value_of = |feature: u16| view.value(feature);
    let grounds = subject.rule.when.grounds().iter();
    grounds
        .map(|ground| Evidence {
            feature: subject.rules.settings.feature_name(ground.feature),
            value: value_of(ground.feature),
            operator: ground.operator.symbol(),
            threshold: ground.threshold(&value_of),
            supports: ground.supports(&value_of),
        })
        .collect()
}

fn priority(subject: &Subject<'_>, severity: Severity, days_to_renewal: Option<f64>) -> Priority {
    let bands = &subject.rules.settings.priority;
    let band = |bounds: &[f64; 6], value: f64| bounds.iter().filter(|bound| value >= **bound).count();
    let urgency = days_to_renewal.filter(|days| *days >= -RENEWAL_PASSED_DAYS).map_or(0, |days| 6 - band(&bands.urgency_days, days));
    let risk = (subject.rule.precision * 6.0).round().clamp(0.0, 6.0) as usize + usize::from(severity == Severity::Critical);
    Priority {
        value: SCALE[band(&bands.value_mrr_minor, subject.customer.billing.mrr_minor() as f64)],
        urgency: SCALE[urgency],
        risk: SCALE[risk.min(6)],
        job_size: subject.rule.job_size,
    }
}
