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

use crate::error::ConsoleError;
use crate::server::{self, ConnectionLimits};

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Scrapers and probes are few and quick.
const LIMITS: ConnectionLimits = ConnectionLimits { connections: 64, head_timeout: Duration::from_secs(10) };

/// Serves until the process ends, and tells where. `stop` is the word to stop: from then on the process is not ready.
///
/// # Errors
///
/// When it cannot listen there.
pub fn serve(address: SocketAddr, metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> Result<SocketAddr, ConsoleError> {
    server::start("metrics", address, routes(metrics.clone(), stop.clone()), LIMITS)
}

fn routes(metrics: Arc<Metrics>, stop: Arc<AtomicBool>) -> Router {
    let rendered = metrics.clone();
    let render = move || {
        let text = rendered.render();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text) }
    };
    let ready = move || {
        let answer = readiness(&metrics, &stop);
        async move { answer }
    };
    Router::new().route("/metrics", get(render)).route("/livez", get(async || "alive\n")).route("/readyz", get(ready))
}

fn readiness(metrics: &Metrics, stop: &AtomicBool) -> (StatusCode, &'static str) {
    if stop.load(Ordering::Relaxed) {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else if metrics.readers.are_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "restoring\n")
    }
}
