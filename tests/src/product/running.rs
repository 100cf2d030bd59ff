//! An instance of the product as a process.

use std::process::{Child, Command, ExitStatus};

/// An instance that runs; it is killed when it is dropped.
pub struct Running(pub(super) Child);

impl Running {
    /// Sends it a signal, by the name that `kill` knows.
    ///
    /// # Panics
    ///
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.0.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "SIG{name} can be sent");
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it at once, and waits for its end.
    ///
    /// # Panics
    ///
    /// When there is nothing to wait for.
    pub fn kill(mut self) {
        self.0.kill().and_then(|()| self.0.wait().map(|_| ())).expect("it can be killed");
    }

    /// Ends it in good order, and gives its exit code.
    ///
    /// # Panics
    ///
    /// When there is nothing to wait for.
    #[must_use]
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        self.0.wait().expect("it can be waited for").code()
    }

    /// How it has ended, if it has: with a code, or by a signal.
    ///
    /// # Panics
    ///
    /// When the system does not tell.
    #[must_use]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("the system tells")
    }
}

impl From<Child> for Running {
    fn from(child: Child) -> Self {
        Self(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
