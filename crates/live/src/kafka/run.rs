//! A Kafka run: checks the journal, then starts the workers, each in its own thread, and waits for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_codec::event::Decoder;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::source::CustomerDirectory;
use bellwether_engine::time::Time;
use bellwether_kafka::Client;
use bellwether_store::{Store, StoreOptions};

use super::breaker::BreakerLimits;
use super::check::{Found, check_journal};
use super::connect::Connect;
use super::copying::Copier;
use super::erasures::ErasureReader;
use super::ingest::Ingest;
use super::learn::Learning;
use super::open::check_store;
use super::options::{Clock, IngestOptions, ProcessOptions, Topics, Turn, WriteBehind};
use super::owners::{Lookout, Owner};
use super::posted::{Intake, Writer};
use super::process::Processor;
use super::quarantine::{damaged_store, move_aside};
use super::rule_sets::RuleSets;
use super::safekeeping::{MAX_RECORDS_BEHIND, Safekeeping, Snapshots};
use super::sources::{Source, Sources};
use super::starts::check_inputs;
use crate::error::LiveError;
use crate::metrics::Metrics;
use crate::older_fold::drop_older_folds;
use crate::opening_store::open_store;
use crate::options::{BatchLimits, CompileRules, states_bytes, store_bytes};
use crate::pipeline;
use crate::snapshot::Repository;
use crate::state_event::StateEvent;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Both.
    All,
    /// Input topics into the journal.
    Ingest,
    /// The journal into signals.
    Process,
}

impl Role {
    /// The kinds of workers of such a process.
    fn workers(self) -> impl Iterator<Item = pipeline::Worker> {
        pipeline::Worker::ALL.into_iter().filter(move |worker| match worker {
            pipeline::Worker::Ingest => self != Role::Process,
            pipeline::Worker::Process => self != Role::Ingest,
        })
    }
}

/// Options of a Kafka run.
pub struct RunOptions {
    /// The clients.
    pub connect: Connect,
    /// What the process does.
    pub role: Role,
    /// Workers of each kind.
    pub workers: usize,
    /// The directory of the store.
    pub data: PathBuf,
    /// The most memory that the process is to take, bytes; a small one may be too little for the client's queues.
    pub memory_bytes: u64,
    /// Makes pseudonyms of user ids.
    pub pseudonymiser: Pseudonymiser,
    /// Whose users there are.
    pub directory: Option<Arc<CustomerDirectory>>,
    /// Compiles the rule sets of the journal.
    pub compile_rules: CompileRules,
    /// The real clock.
    pub clock: fn() -> Option<Time>,
    /// Events that come over HTTP, if they do.
    pub intake: Option<Intake>,
    /// Whether it looks who owns the partitions of other instances.
    pub looks_for_owners: bool,
    /// Where others find the guarded listener of this process, if they do.
    pub advertised_url: Option<String>,
}

type Work<'w> = Box<dyn FnOnce(&Arc<AtomicBool>) -> Result<(), LiveError> + Send + 'w>;

/// Runs until `stop` is set, or a worker has to give up: then all of them end in good order.
///
/// # Errors
///
/// That of the worker that gave up first. Nothing that was committed is lost, and the same command goes on from there.
pub fn run(options: &RunOptions, metrics: &Arc<Metrics>, stop: &AtomicBool) -> Result<(), LiveError> {
    options.role.workers().for_each(|worker| metrics.pipeline.begin(worker));
    let found = check_journal(&options.connect, &options.pseudonymiser)?;
    if options.role != Role::Process {
        let ingest = ingest_options(options, &found, &Arc::default())?;
        let checked = options.connect.ingest_lookup(ingest.sources.topics()).map_err(LiveError::from);
        match checked.and_then(|mut client| check_inputs(&mut client, &ingest)) {
            // The workers ask the same again, and are told more clearly what is wrong or not permitted.
            Err(LiveError::Kafka(error)) => tracing::debug!(%error, "what is committed of the inputs cannot be asked yet"),
            checked => checked?,
        }
    }
    if let Some(intake) = &options.intake {
        options.connect.admin()?.describe(&[&intake.topic])?;
    }
    loop {
        let ended = run_workers(options, &found, metrics, stop);
        let Some(reason) = ended.as_ref().err().and_then(damaged_store).filter(|_| !stop.load(Ordering::Relaxed)) else { return ended };
        move_aside(&options.data, &options.data.join(STORE), &reason)?;
        metrics.state_event(StateEvent::StoreMovedAside);
    }
}

/// The directory of the store within the data directory, and that of files on the way of snapshots.
const STORE: &str = "state";
const SCRATCH: &str = "snapshot-scratch";

