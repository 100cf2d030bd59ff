//! Where a replay puts its signals: into files as a live run does, or on standard output; all of them, or those of one customer or time.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bellwether_backtest::replay::Sink;
use bellwether_codec::rendered::{Rendered, SignalCounts};
use bellwether_codec::timestamp::parse_time;
use bellwether_engine::signal::Transition;
use bellwether_engine::time::Time;
use serde::Deserialize;

use crate::progress::Progress;

/// Which lines are wanted.
#[derive(Default)]
pub struct Filter {
    /// Those of this customer.
    pub customer: Option<String>,
    /// Those at or before this time.
    pub until: Option<Time>,
}

/// A sink for the lines that pass a filter.
pub struct ReplaySink {
    signals: Output,
    decisions: Option<Output>,
    kpis: Option<Output>,
    filter: Filter,
    counts: SignalCounts,
    progress: Progress,
}

/// A line of signals or decisions, as far as a filter and a count look at it.
#[derive(Deserialize)]
struct Line<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: &'a str,
    #[serde(borrow)]
    data: LineData<'a>,
}

#[derive(Deserialize)]
struct LineData<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
}

impl ReplaySink {
    /// Writes to a file, and decisions to `FILE.decisions` beside it.
    pub fn files(path: &Path, filter: Filter) -> io::Result<Self> {
        let mut decisions = path.to_owned().into_os_string();
        decisions.push(".decisions");
        let decisions = Some(Output::file(decisions.as_ref())?);
        Ok(Self { signals: Output::file(path)?, decisions, kpis: None, filter, counts: SignalCounts::new(), progress: Progress::start() })
    }

    /// Writes signals to standard output, and no decisions.
    pub fn standard_output(filter: Filter) -> Self {
        let signals = Output::new(Box::new(BufWriter::new(io::stdout())));
        Self { signals, decisions: None, kpis: None, filter, counts: SignalCounts::new(), progress: Progress::start() }
    }

    /// Writes daily records of KPIs to a file too: those of all customers, whatever the filter.
    pub fn with_kpis(self, path: &Path) -> io::Result<Self> {
        Ok(Self { kpis: Some(Output::file(path)?), ..self })
    }

    /// Sees to it that all is written, and counts what was.
    pub fn finish(mut self) -> io::Result<SignalCounts> {
        self.signals.writer.flush()?;
        self.decisions.iter_mut().chain(&mut self.kpis).try_for_each(|output| output.writer.flush())?;
        Ok(self.counts)
    }
}

impl Sink for ReplaySink {
    fn append(&mut self, rendered: &Rendered) -> io::Result<()> {
        if self.filter.customer.is_none() && self.filter.until.is_none() {
            rendered.counts.iter().for_each(|(key, count)| *self.counts.entry(key.clone()).or_default() += count);
            self.signals.write(&rendered.signals)?;
            return self.decisions.as_mut().map_or(Ok(()), |decisions| decisions.write(&rendered.decisions));
        }
        for line in lines(&rendered.signals) {
            if self.filter.count(line, &mut self.counts)? {
                self.signals.write(line)?;
            }
        }
        for line in lines(&rendered.decisions) {
            if self.filter.count(line, &mut self.counts)?
                && let Some(decisions) = &mut self.decisions
            {
                decisions.write(line)?;
            }
        }
        Ok(())
    }

    fn wants_kpis(&self) -> bool {
        self.kpis.is_some()
    }

    fn append_kpis(&mut self, lines: &[u8]) -> io::Result<()> {
        self.kpis.as_mut().map_or(Ok(()), |kpis| kpis.write(lines))
    }

    fn restart(&mut self) -> io::Result<()> {
        self.counts.clear();
        self.signals.restart();
        self.decisions.iter_mut().chain(&mut self.kpis).for_each(Output::restart);
        Ok(())
    }

    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64) {
        self.progress.show(bytes_read, bytes_total, lines);
    }
}

impl Filter {
    /// Whether a line passes; then it is counted.
    fn count(&self, line: &[u8], counts: &mut SignalCounts) -> io::Result<bool> {
        let line: Line<'_> = serde_json::from_slice(line)?;
        let is_of_customer = self.customer.as_ref().is_none_or(|customer| *customer == line.subject);
        let is_in_time = self.until.is_none_or(|until| parse_time(line.time).is_ok_and(|time| time <= until));
        let passes = is_of_customer && is_in_time;
        if passes {
            let name = line.r#type.strip_prefix("bellwether.signal.").and_then(|rest| rest.strip_suffix(".v1"));
            let transition = Transition::ALL.iter().map(|transition| transition.name()).find(|known| Some(*known) == name);
            *counts.entry((line.data.rule.into_owned(), transition.unwrap_or("decided"))).or_default() += 1;
        }
        Ok(passes)
    }
}

/// A destination that remembers how much it was given. A replay that starts again gives the same bytes up to where it was, so they are skipped.
struct Output {
    writer: Box<dyn Write>,
    written: u64,
    given: u64,
}

impl Output {
    fn file(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent)?;
        }
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        Ok(Self::new(Box::new(BufWriter::new(File::create(path).map_err(named)?))))
    }

    fn new(writer: Box<dyn Write>) -> Self {
        Self { writer, written: 0, given: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let known = self.written.saturating_sub(self.given).min(bytes.len() as u64);
        self.given += bytes.len() as u64;
        self.writer.write_all(&bytes[known as usize..])?;
        self.written = self.written.max(self.given);
        Ok(())
    }

    fn restart(&mut self) {
        self.given = 0;
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_that_starts_again_goes_on_in_the_file_where_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("made").join("signals.jsonl");
        let mut output = Output::file(&path).unwrap();
        output.write(b"one\ntwo\n").unwrap();
        output.restart();
        for line in ["one\n", "two\nthree\n", "four\n"] {
            output.write(line.as_bytes()).unwrap();
        }
        output.writer.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\nfour\n");
    }
}
