//! The section `forward` of the configuration: its fields with their defaults and meanings, and what is read from it.

mod read;
mod route;
mod tables;

pub use read::{ForwardSettings, read_forward};
pub use route::{DigestSettings, Filter, Header, RouteSettings, SecretFrom, Start};
pub use tables::FORWARD;