/// Runs until `stop` is set or a worker gives up. Then nothing has the store open any more.
fn run_workers(options: &RunOptions, found: &Found, metrics: &Arc<Metrics>, stop: &AtomicBool) -> Result<(), LiveError> {
    let over = Arc::new(AtomicBool::new(false));
    let connect = &options.connect.until(&over);
    let mut work: Vec<(String, Work<'_>)> = Vec::new();
    let mut shared = None;
    if let Some(intake) = &options.intake {
        let write = move |stop: &Arc<AtomicBool>| {
            let client = connected(stop, || connect.posting_client())?;
            client.map_or(Ok(()), |client| Writer::new(client, intake, turn(options), stop).run(stop))
        };
        work.push(("posted".to_owned(), Box::new(write)));
    }
    if options.role == Role::Ingest {
        metrics.readers.stateless();
    }
    if options.role != Role::Process {
        work.extend(ingest_work(options, connect, metrics, ingest_options(options, found, &over)?));
    }
    if options.role != Role::Ingest {
        let memory_bytes = store_bytes(options.memory_bytes);
        let store = Arc::new(open_store(&options.data.join(STORE), &StoreOptions { memory_bytes })?);
        // Before anything is taken into it.
        check_store(&store, &options.connect.topics().journal, &found.created)?;
        drop_older_folds(&store)?;
        metrics.opened(&store, found.created.partitions, options.workers);
        let rule_sets = Arc::new(RuleSets::new(options.compile_rules.clone()));
        let process = process_options(options, found, snapshots(options)?, &over);
        if process.safekeeping.snapshots.is_some() {
            let mut copier = Copier::new(store.clone(), process.safekeeping.clone(), found.created.journal.clone(), metrics.clone());
            let clock = clock(options);
            work.push((
                "snapshots".to_owned(),
                Box::new(move |stop| {
                    copier.run(&clock, stop);
                    Ok(())
                }),
            ));
        }
        if options.looks_for_owners {
            let (partitions, metrics) = (connect.journal_partitions(found.created.partitions), metrics.clone());
            work.push((
                "owners".to_owned(),
                Box::new(move |stop| {
                    let client = connected(stop, || connect.owners_lookup())?;
                    client.map_or(Ok(()), |client| Lookout::new(client, partitions, connect.instance(), metrics, stop).run(stop))
                }),
            ));
        }
        shared = Some(store.clone());
        for worker in 0..options.workers {
            let (store, rule_sets, process, metrics) = (store.clone(), rule_sets.clone(), process.clone(), metrics.clone());
            work.push((
                format!("process-{worker}"),
                Box::new(move |stop| {
                    let client = connected(stop, || connect.process_client(worker))?;
                    client.map_or(Ok(()), |client| Processor::new(client, store, rule_sets, process, metrics).run(stop))
                }),
            ));
        }
    }
    let ended = run_all(work, &over, stop);
    metrics.readers.closed();
    if let Some(store) = shared {
        await_restores(&store, ended.as_ref().is_err_and(|error| damaged_store(error).is_some()));
    }
    ended
}

/// The ingest workers, and who reads on whose users there are.
fn ingest_work<'w>(options: &RunOptions, connect: &'w Connect, metrics: &Arc<Metrics>, ingest: IngestOptions) -> Vec<(String, Work<'w>)> {
    let learning = Arc::new(Learning::new(options.directory.as_ref()));
    let mut work: Vec<(String, Work<'w>)> = Vec::new();
    if learning.is_wanted() {
        let (learning, partitions) = (learning.clone(), ingest.journal_partitions);
        work.push(("learning".to_owned(), Box::new(move |stop| learning.follow(connect, partitions, stop))));
    }
    for worker in 0..options.workers {
        let (ingest, metrics) = (IngestOptions { ticks: worker == 0, ..ingest.clone() }, metrics.clone());
        let learning = learning.clone();
        work.push((
            format!("ingest-{worker}"),
            Box::new(move |stop| {
                learning.once(connect, ingest.journal_partitions, stop)?;
                let client = connected(stop, || connect.ingest_client(worker, ingest.sources.topics()))?;
                client.map_or(Ok(()), |client| Ingest::new(client, ingest, metrics).run(stop))
            }),
        ));
    }
    work
}

/// A restore may be under way, in a thread that belongs to nobody. It changes nothing that is not whole, but it has the store open.
fn await_restores(store: &Arc<Store>, is_damaged: bool) {
    let asked_to_stop = Instant::now();
    while Arc::strong_count(store) > 1 && (is_damaged || asked_to_stop.elapsed() < LAST_WAIT) {
        thread::sleep(STOP_INTERVAL);
    }
}

/// How long the end of a run waits for restores that are under way.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Where snapshots are kept, if they are.
fn snapshots(options: &RunOptions) -> Result<Option<Snapshots>, LiveError> {
    let Some(settings) = &options.connect.settings().snapshots else { return Ok(None) };
    Ok(Some(Snapshots {
        repository: Repository::create(&settings.to)?,
        scratch: options.data.join(SCRATCH),
        every: Duration::from_millis(u64::try_from(settings.every_ms).unwrap_or(u64::MAX)),
        keep: settings.keep,
        max_records_behind: MAX_RECORDS_BEHIND,
    }))
}

/// Starts every piece of work in a thread of its own. The first that fails sets `over`, which ends the others.
fn run_all<'w>(work: Vec<(String, Work<'w>)>, over: &Arc<AtomicBool>, stop: &AtomicBool) -> Result<(), LiveError> {
    let run = |work: Work<'w>| {
        // However the work ends, a panic included, the others are to end too.
        let _end = SetOnDrop(over);
        match work(over) {
            Err(LiveError::Stopped) => Ok(()),
            ended => ended,
        }
    };
    thread::scope(|scope| {
        let run = &run;
        let mut workers = Vec::with_capacity(work.len());
        for (name, work) in work {
            workers.push(thread::Builder::new().name(name).spawn_scoped(scope, move || run(work)).expect("a thread can be started"));
        }
        while !over.load(Ordering::Relaxed) {
            if stop.load(Ordering::Relaxed) {
                over.store(true, Ordering::Relaxed);
            }
            thread::sleep(STOP_INTERVAL);
        }
        let results = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        results.fold(Ok(()), Result::and)
    })
}

