//! Administration: pause, resume, and what is logged. Each use is in the log.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::shared::Shared;

/// How the process runs now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Running {
    /// Whether it takes nothing in.
    is_paused: bool,
}

/// What is to be logged.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLevel {
    /// Such as `info`, or `bellwether_live=debug`.
    directives: String,
}

/// Take nothing in until resumed; time stands still
#[utoipa::path(post, path = "/v1/admin/pause", tag = "administration",
    responses((status = 200, description = "Done", body = Running), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn pause(State(shared): State<Arc<Shared>>) -> Result<Json<Running>, Problem> {
    set_paused(&shared, true)
}

/// Go on
#[utoipa::path(post, path = "/v1/admin/resume", tag = "administration",
    responses((status = 200, description = "Done", body = Running), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn resume(State(shared): State<Arc<Shared>>) -> Result<Json<Running>, Problem> {
    set_paused(&shared, false)
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

fn set_paused(shared: &Shared, is_paused: bool) -> Result<Json<Running>, Problem> {
    if !shared.offered.can_pause {
        let detail = "beside Kafka a process is paused by stopping it: its partitions go to others, and nothing is lost";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "no-pause", detail));
    }
    shared.offered.metrics.readers.pause(is_paused);
    tracing::warn!(is_paused, "somebody has paused or resumed the run");
    Ok(Json(Running { is_paused }))
}
