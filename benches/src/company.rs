//! A simulated company: made by the binary, read through the engine as the product beside Kafka would, and what came of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bellwether_backtest::stories::{Company, Episode, Truth};
use bellwether_codec::event::Decoder;
use bellwether_codec::timestamp::parse_time;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::{Output, Transition};
use bellwether_engine::time::{HOUR_MS, Time};
use bellwether_live::kafka::{Arrivals, SilentAfter, arrival_families, is_silent};

/// What the binary tells about a company that it has made.
#[derive(Debug, serde::Deserialize)]
pub struct Totals {
    /// Lines.
    pub events: u64,
    /// Subscriptions that ended.
    pub ended: u32,
    /// The outage of one source.
    pub outage: Option<Outage>,
}

/// A source that delivered nothing for a while.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Outage {
    /// Its name.
    pub source: String,
    /// The first day.
    pub from: String,
    /// The day after the last.
    pub until: String,
}

/// Makes a company in a directory, with the binary beside this program.
///
/// # Errors
///
/// When the binary is not there, or fails.
pub fn make(customers: u32, months: u32, seed: u64, outage: bool, directory: &Path) -> Result<Totals, Box<dyn Error>> {
    let binary = std::env::current_exe()?.with_file_name("bellwether");
    let mut command = Command::new(&binary);
    command.args(["simulate", "--customers", &customers.to_string(), "--months", &months.to_string(), "--seed", &seed.to_string()]);
    command.arg("--out").arg(directory).stderr(Stdio::null());
    if !outage {
        command.arg("--no-outage");
    }
    let output = command.output().map_err(|error| format!("{}: {error}: build it first", binary.display()))?;
    if !output.status.success() {
        return Err(format!("{} simulate failed", binary.display()).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[derive(serde::Deserialize)]
struct Row {
    customer: String,
    story: String,
    start: String,
    decision: String,
    notice: String,
    end: String,
    upsell: String,
}

/// Reads `truth.csv` of a company.
///
/// # Errors
///
/// When it cannot be read.
pub fn truth(directory: &Path) -> Result<Company, Box<dyn Error>> {
    let mut company = Company::new();
    for row in csv::Reader::from_path(directory.join("truth.csv"))?.deserialize() {
        let row: Row = row?;
        let day = |text: &str| if text.is_empty() { Ok(None) } else { midnight(text).map(Some) };
        let truth = Truth {
            story: row.story,
            start: midnight(&row.start)?,
            decision: day(&row.decision)?,
            notice: day(&row.notice)?,
            end: day(&row.end)?,
            upsell: day(&row.upsell)?,
        };
        company.insert(row.customer, truth);
    }
    Ok(company)
}

/// The first instant of a date.
///
/// # Errors
///
/// When it is no date.
pub fn midnight(date: &str) -> Result<Time, Box<dyn Error>> {
    parse_time(&format!("{date}T00:00:00Z")).map_err(|error| format!("{date}: {error:?}").into())
}

/// What came of a company.
pub struct Read {
    /// The episodes of each rule set, in the order in which they were raised.
    pub episodes: Vec<Vec<Episode>>,
    /// Silences of sources that were told: source, from, until.
    pub silences: Vec<(String, Time, Option<Time>)>,
    /// The largest event time.
    pub log_end: Time,
    /// The customers at the end, under the first rule set.
    pub partition: Partition,
}

/// Folds the events of a company under each rule set. A source whose silence is told freezes the rules that need it, as beside Kafka; the
/// time of the latest event is the time of its arrival, as it is in files.
///
/// # Errors
///
/// When the events cannot be read.
///
/// # Panics
///
/// When no rule set is given.
pub fn read(directory: &Path, rule_sets: &[Arc<RuleSet>]) -> Result<Read, Box<dyn Error>> {
    let decoder = Decoder::default();
    let mut folds: Vec<Fold> = rule_sets.iter().map(Fold::new).collect();
    let mut sources = Sources::default();
    let mut watermark = Time::MIN;
    let mut reader = BufReader::new(zstd::Decoder::new(File::open(directory.join("events.jsonl.zst"))?)?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let event = decoder.decode_text(line.trim_end()).map_err(|rejection| format!("{}: {line}", rejection.detail))?;
        watermark = watermark.max(event.time);
        for (source, is_silent) in sources.changes(watermark) {
            for fold in &mut folds {
                fold.tell(&sources, &source, is_silent);
            }
        }
        sources.note(&event.source, event.event_type().family(), watermark);
        let (key, identity) = (CustomerKey::of(&event.customer), event.identity());
        let record = Record { watermark, payload: Payload::Event { event: &event, key, identity } };
        for fold in &mut folds {
            fold.apply(&record);
        }
        line.clear();
    }
    let episodes = folds.iter_mut().map(|fold| std::mem::take(&mut fold.episodes)).collect();
    let partition = folds.swap_remove(0).partition;
    Ok(Read { episodes, silences: sources.told, log_end: watermark, partition })
}

/// One rule set at work.
struct Fold {
    partition: Partition,
    outputs: Vec<Output>,
    episodes: Vec<Episode>,
    open: BTreeMap<(Box<str>, String, Box<str>), usize>,
}

impl Fold {
    fn new(rules: &Arc<RuleSet>) -> Self {
        let partition = Partition::new(rules.clone(), Header::default());
        Self { partition, outputs: Vec::new(), episodes: Vec::new(), open: BTreeMap::new() }
    }

    fn apply(&mut self, record: &Record<'_>) {
        self.partition.apply(record, &mut u64::MAX.clone(), &mut self.outputs);
        self.take_outputs();
    }

    fn tell(&mut self, sources: &Sources, source: &str, is_silent: bool) {
        if is_silent {
            self.partition.source_silent(source, arrival_families([&sources.known[source].arrivals].into_iter()));
        } else if self.partition.source_resumed(source) {
            let mut keys: Vec<CustomerKey> = self.partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
            keys.sort_unstable();
            keys.into_iter().for_each(|key| assert_eq!(self.partition.review_now(key, &mut self.outputs), Progress::Done));
            self.take_outputs();
        }
    }

    fn take_outputs(&mut self) {
        for output in self.outputs.drain(..) {
            let Output::Signal(signal) = output else { continue };
            let key = (signal.customer.clone(), signal.rule.name.clone(), signal.object.clone());
            match signal.transition {
                Transition::Raised => {
                    self.open.insert(key, self.episodes.len());
                    self.episodes.push(Episode {
                        customer: signal.customer.to_string(),
                        rule: signal.rule.name.clone(),
                        kind: signal.rule.kind,
                        raised: signal.time,
                        ended: None,
                    });
                }
                Transition::Cleared | Transition::Expired | Transition::Resolved => {
                    if let Some(index) = self.open.remove(&key) {
                        self.episodes[index].ended = Some(signal.time);
                    }
                }
                Transition::Escalated | Transition::Eased | Transition::Reminded => {}
            }
        }
    }
}

/// What is known of the sources.
#[derive(Default)]
struct Sources {
    known: BTreeMap<String, Source>,
    looked_at: Option<Time>,
    told: Vec<(String, Time, Option<Time>)>,
}

#[derive(Default)]
struct Source {
    arrivals: Arrivals,
    is_silent: Option<bool>,
}

impl Sources {
    fn note(&mut self, source: &str, family: bellwether_engine::event_type::Family, arrival: Time) {
        if !self.known.contains_key(source) {
            self.known.insert(source.to_owned(), Source::default());
        }
        if let Some(known) = self.known.get_mut(source) {
            known.arrivals.note(arrival, SilentAfter::Auto);
            known.arrivals.note_family(family);
        }
    }

    /// Once an hour: sources that have fallen silent or resumed.
    fn changes(&mut self, now: Time) -> Vec<(String, bool)> {
        if self.looked_at.is_some_and(|before| now.since_ms(before) < HOUR_MS) {
            return Vec::new();
        }
        self.looked_at = Some(now);
        let mut changes = Vec::new();
        for (name, source) in &mut self.known {
            let before = source.is_silent;
            let Some(silent) = is_silent(SilentAfter::Auto, before, [(&source.arrivals, now)].into_iter()) else { continue };
            source.is_silent = Some(silent);
            if silent == before.unwrap_or_default() {
                continue;
            }
            changes.push((name.clone(), silent));
            if silent {
                self.told.push((name.clone(), now, None));
            } else if let Some(last) = self.told.iter_mut().rev().find(|told| told.0 == *name) {
                last.2 = Some(now);
            }
        }
        changes
    }
}
