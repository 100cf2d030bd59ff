//! The arguments that name the events to read, and how to read them.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{InputProblem, InputSpec, IntakeError};
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::summary::Summary;
use bellwether_codec::timestamp::parse_date_or_time;
use bellwether_engine::time::Time;
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::sizes::count;
use crate::terminal::tell;

/// Arguments of every command that reads events.
#[derive(Args, Debug)]
pub struct EventArguments {
    /// Event files (.jsonl, .json, .zst, .gz; .parquet to judge and to replay), directories of such files, or `-` for standard input
    ///
    /// One event is one line of JSON. Several files are merged by the time of their events.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub events: Vec<PathBuf>,

    /// Leave events of unknown types out without writing them to the dead letters
    #[arg(long)]
    pub skip_unknown_types: bool,
}

impl EventArguments {
    /// The inputs. All that are missing are told at once, before anything is written.
    pub fn specs(&self) -> Result<Vec<InputSpec>, Failure> {
        if self.events.is_empty() {
            return Err(Failure::Usage("there is nothing to read: give --events PATH, or to `run` --follow DIR (see --help)".to_owned()));
        }
        let specs: Vec<InputSpec> = self.events.iter().map(|path| InputSpec::from(path.as_path())).collect();
        let mut problems = Vec::new();
        for spec in &specs {
            if let InputSpec::Path(path) = spec
                && let Err(error) = fs::metadata(path)
            {
                problems.push(InputProblem { input: path.display().to_string(), problem: error.to_string() });
            }
        }
        if problems.is_empty() { Ok(specs) } else { Err(IntakeError::Unreadable(problems).into()) }
    }

    /// How lines become events.
    pub fn decoder(&self, pseudonymiser: Pseudonymiser) -> Decoder {
        Decoder::new(pseudonymiser).skip_unknown_types(self.skip_unknown_types)
    }

    /// Whether standard input is among the inputs.
    pub fn has_standard_input(&self) -> bool {
        self.events.iter().any(|path| InputSpec::from(path.as_path()) == InputSpec::StandardInput)
    }
}

/// An instant as people give it on the command line.
pub fn parse_time_argument(text: &str) -> Result<Time, String> {
    parse_date_or_time(text).map_err(|error| format!("{error}; write 2026-03-01 or 2026-03-01T08:15:00Z"))
}

/// The real clock, against which events from the future are refused.
pub fn ingest_clock() -> Option<Time> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_millis()).ok().map(Time)
}

/// Whether an input ended in the middle of a record.
pub fn broke_off(summary: &Summary) -> bool {
    summary.rejected.contains_key(RejectReason::InputTruncated.code())
}

/// Lines that were refused against the wish of whoever runs this.
pub fn refused(summary: &Summary) -> u64 {
    let skipped = summary.rejected.get(RejectReason::SkippedType.code()).copied().unwrap_or_default();
    summary.rejected_total() - skipped
}

/// Whether most lines were refused for the time before them, which is a finding without `--strict` too: then it is not they that are wrong. Told here.
pub fn tell_of_dates(summary: &Summary) -> bool {
    let refused = summary.rejected.get(RejectReason::FutureDated.code()).copied().unwrap_or_default();
    let is_finding = refused > summary.events / 2;
    if is_finding {
        let (refused, events) = (count(refused), count(summary.events));
        tell(&format!(
            "{refused} of {events} lines were refused as dated in the future, or over a year after all before them. If a line at the beginning has too early a \
             time, such as one of 1970, take it out and begin anew with another --data directory; if the events are right, mend the clock of this machine"
        ));
    }
    is_finding
}

/// Tells of what was refused by a command that keeps nothing, and judges it: findings are an input that broke off, wrong dates, and, where that is
/// asked for, any refused line.
pub fn judge_read(summary: &Summary, strict: bool) -> Outcome {
    let refused = refused(summary);
    if refused > 0 {
        tell(&format!("{} lines were refused: `bellwether run` writes them to its dead letters, with their reasons", count(refused)));
    }
    if broke_off(summary) {
        tell("an input broke off in the middle: all up to there was taken in");
    }
    let has_wrong_dates = tell_of_dates(summary);
    Outcome::of(has_wrong_dates || broke_off(summary) || (strict && refused > 0))
}
