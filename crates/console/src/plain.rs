//! The plain listener: `GET /metrics`, `/livez` and `/readyz`. There is no customer data here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bellwether_live::metrics::Metrics;

use crate::admin::paused;
use crate::error::ConsoleError;
use crate::server::{self, ConnectionLimits};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Scrapers and probes are few and quick.
const LIMITS: ConnectionLimits = ConnectionLimits { connections: 64, client_timeout: Duration::from_secs(10) };

/// Serves until the process ends, and tells where. `stop` is the word to stop: from then on the process is not ready.
///
/// # Errors
///
/// When it cannot listen there.
pub fn serve(address: SocketAddr, metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> Result<SocketAddr, ConsoleError> {
    server::start("metrics", address, routes(metrics.clone(), stop.clone()), LIMITS, None)
}

/// Writes metrics down as they are now.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// The same for a process that is no run: it has metrics of its own, and is ready when it is alive.
///
/// # Errors
///
/// When it cannot listen there.
pub fn serve_text(address: SocketAddr, render: Render) -> Result<SocketAddr, ConsoleError> {
    let routes = alive(render).route("/readyz", get(async || "ready\n"));
    server::start("metrics", address, routes, LIMITS, None)
}

/// What every process has.
fn alive(render: Render) -> Router {
    let render = move || {
        let text = render();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text) }
    };
    Router::new().route("/metrics", get(render)).route("/livez", get(async || "alive\n"))
}

fn routes(metrics: Arc<Metrics>, stop: Arc<AtomicBool>) -> Router {
    let rendered = metrics.clone();
    let ready = move || {
        let answer = readiness(&metrics, &stop);
        async move { answer }
    };
    alive(Arc::new(move || rendered.render())).route("/readyz", get(ready))
}

/// Whoever is paused can still be asked, so it is ready; that it is paused is said.
fn readiness(metrics: &Metrics, stop: &AtomicBool) -> (StatusCode, String) {
    if stop.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    let (status, state) = if metrics.readers.are_ready() {
        (StatusCode::OK, "ready")
    } else {
        let waits = [(metrics.readers.are_closed(), "starting"), (metrics.readers.are_unassigned(), "unassigned")];
        (StatusCode::SERVICE_UNAVAILABLE, waits.iter().find(|(waits, _)| *waits).map_or("restoring", |(_, state)| *state))
    };
    let paused = paused(metrics);
    let text = if paused.is_empty() { format!("{state}\n") } else { format!("{state}; paused: {}\n", paused.join(", ")) };
    (status, text)
}
