//! A real Kafka for tests: one JVM on the loopback interface, in a directory of its own, that can be stopped, killed, frozen and started again.

mod artefacts;
mod certificate;
mod process;
mod settings;
mod tools;

use std::fs;
use std::iter;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

pub use artefacts::cache;
use process::Process;
pub use tools::{class_path, tool};

/// A user of a secured broker who may do everything.
pub const USER: &str = "bellwether";

/// The password of [`USER`], which must not show up in any message.
pub const PASSWORD: &str = "correct-horse-battery";

/// A user of a secured broker who may do nothing; the password is the same.
pub const STRANGER: &str = "stranger";

/// How clients reach a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Plain,
    Secured,
}

/// A broker that runs, or is down for the moment. It is killed when it is dropped, and also when the test's process ends in any other way.
#[derive(Debug)]
pub struct Broker {
    directory: TempDir,
    access: Access,
    port: u16,
    inside: u16,
    mutual: u16,
    proxied: Proxied,
    process: Option<Process>,
}

/// The ports of a broker's second way in: clients that come there are told to connect to the first, behind which a proxy may stand.
#[derive(Clone, Copy, Debug)]
pub struct Proxied {
    /// The port that clients are told.
    pub told: u16,
    /// The port that the broker listens on.
    pub target: u16,
}

impl Broker {
    /// Starts a broker and waits until it answers.
    ///
    /// # Panics
    ///
    /// When Java or Kafka is missing and cannot be had, or the broker does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::new(Access::Plain)
    }

    /// Starts a broker that wants TLS and a password (`SASL_SSL`, SCRAM-SHA-512 or PLAIN): see [`USER`], [`STRANGER`] and [`Broker::certificate`]; or, at
    /// [`Broker::mutual`], a certificate of the client.
    ///
    /// # Panics
    ///
    /// As [`Broker::start`].
    #[must_use]
    pub fn start_secured() -> Self {
        Self::new(Access::Secured)
    }

    /// The one broker that the tests of a process share; they must use different names of topics, groups and transactions.
    ///
    /// # Panics
    ///
    /// As [`Broker::start`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn new(access: Access) -> Self {
        let directory = TempDir::with_prefix("bellwether-kafka-").expect("a temporary directory can be made");
        let [port, inside, mutual, controller, told, target] = free_ports();
        let proxied = Proxied { told, target };
        let home = directory.path();
        if access == Access::Secured {
            certificate::make(home);
        }
        fs::write(home.join("server.properties"), settings::server_properties(home, access, [port, inside, mutual, controller], proxied))
            .expect("the settings can be written");
        process::format(home, access);
        let mut broker = Self { directory, access, port, inside, mutual, proxied, process: None };
        broker.restart();
        broker
    }

    /// Where clients find it: host and port.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A way in without security, for whoever looks after the broker: there everything is allowed.
    #[must_use]
    pub fn inside(&self) -> String {
        format!("127.0.0.1:{}", self.inside)
    }

    /// Where clients of a secured broker come with a certificate of their own: see [`Broker::client_key_store`].
    #[must_use]
    pub fn mutual(&self) -> String {
        format!("127.0.0.1:{}", self.mutual)
    }

    /// Key and certificate of a client that may do everything, as PKCS #12, and the password, for `ssl.keystore.location`.
    #[must_use]
    pub fn client_key_store(&self) -> (PathBuf, &'static str) {
        (certificate::client_store(self.directory.path()), certificate::STORE_PASSWORD)
    }

    /// The ports for a [`Proxy`](crate::proxy::Proxy) in front of a broker without security.
    #[must_use]
    pub fn proxied(&self) -> Proxied {
        self.proxied
    }

    /// How often groups have given up members of this client, because they were silent for too long.
    ///
    /// # Panics
    ///
    /// When the broker's log cannot be read.
    #[must_use]
    pub fn members_given_up(&self, client: &str) -> usize {
        let log = fs::read(self.directory.path().join("broker.log")).expect("the log can be read");
        let log = String::from_utf8_lossy(&log);
        log.lines().filter(|line| line.contains(&format!("Member {client}")) && line.contains("has failed, removing it")).count()
    }

    /// The certificate of a secured broker, as PEM, for `ssl.ca.location`.
    ///
    /// # Panics
    ///
    /// When the broker is not secured.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        assert_eq!(self.access, Access::Secured);
        certificate::path(self.directory.path())
    }

    /// Stops it in an orderly way, and waits for its end.
    pub fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop();
        }
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same data and the same port, after [`Broker::stop`] or [`Broker::kill`]; a running one is killed first.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        self.process = Some(Process::start(self.directory.path()));
    }

    /// Freezes it: its connections stay, and nothing answers.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn suspend(&self) {
        self.process.as_ref().expect("the broker runs").signal("STOP");
    }

    /// Ends [`Broker::suspend`].
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn resume(&self) {
        self.process.as_ref().expect("the broker runs").signal("CONT");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports below the range from which the system takes those of outgoing connections: nobody else gets them while the broker is down. Each
/// process has a stretch of its own, as well as can be, and takes none twice.
fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 700).expect("it is small") * 30;
    let mut candidates = iter::repeat_with(|| first + TAKEN.fetch_add(1, Ordering::Relaxed) % 1000);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::array::from_fn(|_| candidates.find(is_free).expect("there is no end of them"))
}
