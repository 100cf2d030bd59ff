//! `bellwether demo`: the embedded product at work on a small simulated company.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bellwether_codec::summary::Summary;
use bellwether_console::guarded::SetLogLevel;
use bellwether_live::embedded::{self, AfterFiles};
use bellwether_live::metrics::Metrics;
use bellwether_live::options::EmbeddedOptions;
use clap::Args;
use tempfile::TempDir;

use super::{open_table, run};
use crate::console_server::Run;
use crate::failure::{Failure, Outcome};
use crate::inputs::EventArguments;
use crate::metrics_server;
use crate::open_signals::OpenSignals;
use crate::progress::Progress;
use crate::rule_text::RuleText;
use crate::simulate::{EVENTS_FILE, Options, write_to_directory};
use crate::sizes::count;
use crate::stop;
use crate::summary_text;
use crate::terminal::{is_watched, print, tell};

/// The company of the demo.
const CUSTOMERS: u32 = 400;
const MONTHS: u32 = 18;
const SEED: u64 = 7;

/// How often somebody who does not watch is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Show bellwether at work on a small simulated company
///
/// Makes up 400 customers over 18 months, reads their events at full speed with the built-in rules, and shows the ten open signals that are most worth
/// acting on, with their reasons. Metrics are served meanwhile, and until Ctrl-C; then a page shows every customer, too.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether demo --exit")]
pub struct Arguments {
    /// End after the table, instead of serving metrics and the page until Ctrl-C
    #[arg(long)]
    exit: bool,

    /// Keep everything in this directory, which must be empty or new [default: a temporary one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the demo.
pub fn run(arguments: &Arguments, set_log_level: &SetLogLevel) -> Result<Outcome, Failure> {
    let stop = stop::flag_of_signals()?;
    let home = Home::new(arguments.data.as_deref())?;
    let metrics = Arc::new(Metrics::new());
    let address = metrics_server::serve_somewhere(&metrics, &stop)?;
    tell(&format!("metrics are at http://{address}/metrics"));
    tell(&format!("making up a company: {CUSTOMERS} customers, {MONTHS} months"));
    let company = home.path().join("company");
    let options = Options { customers: CUSTOMERS, months: MONTHS, seed: SEED, ..Options::default() };
    write_to_directory(&options, &company).map_err(|error| Failure::writing(&company, &error))?;
    let (summary, signals) = read_company(home.path(), &metrics, &stop)?;
    if stop.load(Ordering::Relaxed) {
        return Ok(Outcome::Done);
    }
    let most_valuable = signals.most_valuable();
    tell(&format!("\nThe most valuable of {} open signals:", count(signals.len() as u64)));
    print(&open_table::table(&most_valuable).to_string())?;
    tell(&format!("\n{}", summary_text::in_words(&summary)));
    if arguments.data.is_some() {
        tell(&format!("everything is in {}", home.path().display()));
    }
    if !arguments.exit {
        tell(&format!("\nmetrics stay up at http://{address}/metrics    Ctrl-C to stop"));
        Run { metrics: &metrics, stop: &stop, set_log_level, instance: None }.serve_somewhere()?;
        embedded::run_then(run_options(home.path())?, metrics.clone(), &stop, |_| {}, AfterFiles::Stay)?;
    }
    Ok(Outcome::Done)
}

/// Reads the events of the company as `run --once` does.
fn read_company(home: &Path, metrics: &Arc<Metrics>, stop: &AtomicBool) -> Result<(Summary, OpenSignals), Failure> {
    let signals_path = home.join(SIGNALS_FILE);
    let mut signals = OpenSignals::new(&signals_path);
    let mut teller = Teller::start();
    let summary = embedded::run(run_options(home)?, Arc::clone(metrics), stop, |status| {
        if let Err(error) = signals.read_on() {
            tracing::warn!(%error, "the signals file cannot be followed");
        }
        teller.show(status, &signals, metrics);
    })?;
    signals.read_on().map_err(|error| Failure::Run(format!("cannot read {}: {error}", signals_path.display())))?;
    Ok((summary, signals))
}

/// The file of signals within the directory of the demo.
const SIGNALS_FILE: &str = "signals.jsonl";

fn run_options(home: &Path) -> Result<EmbeddedOptions, Failure> {
    let inputs = EventArguments { events: vec![home.join("company").join(EVENTS_FILE)], skip_unknown_types: false };
    run::options_of(&inputs, &home.join("data"), home.join(SIGNALS_FILE), &RuleText::read(None)?)
}

/// Tells how far it is: on a terminal in one line that changes, else by a line now and then.
struct Teller {
    progress: Progress,
    started: Instant,
    told: Option<Instant>,
}

impl Teller {
    fn start() -> Self {
        Self { progress: Progress::start(), started: Instant::now(), told: None }
    }

    fn show(&mut self, status: &embedded::Status<'_>, signals: &OpenSignals, metrics: &Metrics) {
        let (_, customers, _) = metrics.status();
        let rate = status.events as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let raised: Vec<String> = signals.raised_by_kind().iter().map(|(kind, number)| format!("{kind} {}", count(*number))).collect();
        let raised = if raised.is_empty() { "none yet".to_owned() } else { raised.join(", ") };
        let (events, customers, rate) = (count(status.events), count(customers), count(rate as u64));
        let line = format!("{events} events ({rate}/s), {customers} customers, signals: {raised}");
        if is_watched() {
            self.progress.show_with(status.intake.bytes_read(), status.intake.bytes_total(), line);
        } else if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            tell(&line);
            self.told = Some(Instant::now());
        }
    }
}

/// The directory of the demo.
enum Home {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Home {
    fn new(given: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = given else {
            let made = tempfile::Builder::new().prefix("bellwether-demo-").tempdir();
            return made.map(Self::Temporary).map_err(|error| Failure::Run(format!("cannot make a temporary directory: {error}")));
        };
        fs::create_dir_all(path).map_err(|error| Failure::writing(path, &error))?;
        let mut entries = fs::read_dir(path).map_err(|error| Failure::writing(path, &error))?;
        if entries.next().is_some() {
            return Err(Failure::Usage(format!("{} is not empty: the demo begins afresh", path.display())));
        }
        Ok(Self::Kept(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(directory) => directory.path(),
            Self::Kept(path) => path,
        }
    }
}
