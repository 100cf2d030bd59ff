//! The forwarding as a whole: a thread for each route, until the word to stop.

use std::fs;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bellwether_live::kafka::Connect;

use crate::config::{ForwardSettings, RouteSettings, SecretFrom};
use crate::digest_route::DigestRoute;
use crate::error::ForwardError;
use crate::lanes::{Courier, Stop};
use crate::letters::Letters;
use crate::log_reader::LogReader;
use crate::metrics::ForwardMetrics;
use crate::route::Route;
use crate::signature::SigningKeys;
use crate::source::{FileSource, Source, TopicSource};
use crate::tracker::Tracker;
use crate::webhook::Webhook;

/// Where signals come from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A signals file.
    File(PathBuf),
    /// The signals topic.
    Topic(Box<Connect>),
}

/// What a forwarding is told.
pub struct ForwardOptions {
    /// The routes.
    pub settings: ForwardSettings,
    /// Where signals come from.
    pub origin: Origin,
    /// The directory of positions and dead letters.
    pub data: PathBuf,
    /// Ends when all signals that there are have been settled, and today's digests sent.
    pub once: bool,
}

/// How many messages there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken by receivers.
    pub delivered: u64,
    /// Written to the dead letters.
    pub dead: u64,
}

/// Runs all routes until `stop` is set, or with `once` until everything is settled. One that fails stops all.
///
/// # Errors
///
/// The first failure of a route: of a file, or of Kafka. A receiver that does not answer is none.
///
/// # Panics
///
/// When a thread of a route has panicked: with the same message.
pub fn run(options: &ForwardOptions, metrics: &Arc<ForwardMetrics>, stop: &Arc<AtomicBool>) -> Result<Counts, ForwardError> {
    fs::create_dir_all(&options.data).map_err(|error| ForwardError::Write { path: options.data.clone(), error })?;
    let routes = options.settings.routes.iter().map(|route| Ok((route, keys(route)?))).collect::<Result<Vec<_>, ForwardError>>()?;
    let outcomes: Vec<Result<Counts, ForwardError>> = thread::scope(|scope| {
        let spawn = |(route, keys): (&'_ RouteSettings, Option<SigningKeys>)| {
            let name = route.name.clone();
            let route = route.clone();
            thread::Builder::new().name(name).spawn_scoped(scope, move || {
                let outcome = run_route(options, &route, keys, metrics, stop);
                if outcome.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
                outcome
            })
        };
        let threads: Vec<_> = routes.into_iter().map(spawn).collect();
        let join = |thread: std::io::Result<thread::ScopedJoinHandle<'_, Result<Counts, ForwardError>>>| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| {
                stop.store(true, Ordering::Relaxed);
                resume_unwind(panic)
            }),
            Err(error) => {
                stop.store(true, Ordering::Relaxed);
                Err(ForwardError::Thread(error))
            }
        };
        threads.into_iter().map(join).collect()
    });
    outcomes.into_iter().try_fold(Counts::default(), |sum, counts| {
        let Counts { delivered, dead } = counts?;
        Ok(Counts { delivered: sum.delivered + delivered, dead: sum.dead + dead })
    })
}

fn run_route(
    options: &ForwardOptions,
    route: &RouteSettings,
    keys: Option<SigningKeys>,
    metrics: &Arc<ForwardMetrics>,
    flag: &Arc<AtomicBool>,
) -> Result<Counts, ForwardError> {
    metrics.route(&route.name);
    let stop = Stop::new(flag);
    let file = |end: &str| options.data.join(format!("{}.{end}", route.name));
    let letters = Letters::open(&file("dead-letters.jsonl"))?;
    let courier = Arc::new(Courier::new(route, Webhook::new(route, keys), letters, metrics.clone(), stop.clone()));
    if let Some(digest) = &route.digest {
        let log = match &options.origin {
            Origin::File(path) => LogReader::File(path.clone()),
            Origin::Topic(connect) => LogReader::Topic(connect.clone()),
        };
        let (settings, filter, time_zone) = (digest.clone(), route.filter.clone(), options.settings.time_zone.clone());
        return DigestRoute { settings, filter, time_zone, state: file("digest.json"), log, once: options.once }.run(&courier);
    }
    let mut tracker = Tracker::default();
    let mut source = match &options.origin {
        Origin::File(path) => Source::File(FileSource::open(path, &route.name, file("position.json"), route.start, stop, &mut tracker)?),
        Origin::Topic(connect) => {
            let client = connect.until(flag).forward_client(&route.name)?;
            Source::Topic(Box::new(TopicSource::new(client, route.start, stop)))
        }
    };
    let work = Route { filter: route.filter.clone(), in_flight: route.in_flight, queue: route.queue, once: options.once };
    work.run(&courier, &mut source, &mut tracker)
}

/// The keys of a route; a file is read now.
fn keys(route: &RouteSettings) -> Result<Option<SigningKeys>, ForwardError> {
    match &route.secret {
        None => Ok(None),
        Some(SecretFrom::Given(keys)) => Ok(Some(keys.clone())),
        Some(SecretFrom::File(path)) => {
            let problem = |error: std::io::Error| ForwardError::SecretFile {
                route: route.name.clone(),
                path: path.clone(),
                problem: error.to_string(),
            };
            let text = fs::read_to_string(path).map_err(problem)?;
            text.parse().map(Some).map_err(|error| ForwardError::secret(&route.name, path.clone(), &error))
        }
    }
}
