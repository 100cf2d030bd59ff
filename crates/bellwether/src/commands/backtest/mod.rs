//! `bellwether backtest`: what rules would have said about a log, and how right they would have been.

mod arguments;
mod observations;
mod text;

use std::env::temp_dir;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use bellwether_backtest::evaluate::{Evaluated, EvaluationOptions, MIN_CHURNS, Side, evaluate};
use bellwether_backtest::gate::{Gate, Judgement};
use bellwether_backtest::outcomes::{Outcomes, read_outcomes};
use bellwether_backtest::pass::{Pass, PassOptions, observe_files};
use bellwether_backtest::plan::{Plan, Sweep};
use bellwether_backtest::replay::{ReplayOptions, Sink, all_processors};
use bellwether_backtest::report::{CONTRACT, Report};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::settings::Settings;

pub use arguments::{Arguments, ChurnTime, parse_length};

use super::replay_journal;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::ingest_clock;
use crate::progress::Progress;
use crate::replay_sink::{Filter, ReplaySink};
use crate::rule_text::RuleText;
use crate::sizes::count;
use crate::stop::flag_of_signals;
use crate::terminal::{print, tell};

/// Seed of the bootstrap: the same log has the same intervals.
const SEED: u64 = 1;

/// Of `--memory`, for the states of customers; the rest is for what is observed of them, and for its evaluation.
const STATES_SHARE_PERCENT: u64 = 40;

/// What the state of a customer with every kind of event takes in memory, with its timer and its place in the index.
const STATE_BYTES: u64 = 10_240;

/// Evaluates the rules, and writes the reports.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if arguments.schema {
        print(&pretty(&CONTRACT.schema())?)?;
        return Ok(Outcome::Done);
    }
    let outcomes = arguments.outcomes.as_deref().map(outcomes).transpose()?;
    let ours = Rules::read(arguments.rules.as_deref(), arguments.sweep.clone())?;
    let options = options(arguments, &ours.file.settings)?;
    let gates = arguments.fail_if.iter().map(|text| gate(text, &ours.file)).collect::<Result<Vec<Gate>, Failure>>()?;
    if let Some((gate, figure)) = gates.iter().find_map(|gate| Some((gate, gate.compared()?))).filter(|_| arguments.baseline.is_none()) {
        return Err(Failure::Usage(format!(
            "--fail-if '{}': `{figure}` compares with another rule file: name it with --baseline",
            gate.source()
        )));
    }
    let theirs = arguments.baseline.as_deref().map(|path| Rules::read(Some(path), None)).transpose()?;
    let pass = pass(arguments, &ours, theirs.as_ref())?;
    if let Some(detour) = detour(&pass) {
        tell(&format!("note: there are more customers than fit into memory, so that {detour}; --memory makes more room"));
    }
    let their_side = theirs.as_ref().zip(pass.observed.get(1)).map(|(rules, observed)| rules.side(observed));
    let Some(observed) = pass.observed.first() else { return Err(Failure::Run("nothing was observed".to_owned())) };
    let evaluated = evaluate(pass.log, pass.refused, &ours.side(observed), their_side.as_ref(), outcomes.as_ref(), &options);
    write(arguments, &evaluated, &pass)?;
    Ok(Outcome::of(judge(&gates, &evaluated.report) | pass.broke_off | pass.log.is_partial))
}

/// How to evaluate: as the rule file says, unless the arguments say otherwise.
fn options(arguments: &Arguments, settings: &Settings) -> Result<EvaluationOptions, Failure> {
    let of_file = EvaluationOptions::of(settings, SEED);
    let options = EvaluationOptions {
        horizon_ms: arguments.horizon.unwrap_or(of_file.horizon_ms),
        min_lead_ms: arguments.min_lead.unwrap_or(of_file.min_lead_ms),
        churn_at: arguments.churn_at.map_or(of_file.churn_at, Into::into),
        from: arguments.from,
        ..of_file
    };
    if options.horizon_ms < options.min_lead_ms {
        return Err(Failure::Usage("--horizon must not be shorter than --min-lead".to_owned()));
    }
    Ok(options)
}

/// A rule file with what a backtest makes of it.
struct Rules {
    name: String,
    file: RuleFile,
    plan: Plan,
}

impl Rules {
    fn read(path: Option<&Path>, sweep: Option<Sweep>) -> Result<Self, Failure> {
        let text = RuleText::read(path)?;
        let file = text.parse()?;
        let plan = Plan::new(&file, sweep).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { name: text.name, file, plan })
    }

    fn side<'s>(&'s self, observed: &'s bellwether_backtest::observe::Observed) -> Side<'s> {
        Side {
            file: self.name.clone(),
            hash: format!("{:032x}", self.file.hash),
            rules: &self.plan.rules,
            observed,
            amber_from: self.file.settings.health.for_others().amber_from,
            sweep: self.plan.sweep.clone().map(|(sweep, current)| (sweep.rule, sweep.param, current, sweep.values)),
        }
    }
}

