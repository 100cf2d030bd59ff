//! What happened to a customer: its episodes, and its latest events where the journal is at hand.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::episode::Phase;
use bellwether_engine::rule::Mode;
use bellwether_live::journal_directory::block_lines;
use bellwether_live::readers::Committed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::reading::{self, AsOf, PartitionNow};
use crate::shared::Shared;

/// Entries of an answer at most: the latest.
const MAX_ENTRIES: usize = 500;

/// The type of the event that erases a customer.
const ERASED: &str = "customer.erased";

/// What happened to a customer, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    customer: String,
    as_of: AsOf,
    entries: Vec<Entry>,
    /// Whether events are among the entries; beside Kafka the journal is not at hand, and only episodes are.
    has_events: bool,
    /// Whether the beginning may be missing: older records of the journal were not looked at, or there are more entries.
    is_cut: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
struct Entry {
    /// RFC 3339.
    time: String,
    /// `event`, `raised` or `ended`.
    what: &'static str,
    /// The type of the event, or the rule.
    name: String,
    /// What the rule is about within the customer, or empty.
    object: String,
}

/// A customer's timeline
#[utoipa::path(get, path = "/v1/customers/{id}/timeline", operation_id = "get_timeline", tag = "queries",
    params(("id" = String, Path, description = "The customer id, percent-encoded")),
    responses((status = 200, description = "Done", body = Timeline), (status = 307, description = "The customer is another instance's, at `location`: send the same request and token there", body = Problem, content_type = "application/problem+json"), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn of(State(shared): State<Arc<Shared>>, id: Result<Path<String>, PathRejection>) -> Result<Json<Timeline>, Problem> {
    let Path(id) = id?;
    shared.read(move |shared| timeline(shared, &id)).await.map(Json)
}

fn timeline(shared: &Shared, id: &str) -> Result<Timeline, Problem> {
    let committed = shared.committed()?;
    let (partition, customer) = reading::customer(&committed, id)?;
    let mut entries = episodes(&partition, &customer);
    let (events, has_events, mut is_cut) = events(&committed, &partition, &customer.id, shared.settings.max_timeline_records)?;
    entries.extend(events);
    entries.sort_unstable();
    if entries.len() > MAX_ENTRIES {
        entries.drain(..entries.len() - MAX_ENTRIES);
        is_cut = true;
    }
    Ok(Timeline { customer: customer.id.to_string(), as_of: partition.as_of(shared.now()), entries, has_events, is_cut })
}

/// When the episodes that the state remembers were raised and ended; those that nobody was told of are left out.
fn episodes(partition: &PartitionNow, customer: &Customer) -> Vec<Entry> {
    let mut entries = Vec::new();
    for episode in customer.episodes.iter().filter(|episode| episode.number > 0 && !episode.held_out) {
        let Some(rule) = partition.rules.rules.iter().find(|rule| rule.hash == episode.rule && rule.mode == Mode::Live) else { continue };
        let entry = |time, what| Entry { time: format_time(time), what, name: rule.name.clone(), object: episode.object.to_string() };
        entries.push(entry(episode.raised_at, "raised"));
        if episode.phase == Phase::Closed {
            entries.push(entry(episode.since, "ended"));
        }
    }
    entries
}

/// What is read of a journal record.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    r#type: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    subject: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    time: std::borrow::Cow<'a, str>,
}

/// The customer's events among the latest records; whether there is a journal; and whether older records were not looked at.
fn events(committed: &Committed, partition: &PartitionNow, customer: &str, max_records: u64) -> Result<(Vec<Entry>, bool, bool), Problem> {
    let first = partition.offset.saturating_sub(max_records);
    let needle = format!("\"subject\":{}", serde_json::Value::from(customer));
    let (mut events, mut has_journal, mut erased_at) = (Vec::new(), false, String::new());
    for block in committed.store.journal_blocks(partition.number, first) {
        let (_, block) = block.map_err(|error| Problem::internal(&error))?;
        has_journal = true;
        let text = block_lines(&block).map_err(|error| Problem::internal(&error))?;
        for line in text.lines().filter(|line| line.contains(&needle)) {
            let Some(record) = line.split_once('\t').and_then(|(_, event)| serde_json::from_str::<Record<'_>>(event).ok()) else {
                continue;
            };
            if record.subject != customer {
                continue;
            }
            let (time, name) = (record.time.into_owned(), record.r#type.into_owned());
            // What was before an erasure is not told, whether or not its bytes are still there.
            if name == ERASED {
                events.retain(|entry: &Entry| entry.time > time);
                erased_at = erased_at.max(time);
            } else if time > erased_at {
                events.push(Entry { time, what: "event", name, object: String::new() });
            }
        }
        if events.len() > 2 * MAX_ENTRIES {
            events.drain(..events.len() - MAX_ENTRIES);
        }
    }
    Ok((events, has_journal, first > 0))
}
