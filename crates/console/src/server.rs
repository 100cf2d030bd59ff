//! One listener on a thread of its own, with limits that slow and many clients run into.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::error::ConsoleError;
use crate::tls::Identity;

/// Threads that read the store for requests at most.
const MAX_READING_THREADS: usize = 4;

/// The head of a request, and what of a body is buffered at once, bytes.
const MAX_BUFFER_BYTES: usize = 32 * 1024;

/// Headers of a request.
const MAX_HEADERS: usize = 64;

/// How long the listener waits after it could not accept, as when the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener lets happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    /// Connections at once; further ones wait in the queue of the operating system.
    pub connections: usize,
    /// How long a client may take to send the head of a request, or let an answer wait without taking any of it; so long, too, may a connection
    /// be idle.
    pub client_timeout: Duration,
}

/// Serves until the process ends, and tells where; with TLS, nobody who does not speak it.
pub(crate) fn start(
    name: &'static str,
    address: SocketAddr,
    routes: Router,
    limits: ConnectionLimits,
    tls: Option<Identity>,
) -> Result<SocketAddr, ConsoleError> {
    let failed = |error| ConsoleError::listening(address, error);
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(MAX_READING_THREADS).build().map_err(failed)?;
    let listen = move || {
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    let tls = tls.map(Arc::new);
                    if let Some(tls) = &tls {
                        tokio::spawn(tls.clone().look_after());
                    }
                    accept(listener, routes, limits, tls).await;
                }
                Err(error) => tracing::error!(%error, listener = name, "nothing is served"),
            }
        });
    };
    thread::Builder::new().name(name.into()).spawn(listen).map_err(failed)?;
    Ok(bound)
}

async fn accept(listener: tokio::net::TcpListener, routes: Router, limits: ConnectionLimits, tls: Option<Arc<Identity>>) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Who asks and does not read would otherwise keep its connection for good.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.client_timeout));
        let stream = Box::pin(stream);
        let (routes, tls) = (routes.clone(), tls.as_ref().map(|tls| tls.acceptor()));
        tokio::spawn(async move {
            match tls {
                None => serve(stream, routes, limits).await,
                // Who is slow here takes up a connection as much as who is slow with a head.
                Some(tls) => match tokio::time::timeout(limits.client_timeout, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(stream, routes, limits).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection did not come to speak TLS"),
                    Err(_) => tracing::debug!("a connection took too long to come to speak TLS"),
                },
            }
            drop(permit);
        });
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, routes: Router, limits: ConnectionLimits) {
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(limits.client_timeout).max_headers(MAX_HEADERS).max_buf_size(MAX_BUFFER_BYTES);
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