fn pass(arguments: &Arguments, ours: &Rules, theirs: Option<&Rules>) -> Result<Pass, Failure> {
    let stop = flag_of_signals()?;
    let plans = [Some(ours), theirs];
    let scratch = arguments.scratch.clone().unwrap_or_else(temp_dir);
    let options = PassOptions {
        rule_sets: plans.iter().flatten().map(|rules| rules.plan.rule_set.clone()).collect(),
        hidden: ours.plan.hidden.clone(),
        renders: arguments.signals.is_some(),
        features_every_ms: None,
        max_customers: (arguments.memory / 100 * STATES_SHARE_PERCENT / STATE_BYTES) as usize,
        scratch: &scratch,
        until: arguments.to,
        stop: &stop,
    };
    let mut sink = match arguments.signals.as_deref() {
        None => BacktestSink::Progress(Progress::start()),
        Some(path) if path == Path::new("-") => BacktestSink::Signals(ReplaySink::standard_output(Filter::default())),
        Some(path) => {
            let sink = ReplaySink::files(path, Filter::default()).map_err(|error| Failure::writing(path, &error))?;
            BacktestSink::Signals(sink)
        }
    };
    let pass = match &arguments.journal {
        Some(place) => replay_journal::observe(place, &arguments.range, arguments.config.as_deref(), &options, &mut sink)?,
        None => {
            let inputs = ReplayOptions {
                inputs: arguments.inputs.specs()?,
                decoder: arguments.inputs.decoder(environment::pseudonymiser()?),
                rules: ours.plan.rule_set.clone(),
                partitions: arguments.partitions,
                ingest_clock: ingest_clock(),
                threads: all_processors(),
            };
            observe_files(&inputs, &options, &mut sink)?
        }
    };
    if let (BacktestSink::Signals(sink), Some(path)) = (sink, arguments.signals.as_deref()) {
        sink.finish().map_err(|error| Failure::writing(path, &error))?;
    }
    Ok(pass)
}

/// What was done as the customers did not fit into memory.
fn detour(pass: &Pass) -> Option<String> {
    match pass.spilled_bytes {
        0 => (pass.reads > 1).then(|| format!("the journal was read {} times", pass.reads)),
        bytes => Some(format!("the log was spilled to {} MiB on disk", count(bytes.div_ceil(1 << 20)))),
    }
}

fn gate(text: &str, file: &RuleFile) -> Result<Gate, Failure> {
    let rules: Vec<&str> = file.rules.iter().map(|rule| rule.name.as_str()).collect();
    Gate::parse(text, &rules).map_err(|error| Failure::Usage(format!("--fail-if '{text}': {error}")))
}

/// Reads who left from a file.
pub fn outcomes(path: &Path) -> Result<Outcomes, Failure> {
    let wrong = |error: String| Failure::Usage(format!("cannot use the outcomes in {}: {error}", path.display()));
    read_outcomes(File::open(path).map_err(|error| wrong(error.to_string()))?).map_err(|error| wrong(error.to_string()))
}

fn write(arguments: &Arguments, evaluated: &Evaluated, pass: &Pass) -> Result<(), Failure> {
    let report = &evaluated.report;
    let mut has_output = arguments.signals.as_deref() == Some(Path::new("-"));
    if let Some(path) = &arguments.json {
        let json = pretty(report)?;
        if path == Path::new("-") {
            print(&json)?;
            has_output = true;
        } else {
            fs::write(path, json + "\n").map_err(|error| Failure::writing(path, &error))?;
        }
    }
    if let Some(path) = &arguments.html {
        let page = bellwether_backtest::html::render(report).map_err(|error| Failure::Run(error.to_string()))?;
        fs::write(path, page).map_err(|error| Failure::writing(path, &error))?;
    }
    if let Some(path) = &arguments.observations {
        let customers = pass.observed.first().map_or(&[][..], |observed| &observed.customers);
        observations::write(&evaluated.observations, customers, path).map_err(|error| Failure::writing(path, &error))?;
    }
    let text = text::in_words(report);
    // Data goes to standard output: the words do when nothing else does.
    if has_output {
        tell(&text)
    } else {
        print(&text)?
    }
    Ok(())
}

fn pretty(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(|error| Failure::Run(format!("the report is not JSON: {error}")))
}

/// Whether one of the gates objects.
fn judge(gates: &[Gate], report: &Report) -> bool {
    let mut objects = false;
    for gate in gates {
        let told = match gate.judge(report) {
            _ if report.partial => Some("cannot be judged on a part of the log".to_owned()),
            Judgement::Passes => None,
            Judgement::Fails(figures) => {
                let told: Vec<String> = figures.iter().map(|(name, value)| format!("{name} is {value:.4}")).collect();
                Some(told.join(", "))
            }
            Judgement::Unknown(names) => Some(format!("cannot be judged: this log gives no {}", names.join(", "))),
        };
        if let Some(told) = told {
            objects = true;
            tell(&format!("--fail-if '{}': {told}", gate.source()));
        }
    }
    if objects && report.overall.churns < MIN_CHURNS as u64 {
        tell(&format!("note that with fewer than {MIN_CHURNS} churns such figures say little"));
    }
    objects
}

/// Where signals go, if they go anywhere.
enum BacktestSink {
    Signals(ReplaySink),
    Progress(Progress),
}

impl Sink for BacktestSink {
    fn append(&mut self, rendered: &Rendered) -> io::Result<()> {
        match self {
            Self::Signals(sink) => sink.append(rendered),
            Self::Progress(_) => Ok(()),
        }
    }

    fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::Signals(sink) => sink.restart(),
            Self::Progress(_) => Ok(()),
        }
    }

    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64) {
        match self {
            Self::Signals(sink) => sink.progress(bytes_read, bytes_total, lines),
            Self::Progress(progress) => progress.show(bytes_read, bytes_total, lines),
        }
    }
}
