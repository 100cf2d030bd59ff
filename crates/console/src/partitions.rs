//! The partitions of the journal: which are this process's, and how they stand.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::paused;
use crate::problem::Problem;
use crate::reading::{AsOf, PartitionNow};
use crate::shared::Shared;

/// The partitions of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Partitions {
    /// This instance.
    instance: String,
    /// The number of partitions of the journal.
    journal_partitions: u16,
    /// Whether any worker of the process reads nothing until it is resumed.
    is_paused: bool,
    /// The workers that are paused: `ingest`, `process`, or both.
    paused: Vec<&'static str>,
    /// Those of this instance.
    partitions: Vec<PartitionState>,
    /// Those of other instances of which it is known whose they are. It is looked up every 5 seconds, and told by what was committed last.
    elsewhere: Vec<PartitionElsewhere>,
}

/// A partition of another instance.
#[derive(Debug, Serialize, ToSchema)]
struct PartitionElsewhere {
    number: u16,
    /// The instance that it belongs to.
    owner: String,
    /// Where its guarded listener is, if it tells.
    url: Option<String>,
}

/// A partition of this instance.
#[derive(Debug, Serialize, ToSchema)]
struct PartitionState {
    number: u16,
    /// The instance that it belongs to.
    owner: String,
    /// `ready`, or `restoring` while it catches up with what is published.
    state: &'static str,
    /// The rule set in force; absent while it is being restored.
    rule_set: Option<u32>,
    /// Customers ever seen; absent while it is being restored.
    customers: Option<i64>,
    /// As of when; absent while it is being restored.
    as_of: Option<AsOf>,
}

/// Partitions of this instance, and whose the others are
#[utoipa::path(get, path = "/v1/partitions", operation_id = "list_partitions", tag = "queries",
    responses((status = 200, description = "Done", body = Partitions), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Partitions>, Problem> {
    shared.read(partitions).await.map(Json)
}

fn partitions(shared: &Shared) -> Result<Partitions, Problem> {
    let committed = shared.committed()?;
    let instance = &shared.offered.instance;
    let mut partitions = Vec::new();
    for (number, rules) in &committed.owned {
        let now = rules.as_ref().map(|_| PartitionNow::of(&committed, *number)).transpose()?;
        partitions.push(PartitionState {
            number: *number,
            owner: instance.clone(),
            state: if now.is_some() { "ready" } else { "restoring" },
            rule_set: now.as_ref().map(|now| now.rules.number),
            customers: now.as_ref().map(|now| now.header.aggregates.customers),
            as_of: now.map(|now| now.as_of(shared.now())),
        });
    }
    let paused = paused(&shared.offered.metrics);
    let (instance, journal_partitions) = (instance.clone(), committed.journal_partitions);
    let elsewhere = committed.owners.iter().filter(|(number, owner)| !committed.owned.contains_key(number) && !committed.is_own(owner));
    let elsewhere =
        elsewhere.map(|(number, owner)| PartitionElsewhere { number: *number, owner: owner.instance.clone(), url: owner.url.clone() });
    let elsewhere = elsewhere.collect();
    Ok(Partitions { instance, journal_partitions, is_paused: !paused.is_empty(), paused, partitions, elsewhere })
}
