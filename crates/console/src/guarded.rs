//! The guarded listener: every path that it has, and who may use it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::sync::Semaphore;

pub use crate::shared::{Offered, SetLogLevel, Taking};

use crate::board::Board;
use crate::error::ConsoleError;
use crate::guard::{self, Guard};
use crate::problem::Problem;
use crate::reads::Reads;
use crate::server::{self, ConnectionLimits};
use crate::settings::ConsoleSettings;
use crate::shared::Shared;
use crate::tls::Identity;
use crate::tokens::Scope;
use crate::{admin, api, customers, events, kpis, page, partitions, redirect, signals, timeline};

/// Timelines that are looked up at once: each looks through a stretch of the journal, which takes memory. Others wait.
const MAX_TIMELINES: usize = 2;

/// Serves until the process ends, and tells where.
///
/// # Errors
///
/// When it cannot listen there, or its certificate or key cannot be used.
pub fn serve(settings: ConsoleSettings, offered: Offered) -> Result<SocketAddr, ConsoleError> {
    let limits = ConnectionLimits { connections: settings.max_connections, client_timeout: settings.request_timeout };
    let address = settings.address;
    let tls = settings.tls.as_ref().map(Identity::load).transpose()?;
    let requests = Arc::new(Semaphore::new(settings.max_concurrent_requests));
    let reads = Reads::new(settings.max_concurrent_requests);
    let timelines = Arc::new(Semaphore::new(MAX_TIMELINES));
    let shared = Arc::new(Shared { offered, board: Board::default(), requests, reads, timelines, settings });
    server::start("console", address, routes(&shared), limits, tls)
}

/// The paths.
pub(crate) fn routes(shared: &Arc<Shared>) -> Router {
    let reading = Router::new()
        .route("/v1/customers", get(customers::list))
        .route("/v1/customers/{id}", get(customers::one))
        .route("/v1/customers/{id}/timeline", get(timeline::of))
        .route("/v1/signals", get(signals::list))
        .route("/v1/kpis", get(kpis::now))
        .route("/v1/partitions", get(partitions::list))
        .route_layer(from_fn(redirect::to_owner));
    let writing = Router::new().route("/v1/events", post(events::take));
    let administration = Router::new()
        .route("/v1/admin/pause", post(admin::pause))
        .route("/v1/admin/resume", post(admin::resume))
        .route("/v1/admin/log-level", post(admin::log_level));
    let open = Router::new()
        .route("/", get(page::index))
        .route("/console.js", get(page::script))
        .route("/console.css", get(page::style))
        .route("/v1/openapi.json", get(async || Json(api::document())));
    let guarded =
        |routes: Router<Arc<Shared>>, scope| routes.route_layer(from_fn_with_state(Guard { shared: shared.clone(), scope }, guard::token));
    let all = guarded(reading, Scope::Read).merge(guarded(writing, Scope::Write)).merge(guarded(administration, Scope::Admin)).merge(open);
    all.fallback(async || Problem::not_found("path", "there is nothing at this path"))
        .method_not_allowed_fallback(async || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this path does not take this method"))
        .layer(DefaultBodyLimit::max(shared.settings.max_body_bytes))
        .layer(from_fn_with_state(shared.clone(), guard::limits))
        .with_state(shared.clone())
}
