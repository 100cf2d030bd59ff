//! Requests that belong to another instance: redirected to the same path there.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Elsewhere, Problem};

/// Completes the answer of a handler that knows who has what was asked for. The path is that of the request as it was parsed, which has no
/// character that could end a header.
pub(crate) async fn to_owner(request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map(ToString::to_string);
    let mut response = next.run(request).await;
    let Some(Elsewhere(address)) = response.extensions_mut().remove::<Elsewhere>() else { return response };
    match HeaderValue::try_from(String::from(address) + path.as_deref().unwrap_or("/")) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}
