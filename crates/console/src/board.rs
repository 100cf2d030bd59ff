//! The ranking of open signals: made from all states when somebody asks and the last one is too old, and by one request at a time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bellwether_codec::state::decode_customer;
use bellwether_engine::episode::Phase;
use bellwether_engine::signal::Signal;
use bellwether_engine::standing::open_signals;
use bellwether_live::readers::Committed;

use crate::problem::Problem;
use crate::reading::{AsOf, PartitionNow};
use crate::shared::Shared;
use crate::signals::OpenSignal;

/// Signals that a ranking keeps: the most valuable ones.
const MAX_RANKED: usize = 10_000;

/// The last ranking. It waits at least as many times longer for the next one as this says, so that ranking never takes more than a tenth of a core.
const REST_FACTOR: u32 = 10;

/// Keeps the last ranking.
#[derive(Default)]
pub(crate) struct Board {
    last: Mutex<Option<Kept>>,
}

struct Kept {
    ranking: Arc<Ranking>,
    good_until: Instant,
}

/// Open signals, the most valuable first.
pub(crate) struct Ranking {
    pub signals: Vec<(Rank, OpenSignal)>,
    pub open_count: usize,
    pub as_of: Vec<AsOf>,
    /// The number of partitions of the journal, here or elsewhere.
    pub journal_partitions: u16,
}

/// The place of a signal: by priority, then by what the customer pays, both falling; then by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    minus_priority_hundredths: i64,
    minus_mrr_minor: i64,
    id: u128,
}

impl Board {
    /// The ranking, made anew if the last one is too old.
    pub fn ranking(&self, shared: &Shared) -> Result<Arc<Ranking>, Problem> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        if let Some(kept) = last.as_ref().filter(|kept| started < kept.good_until) {
            return Ok(kept.ranking.clone());
        }
        let ranking = Arc::new(rank(&shared.committed()?, shared)?);
        let rest = shared.settings.refresh_interval.max(started.elapsed() * REST_FACTOR);
        *last = Some(Kept { ranking: ranking.clone(), good_until: Instant::now() + rest });
        Ok(ranking)
    }
}

fn rank(committed: &Committed, shared: &Shared) -> Result<Ranking, Problem> {
    let (mut ranked, mut open_count, mut as_of) = (Vec::new(), 0, Vec::new());
    for partition in PartitionNow::all(committed)? {
        for stored in committed.store.all_states(partition.number, 0) {
            let (_, bytes) = stored.map_err(|error| Problem::internal(&error))?;
            let customer = decode_customer(&bytes).map_err(|error| Problem::internal(&error))?;
            if customer.episodes.iter().all(|episode| episode.phase != Phase::Open) {
                continue;
            }
            for signal in open_signals(&customer, &partition.rules, partition.instant(&customer)) {
                open_count += 1;
                ranked.push((Rank::of(&signal), OpenSignal::of(&signal, &shared.settings)));
            }
            if ranked.len() > 2 * MAX_RANKED {
                keep_best(&mut ranked);
            }
        }
        as_of.push(partition.as_of(shared.now()));
    }
    keep_best(&mut ranked);
    Ok(Ranking { signals: ranked, open_count, as_of, journal_partitions: committed.journal_partitions })
}

fn keep_best(ranked: &mut Vec<(Rank, OpenSignal)>) {
    ranked.sort_unstable_by_key(|(rank, _)| *rank);
    ranked.truncate(MAX_RANKED);
}

impl Rank {
    fn of(signal: &Signal) -> Self {
        let minus_priority_hundredths = -((signal.priority.score() * 100.0).round() as i64);
        Self { minus_priority_hundredths, minus_mrr_minor: signal.mrr_minor.saturating_neg(), id: signal.id }
    }

    /// Reads a cursor.
    pub fn parse(cursor: &str) -> Result<Self, Problem> {
        let mut parts = cursor.split('_');
        let mut rank = || {
            let (priority, mrr, id) = (parts.next()?, parts.next()?, parts.next()?);
            let id = u128::from_str_radix(id, 16).ok()?;
            let (minus_priority_hundredths, minus_mrr_minor) = (priority.parse().ok()?, mrr.parse().ok()?);
            parts.next().is_none().then_some(Self { minus_priority_hundredths, minus_mrr_minor, id })
        };
        rank().ok_or_else(|| Problem::bad("cursor: it is none that this list handed out"))
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}_{:032x}", self.minus_priority_hundredths, self.minus_mrr_minor, self.id)
    }
}
