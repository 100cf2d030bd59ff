//! Open signals, the most worth acting on first.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::episode::Mark;
use bellwether_engine::feature::GRADES;
use bellwether_engine::signal::Signal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::board::Rank;
use crate::problem::Problem;
use crate::reading::{AsOf, page_size};
use crate::settings::ConsoleSettings;
use crate::shared::Shared;

/// A signal that is open, with its reasons as of now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OpenSignal {
    /// The id of the signal that raised it: feedback refers to it.
    pub id: String,
    pub customer: String,
    /// The kind of its rule, such as `at_risk`.
    pub kind: String,
    rule: String,
    /// The thing within the customer that it is about, or empty.
    object: String,
    /// `info`, `warning` or `critical`.
    severity: String,
    /// `open`, or what a person made of it: `acknowledged`, `dismissed` or `snoozed`.
    pub state: String,
    /// When it was raised, RFC 3339.
    raised_at: String,
    owner: Option<String>,
    mrr_minor: i64,
    currency: Option<String>,
    stage: String,
    health: Option<f64>,
    grade: Option<String>,
    days_to_renewal: Option<i32>,
    /// The higher, the sooner.
    priority: f64,
    /// The reason in words.
    summary: String,
    /// What to do about it.
    playbook: String,
    /// The comparisons that speak for it, with their values as of now.
    reasons: Vec<Reason>,
    /// Where the customer is in your CRM, if that is configured.
    link: Option<String>,
}

/// A comparison of a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    feature: String,
    /// Absent is unknown.
    value: Option<f64>,
    operator: String,
    threshold: Option<f64>,
}

/// A page of open signals.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignalPage {
    signals: Vec<OpenSignal>,
    /// Where the next page begins; null at the end.
    cursor: Option<String>,
    /// How many are open in the partitions of this process.
    open_count: usize,
    /// How many of them the list has, over all its pages: the most valuable ones.
    listed_count: usize,
    /// Whether all partitions of the journal are in it, and the list has all signals of them; otherwise ask the other instances, too.
    is_complete: bool,
    /// As of when, by partition.
    as_of: Vec<AsOf>,
    /// The number of partitions of the journal; those that `as_of` does not name are other instances', or not ready.
    journal_partitions: u16,
}

/// Which signals.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SignalQuery {
    /// `open`, `acknowledged`, `dismissed` or `snoozed`; otherwise all.
    state: Option<String>,
    /// The kind of the rule.
    kind: Option<String>,
    /// From the page before.
    cursor: Option<String>,
    /// Signals of a page, 1 to 500; 50 when nothing is said.
    limit: Option<usize>,
}

/// Open signals, the highest priority first, then by what the customer pays
#[utoipa::path(get, path = "/v1/signals", operation_id = "list_signals", tag = "queries", params(SignalQuery),
    responses((status = 200, description = "Done", body = SignalPage), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<SignalQuery>, QueryRejection>,
) -> Result<Json<SignalPage>, Problem> {
    let Query(query) = query?;
    shared.read(move |shared| page(shared, &query)).await.map(Json)
}

fn page(shared: &Shared, query: &SignalQuery) -> Result<SignalPage, Problem> {
    let limit = page_size(query.limit)?;
    let after = query.cursor.as_deref().map(Rank::parse).transpose()?;
    let ranking = shared.board.ranking(shared)?;
    let rest = ranking.signals.iter().filter(|(rank, signal)| {
        after.is_none_or(|after| after < *rank)
            && query.state.as_ref().is_none_or(|state| signal.state == *state)
            && query.kind.as_ref().is_none_or(|kind| signal.kind == *kind)
    });
    let mut found: Vec<&(Rank, OpenSignal)> = rest.take(limit + 1).collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    Ok(SignalPage {
        cursor: found.last().filter(|_| has_more).map(|(rank, _)| rank.to_string()),
        signals: found.into_iter().map(|(_, signal)| signal.clone()).collect(),
        open_count: ranking.open_count,
        listed_count: ranking.signals.len(),
        is_complete: ranking.open_count == ranking.signals.len() && ranking.as_of.len() == usize::from(ranking.journal_partitions),
        as_of: ranking.as_of.clone(),
        journal_partitions: ranking.journal_partitions,
    })
}

impl OpenSignal {
    pub fn of(signal: &Signal, settings: &ConsoleSettings) -> Self {
        let tenth = |score: f32| (f64::from(score) * 10.0).round() / 10.0;
        let known = |value: f64| value.is_finite().then(|| (value * 10_000.0).round() / 10_000.0);
        let reason = |one: &bellwether_engine::signal::Evidence| Reason {
            feature: one.feature.to_string(),
            value: known(one.value),
            operator: one.operator.to_owned(),
            threshold: known(one.threshold),
        };
        Self {
            id: format!("{:032x}", signal.id),
            customer: signal.customer.to_string(),
            kind: signal.rule.kind.name().to_owned(),
            rule: signal.rule.name.clone(),
            object: signal.object.to_string(),
            severity: signal.severity.name().to_owned(),
            state: signal.mark.map_or("open", Mark::name).to_owned(),
            raised_at: format_time(signal.raised_at),
            owner: signal.owner.as_ref().map(ToString::to_string),
            mrr_minor: signal.mrr_minor,
            currency: signal.currency.map(|currency| String::from_utf8_lossy(&currency.0).into_owned()),
            stage: signal.stage.to_string(),
            health: signal.health.map(tenth),
            grade: signal.grade.and_then(|grade| GRADES.get(usize::from(grade))).map(|grade| (*grade).to_owned()),
            days_to_renewal: signal.days_to_renewal,
            priority: (signal.priority.score() * 100.0).round() / 100.0,
            summary: signal.summary.clone(),
            playbook: signal.rule.playbook.clone(),
            reasons: signal.evidence.iter().filter(|one| one.supports).map(reason).collect(),
            link: settings.link(&signal.customer),
        }
    }
}
