//! `GET /metrics` and `GET /livez`, on a listener and a thread of their own. There is no customer data here.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bellwether_live::metrics::Metrics;

use crate::failure::Failure;

/// Where metrics are served when nothing else is said: this machine only.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:9464";

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes metrics down as they are now.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;

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

/// Serves metrics until the process ends, and tells where; nothing when they are off.
pub fn serve(address: &MetricsAddress, metrics: &Arc<Metrics>) -> Result<Option<SocketAddr>, Failure> {
    match address {
        MetricsAddress::Off => Ok(None),
        MetricsAddress::At(address) => {
            let metrics = Arc::clone(metrics);
            start(*address, Arc::new(move || metrics.render())).map(Some).map_err(|error| Failure::Run(unavailable(*address, &error)))
        }
    }
}

/// Serves other metrics than those of a run.
pub fn serve_text(address: &MetricsAddress, render: Render) -> Result<Option<SocketAddr>, Failure> {
    match address {
        MetricsAddress::Off => Ok(None),
        MetricsAddress::At(address) => start(*address, render).map(Some).map_err(|error| Failure::Run(unavailable(*address, &error))),
    }
}

/// The same on the default address, or on any free port if that is taken.
pub fn serve_somewhere(metrics: &Arc<Metrics>) -> Result<SocketAddr, Failure> {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let default = DEFAULT_ADDRESS.parse().unwrap_or(any_port);
    let metrics = Arc::clone(metrics);
    let render: Render = Arc::new(move || metrics.render());
    let started = start(default, Arc::clone(&render)).or_else(|_| start(any_port, render));
    started.map_err(|error| Failure::Run(unavailable(any_port, &error)))
}

fn start(address: SocketAddr, render: Render) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name("metrics".into()).spawn(move || {
        if let Err(error) = runtime.block_on(answer(listener, render)) {
            tracing::error!(%error, "metrics are no longer served");
        }
    })?;
    Ok(bound)
}

async fn answer(listener: TcpListener, render: Render) -> io::Result<()> {
    let render = move || {
        let text = render();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text) }
    };
    let routes = Router::new().route("/metrics", get(render)).route("/livez", get(async || "alive\n"));
    axum::serve(tokio::net::TcpListener::from_std(listener)?, routes).await
}

fn unavailable(address: SocketAddr, error: &io::Error) -> String {
    let cause = match error.kind() {
        io::ErrorKind::AddrInUse if address.to_string() == DEFAULT_ADDRESS => {
            ": the address is taken, perhaps by another instance of bellwether".to_owned()
        }
        io::ErrorKind::AddrInUse => ": the address is taken".to_owned(),
        _ => format!(": {error}"),
    };
    format!("cannot serve metrics on {address}{cause}. Give another one by --metrics HOST:PORT (port 0 takes any), or --metrics off")
}
