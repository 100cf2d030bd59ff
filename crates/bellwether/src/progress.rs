//! A progress bar on standard error, for people who watch.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sizes::count;
use crate::terminal;

const KNOWN_LENGTH: &str = "{bar:30} {percent:>3} %  {msg}  {elapsed} of about {duration}";
const UNKNOWN_LENGTH: &str = "{spinner} {msg}  {elapsed}";

/// A bar that grows with the bytes read.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar, which is only seen on a terminal.
    pub fn start() -> Self {
        let target = if terminal::is_watched() { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        bar.set_style(style(UNKNOWN_LENGTH));
        Self { bar }
    }

    /// Shows how far the inputs are read, and how many lines that were.
    pub fn show(&self, bytes_read: u64, bytes_total: u64, lines: u64) {
        self.show_with(bytes_read, bytes_total, format!("{} events", count(lines)));
    }

    /// The same with words of one's own.
    pub fn show_with(&self, bytes_read: u64, bytes_total: u64, message: String) {
        if self.bar.is_hidden() {
            return;
        }
        if bytes_total > 0 && self.bar.length() != Some(bytes_total) {
            self.bar.set_length(bytes_total);
            self.bar.set_style(style(KNOWN_LENGTH));
        }
        self.bar.set_position(bytes_read);
        self.bar.set_message(message);
        self.bar.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