/// How often the word to stop is looked for.
const STOP_INTERVAL: Duration = Duration::from_millis(20);

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client, as soon as the brokers answer; none if the process is to stop before.
fn connected<C: Client + 'static>(
    stop: &Arc<AtomicBool>,
    connect: impl Fn() -> Result<C, bellwether_kafka::KafkaError>,
) -> Result<Option<Box<dyn Client>>, LiveError> {
    let mut patience = super::patience::Patience::new(Turn::default().retry_wait, stop);
    while !stop.load(Ordering::Relaxed) {
        match connect() {
            Ok(client) => return Ok(Some(Box::new(client))),
            Err(error) if error.remedy.is_final() => return Err(error.into()),
            Err(error) => patience.wait(&error)?,
        }
    }
    Ok(None)
}

fn turn(options: &RunOptions) -> Turn {
    let commit_interval = Duration::from_millis(u64::try_from(options.connect.settings().commit_interval_ms).unwrap_or(100));
    Turn { commit_interval, ..Turn::default() }
}

fn topics(options: &RunOptions, found: &Found) -> Topics {
    let topics = options.connect.topics();
    Topics { max_letter_bytes: topics.max_letter_bytes.min(found.max_letter_bytes.unwrap_or(usize::MAX)), ..topics }
}

fn process_options(options: &RunOptions, found: &Found, snapshots: Option<Snapshots>, over: &Arc<AtomicBool>) -> ProcessOptions {
    let erasures = ErasureReader::new(options.connect.until(over).connection(), Decoder::new(options.pseudonymiser));
    ProcessOptions {
        group: options.connect.process_group(),
        topics: topics(options, found),
        created: found.created.clone(),
        owner: Some(Owner { instance: options.connect.instance().to_owned(), url: options.advertised_url.clone() }),
        signal_partitions: found.signal_partitions,
        decoder: Decoder::new(options.pseudonymiser),
        turn: turn(options),
        limits: BatchLimits::default(),
        write_behind: WriteBehind::default(),
        states_bytes: states_bytes(options.memory_bytes, options.workers),
        safekeeping: Arc::new(Safekeeping::new(snapshots).reading_erasures(erasures)),
        sources: options.connect.settings().sources.iter().map(|source| source.name.clone()).collect(),
        stop: over.clone(),
    }
}

fn ingest_options(options: &RunOptions, found: &Found, over: &Arc<AtomicBool>) -> Result<IngestOptions, LiveError> {
    let settings = options.connect.settings();
    let source = |source: &crate::config::SourceSettings| Source {
        name: source.name.clone(),
        topics: source.topics.iter().map(|topic| topic.as_str().to_owned()).collect(),
        decoder: source.decoder(options.pseudonymiser, options.directory.as_ref()),
        silent_after: source.silent_after,
    };
    let sources = Sources::new(settings.sources.iter().map(source).collect());
    let interval = |milliseconds: i64| Duration::from_millis(u64::try_from(milliseconds).unwrap_or(1_000));
    Ok(IngestOptions {
        group: options.connect.ingest_group(),
        topics: topics(options, found),
        journal: found.created.journal.clone(),
        journal_partitions: found.created.partitions,
        sources: sources.map_err(|error| LiveError::Settings(error.to_string()))?,
        turn: turn(options),
        watermark_interval: interval(settings.watermark_interval_ms),
        max_watermark_drift: interval(settings.max_watermark_drift_ms),
        tick_interval: interval(settings.journal.tick_interval_ms),
        ticks: true,
        breaker: BreakerLimits {
            ratio: settings.breaker.ratio,
            window: settings.breaker.window as usize,
            consecutive: settings.breaker.consecutive as usize,
        },
        clock: clock(options),
        stop: over.clone(),
    })
}

fn clock(options: &RunOptions) -> Clock {
    let clock = options.clock;
    Arc::new(move || clock().unwrap_or(Time::MIN))
}
