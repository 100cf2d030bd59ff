//! Where metrics and probes are served, as it is given on the command line or in the configuration.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use bellwether_console::plain::Render;
use bellwether_console::{ConsoleError, plain};
use bellwether_live::metrics::Metrics;

use crate::failure::Failure;

/// Where metrics are served when nothing else is said: this machine only.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:9464";

/// Whether and where metrics are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricsAddress {
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

impl std::str::FromStr for MetricsAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let mut addresses =
            text.to_socket_addrs().map_err(|error| format!("{error}; write HOST:PORT, such as {DEFAULT_ADDRESS}, or off"))?;
        addresses.next().map(Self::At).ok_or_else(|| "no such host".to_owned())
    }
}

/// Serves metrics and probes until the process ends, and tells where; nothing when they are off.
pub fn serve(address: &MetricsAddress, metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> Result<Option<SocketAddr>, Failure> {
    match address {
        MetricsAddress::Off => Ok(None),
        MetricsAddress::At(address) => plain::serve(*address, metrics, stop).map(Some).map_err(|error| unavailable(&error)),
    }
}

/// Serves other metrics than those of a run.
pub fn serve_text(address: &MetricsAddress, render: Render) -> Result<Option<SocketAddr>, Failure> {
    match address {
        MetricsAddress::Off => Ok(None),
        MetricsAddress::At(address) => plain::serve_text(*address, render).map(Some).map_err(|error| unavailable(&error)),
    }
}

/// The same on the default address, or on any free port if that is taken.
pub fn serve_somewhere(metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> Result<SocketAddr, Failure> {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let default = DEFAULT_ADDRESS.parse().unwrap_or(any_port);
    plain::serve(default, metrics, stop).or_else(|_| plain::serve(any_port, metrics, stop)).map_err(|error| unavailable(&error))
}

fn unavailable(error: &ConsoleError) -> Failure {
    Failure::Run(format!(
        "metrics cannot be served: {error}. Give another address by --metrics HOST:PORT (port 0 takes any), or --metrics off"
    ))
}
