//! A proxy between clients and a broker that answers late, or hangs up instead of answering, to the requests of chosen kinds, or hands one on when
//! its client has long sent it again.
//!
//! It knows as much of Kafka's protocol as that takes: requests and answers are frames with a length before them, and a request begins with
//! its kind and a number that its answer begins with.

mod connection;
mod faults;
mod held;
mod lines;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

pub use faults::{Answers, Faults, Request};
use held::Held;
use lines::Lines;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

/// What the connections of a proxy have in common.
#[derive(Debug)]
struct Shared {
    target: u16,
    faults: Mutex<Faults>,
    lines: Mutex<Lines>,
    held: Held,
    is_over: AtomicBool,
}

impl Proxy {
    /// Listens on one port of the loopback interface, and hands everything on to another. It does no harm yet.
    ///
    /// # Panics
    ///
    /// When the port is taken.
    #[must_use]
    pub fn start(port: u16, target: u16, seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let (faults, lines) = (Mutex::new(Faults::new(seed)), Mutex::default());
        let shared = Arc::new(Shared { target, faults, lines, held: Held::default(), is_over: AtomicBool::new(false) });
        let for_thread = shared.clone();
        let listening = thread::spawn(move || listen(&listener, &for_thread));
        Self { port, shared, listening: Some(listening) }
    }

    /// Of so many answers one is late, and of so many another never comes, or a fourth of that where records are written; none, if the number
    /// is 0.
    pub fn misbehave(&self, late_one_in: u64, lost_one_in: u64) {
        self.shared.faults().misbehave(late_one_in, lost_one_in);
    }

    /// No request of this kind is answered from now on; all are again, if it is none.
    pub fn swallow(&self, request: Option<Request>) {
        self.shared.faults().swallow(request);
    }

    /// Holds the next request of this kind back, and hangs up on its client, which sends it again: [`Self::hand_on_before`] tells when it arrives.
    pub fn hold_back(&self, request: Request) {
        self.shared.held.want(request);
    }

    /// What is held back reaches the broker right before the next request of this kind, and is answered before that goes on.
    ///
    /// # Panics
    ///
    /// When nothing is held back.
    pub fn hand_on_before(&self, request: Request) {
        self.shared.held.until(request);
    }

    /// Whether the broker has had, and answered, the request that was held back last.
    #[must_use]
    pub fn was_late(&self) -> bool {
        self.shared.held.is_answered()
    }

    /// Hangs up on everybody, and on who comes, until [`Self::let_through`]: the broker knows nothing of it.
    ///
    /// Returns how many were connected.
    pub fn cut_off(&self) -> usize {
        self.shared.lines().cut()
    }

    /// Lets clients through again.
    pub fn let_through(&self) {
        self.shared.lines().mend();
    }

    /// What it did, for each kind of request.
    #[must_use]
    pub fn answers(&self) -> Vec<(Request, Answers)> {
        self.shared.faults().answers()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // It waits for a connection, and is given one.
        _ = TcpStream::connect(("127.0.0.1", self.port));
        _ = self.listening.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().expect("no holder panics")
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().expect("no holder panics")
    }
}

/// A client whose broker is down is hung up on, as it would be without a proxy.
fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        let Ok(client) = client else { continue };
        match TcpStream::connect(("127.0.0.1", shared.target)) {
            Ok(broker) => connection::serve(client, broker, shared),
            Err(_) => _ = client.shutdown(Shutdown::Both),
        }
    }
}
