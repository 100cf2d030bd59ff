//! Refusals, as problem details (RFC 9457): what is wrong, whose fault it is by the status, and whether to come again by `Retry-After`.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of problem details.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// How long to wait before a request that was refused for now, seconds.
const RETRY_AFTER_SECONDS: u8 = 2;

/// Problem details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// Which problem it is; it does not change between versions.
    pub r#type: String,
    /// The same in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// The events that are refused, where events are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<RefusedEvent>,
    /// Where the same request is to be made; see `redirect`.
    #[serde(skip)]
    pub elsewhere: Option<Elsewhere>,
}

/// The address of the guarded listener to which a request belongs. It comes with an answer, for `redirect` to complete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere(pub Box<str>);

/// An event that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RefusedEvent {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The code of the reason, as in the dead letters.
    pub reason: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of a kind: the last part of its type.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:bellwether:problem:{kind}"),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            events: Vec::new(),
            elsewhere: None,
        }
    }

    /// What is asked for is wrong, or is not there.
    pub fn not_found(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, detail)
    }

    /// A query is none.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// Not now; the same request may be repeated.
    pub fn unavailable(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail)
    }

    /// Something failed that is not the client's fault; the cause is in the log.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request failed; the log of the process says why")
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let elsewhere = self.elsewhere.take();
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match status {
            StatusCode::SERVICE_UNAVAILABLE => _ = headers.insert(RETRY_AFTER, HeaderValue::from(u16::from(RETRY_AFTER_SECONDS))),
            StatusCode::UNAUTHORIZED => _ = headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => {}
        }
        if let Some(elsewhere) = elsewhere {
            response.extensions_mut().insert(elsewhere);
        }
        response
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is larger than `console.max_body` allows")
            }
            status => Self::new(status, "bad-body", rejection.body_text()),
        }
    }
}
