//! What happened to a customer: its episodes, and its latest events.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::episode::Phase;
use bellwether_engine::rule::Mode;
use bellwether_live::journal_directory::block_lines;
use bellwether_live::kafka::JournalTopic;
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
    /// Whether events are among the entries; without them, as when Kafka does not answer, only episodes are.
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
    // It is kept until the end of the read, which may outlive the request.
    let permit = shared.timelines.clone().acquire_owned().await.map_err(|error| Problem::internal(&error))?;
    let read = move |shared: &Shared| {
        let _until_its_end = permit;
        timeline(shared, &id)
    };
    shared.read(read).await.map(Json)
}

fn timeline(shared: &Shared, id: &str) -> Result<Timeline, Problem> {
    let committed = shared.committed()?;
    let (partition, customer) = reading::customer(&committed, id)?;
    let mut entries = episodes(&partition, &customer);
    let mut found = Found::of(&customer.id);
    let max_records = shared.settings.max_timeline_records;
    let looked = match &shared.offered.journal {
        Some(topic) => found.look_in_topic(topic, &partition, max_records),
        None => found.look_in_store(&committed, &partition, max_records)?,
    };
    let (has_events, mut is_cut) = (looked.is_some(), looked.unwrap_or(true));
    entries.extend(found.events);
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

/// The events of a customer among the latest records of its partition.
struct Found {
    customer: String,
    /// What the text of its events has in it.
    needle: String,
    events: Vec<Entry>,
    /// When it was erased last, RFC 3339; empty if never.
    erased_at: String,
}

impl Found {
    fn of(customer: &str) -> Self {
        let needle = format!("\"subject\":{}", serde_json::Value::from(customer));
        Self { customer: customer.to_owned(), needle, events: Vec::new(), erased_at: String::new() }
    }

    /// Looks through the journal in the store. Returns whether there are older records; nothing if there is no journal.
    fn look_in_store(&mut self, committed: &Committed, partition: &PartitionNow, max_records: u64) -> Result<Option<bool>, Problem> {
        let first = partition.offset.saturating_sub(max_records);
        let mut has_journal = false;
        for block in committed.store.journal_blocks(partition.number, first) {
            let (_, block) = block.map_err(|error| Problem::internal(&error))?;
            has_journal = true;
            let text = block_lines(&block).map_err(|error| Problem::internal(&error))?;
            text.lines().filter_map(|line| line.split_once('\t')).for_each(|(_, event)| self.take(event));
        }
        Ok(has_journal.then_some(first > 0))
    }

    /// Looks through the journal topic. Returns whether there are older records; nothing if the topic cannot be read.
    fn look_in_topic(&mut self, topic: &JournalTopic, partition: &PartitionNow, max_records: u64) -> Option<bool> {
        let looked = topic.latest(partition.number, partition.offset, max_records, |event| self.take(event));
        if let Err(error) = &looked {
            tracing::debug!(%error, "a timeline goes without the events of the journal topic");
            self.events.clear();
        }
        looked.ok()
    }

    /// Takes a record if it is an event of the customer.
    fn take(&mut self, text: &str) {
        let is_meant = |record: &Record<'_>| record.subject == self.customer;
        let Some(record) =
            Some(text).filter(|text| text.contains(&self.needle)).and_then(|text| serde_json::from_str(text).ok()).filter(is_meant)
        else {
            return;
        };
        let (time, name) = (record.time.into_owned(), record.r#type.into_owned());
        // What was before an erasure is not told, whether or not its bytes are still there.
        if name == ERASED {
            self.events.retain(|entry: &Entry| entry.time > time);
            self.erased_at = std::mem::take(&mut self.erased_at).max(time);
        } else if time > self.erased_at {
            self.events.push(Entry { time, what: "event", name, object: String::new() });
        }
        if self.events.len() > 2 * MAX_ENTRIES {
            self.events.drain(..MAX_ENTRIES);
        }
    }
}
