//! How far the machine's processors are from each other, which says how much several threads can gain there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

/// Times that a cache line goes there and back.
const ROUNDS: u32 = 100_000;

/// From this on, in nanoseconds, two processors share no cache: those that do take 20 to 60.
pub const FAR_NS: f64 = 100.0;

/// How long a cache line takes from one processor to another, in nanoseconds: two threads write it in turns.
#[must_use]
pub fn between_processors_ns() -> f64 {
    let line = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| (0..ROUNDS).for_each(|round| take_turn(&line, 2 * round + 1)));
        let started = Instant::now();
        (0..ROUNDS).for_each(|round| take_turn(&line, 2 * round));
        started.elapsed().as_nanos() as f64 / f64::from(2 * ROUNDS)
    })
}

/// Waits for its turn, then gives it to the other.
fn take_turn(line: &AtomicU32, turn: u32) {
    while line.load(Ordering::Acquire) != turn {
        std::hint::spin_loop();
    }
    line.store(turn + 1, Ordering::Release);
}
