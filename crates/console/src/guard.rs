//! What every request passes before its handler: limits, the host that it thinks it talks to, its token, and the headers of its answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::shared::Shared;
use crate::tokens::Scope;

/// The longest address of a request, bytes.
const MAX_URI_BYTES: usize = 4_096;

/// Nothing but the files of the page itself, and nobody may frame it.
const POLICY: &str = "default-src 'none'; img-src data:; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ANSWER_HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Limits of number, length and time, the host, and the headers of every answer.
pub(crate) async fn limits(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match limited(&shared, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    };
    for (name, value) in ANSWER_HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn limited(shared: &Shared, request: Request, next: Next) -> Result<Response, Problem> {
    let busy = |_| Problem::unavailable("busy", "too many requests are at work: see `console.max_concurrent_requests`");
    let _permit = shared.requests.clone().try_acquire_owned().map_err(busy)?;
    if request.uri().to_string().len() > MAX_URI_BYTES {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long", format!("the address has more than {MAX_URI_BYTES} bytes")));
    }
    if !shared.settings.tokens.guard(Scope::Read) {
        check_host(request.headers())?;
    }
    let timeout = shared.settings.request_timeout;
    let late = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", format!("it took longer than {} ms", timeout.as_millis()));
    tokio::time::timeout(timeout, next.run(request)).await.map_err(late)
}

/// Without tokens only this machine is served; a page of another site that has made its name point here is not.
fn check_host(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(name, _)| name);
    if matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
        return Ok(());
    }
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "host", "without tokens the host must be localhost, 127.0.0.1 or [::1]"))
}

/// The token of a scope.
#[derive(Clone)]
pub(crate) struct Guard {
    pub shared: Arc<Shared>,
    pub scope: Scope,
}

/// Lets a request pass that has a token for the scope, where one is needed.
pub(crate) async fn token(State(guard): State<Guard>, request: Request, next: Next) -> Result<Response, Problem> {
    let Guard { shared, scope } = guard;
    if shared.settings.tokens.guard(scope) {
        let Some(token) = bearer(request.headers()) else {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token-missing", "the request has no bearer token"));
        };
        if !shared.settings.tokens.allow(scope, token) {
            let detail = format!("the token is not good for this: it needs one of the scope {scope:?}");
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token-wrong", detail));
        }
    }
    Ok(next.run(request).await)
}

/// The one token of a request.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (first, None) = (all.next()?, all.next()) else { return None };
    let (scheme, token) = first.as_bytes().split_at_checked(7)?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
