//! The word to stop: the first signal asks for an orderly end, the second one ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::Failure;

/// The exit code after a second signal.
const KILLED: i32 = 130;

/// A flag that SIGTERM and SIGINT (Ctrl-C) set.
pub fn flag_of_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    register(&stop).map_err(|error| Failure::Run(format!("cannot listen for signals: {error}")))?;
    Ok(stop)
}

fn register(stop: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in [SIGTERM, SIGINT] {
        // The order counts: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, KILLED, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}
