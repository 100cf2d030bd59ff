//! Administration: pause, resume, and what is logged. Each use is in the log.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use bellwether_live::metrics::Metrics;
use bellwether_live::pipeline::Worker;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::shared::Shared;

/// How the process runs now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Running {
    /// Whether any of its workers is paused.
    is_paused: bool,
    /// The workers that are: `ingest`, `process`, or both.
    paused: Vec<&'static str>,
}

/// Which workers are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// `ingest` or `process`; without it both. A run without Kafka has one loop, which either of them pauses.
    #[param(inline)]
    role: Option<Role>,
}

/// A kind of workers.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    Ingest,
    Process,
}

/// What is to be logged.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLevel {
    /// Such as `info`, or `bellwether_live=debug`.
    directives: String,
}

/// Read nothing until resumed, or until the process ends
///
/// Nothing is lost, and partitions stay where they are. While ingest is paused time stands still, beside Kafka for all instances; while processing is,
/// the signals of this instance's customers wait.
#[utoipa::path(post, path = "/v1/admin/pause", tag = "administration", params(Which),
    responses((status = 200, description = "Done", body = Running), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn pause(
    State(shared): State<Arc<Shared>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Running>, Problem> {
    set_paused(&shared, &which?.0, true)
}

/// Go on
#[utoipa::path(post, path = "/v1/admin/resume", tag = "administration", params(Which),
    responses((status = 200, description = "Done", body = Running), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn resume(
    State(shared): State<Arc<Shared>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Running>, Problem> {
    set_paused(&shared, &which?.0, false)
}

/// Set what is logged, until the process ends
#[utoipa::path(post, path = "/v1/admin/log-level", tag = "administration", request_body = LogLevel,
    responses((status = 200, description = "Done", body = LogLevel), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn log_level(State(shared): State<Arc<Shared>>, body: Result<Bytes, BytesRejection>) -> Result<Json<LogLevel>, Problem> {
    let level: LogLevel = serde_json::from_slice(&body?).map_err(|error| Problem::bad(error.to_string()))?;
    (shared.offered.set_log_level)(&level.directives).map_err(|problem| Problem::bad(format!("directives: {problem}")))?;
    tracing::warn!(directives = level.directives, "somebody has set what is logged");
    Ok(Json(level))
}

fn set_paused(shared: &Shared, which: &Which, is_paused: bool) -> Result<Json<Running>, Problem> {
    if !shared.offered.can_pause {
        return Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "no-pause",
            "there is nothing to pause: this process is to be looked at only",
        ));
    }
    let workers = match which.role {
        None => Worker::ALL.to_vec(),
        Some(Role::Ingest) => vec![Worker::Ingest],
        Some(Role::Process) => vec![Worker::Process],
    };
    let metrics = &shared.offered.metrics;
    workers.iter().for_each(|worker| metrics.pause(*worker, is_paused));
    tracing::warn!(is_paused, ?workers, "somebody has paused or resumed the run");
    let paused = paused(metrics);
    Ok(Json(Running { is_paused: !paused.is_empty(), paused }))
}

/// The names of the workers that are paused.
pub(crate) fn paused(metrics: &Metrics) -> Vec<&'static str> {
    metrics.readers.paused().into_iter().map(Worker::name).collect()
}
