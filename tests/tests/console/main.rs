//! The HTTP listeners of a real run: every path, what they refuse, their document, and the page in a browser.

mod agreement;
mod beside_kafka;
mod events;
mod hostile;
mod limits;
mod log_level;
mod openapi;
mod page;
mod plain;
mod posted;
mod queries;
mod support;
mod tls;
mod unread;
