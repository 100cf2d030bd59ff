//! The page for people: three files within the binary. They have no customer data; the page asks for a token and for everything else.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

/// `GET /`
pub(crate) async fn index() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("page/console.html"))
}

/// `GET /console.js`
pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("page/console.js"))
}

/// `GET /console.css`
pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("page/console.css"))
}
