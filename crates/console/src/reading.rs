//! Committed states as values: a partition's header, a customer's state, and what is asked of both.

use std::sync::Arc;

use axum::http::StatusCode;
use bellwether_codec::event::COMPANY;
use bellwether_codec::state::{decode_customer, decode_header};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::Header;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;
use bellwether_live::readers::Committed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Elsewhere, Problem};

/// As of when something is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AsOf {
    /// The journal partition.
    pub partition: u16,
    /// The next offset of the journal that is not in it yet; what is told may have a little more in it.
    pub offset: u64,
    /// Journal time there, RFC 3339; absent before the first event.
    pub journal_time: Option<String>,
    /// How far journal time is behind the present, seconds.
    pub staleness_seconds: Option<f64>,
}

/// A partition that may be read, as it stands.
pub(crate) struct PartitionNow {
    pub number: u16,
    pub rules: Arc<RuleSet>,
    pub header: Header,
    pub offset: u64,
}

impl PartitionNow {
    /// The partition, unless it is not this process's or not ready.
    pub fn of(committed: &Committed, number: u16) -> Result<Self, Problem> {
        let rules = match committed.owned.get(&number) {
            Some(Some(rules)) => rules.clone(),
            Some(None) => return Err(Problem::unavailable("not-ready", format!("partition {number} is being restored"))),
            None => return Err(elsewhere(committed, number)),
        };
        let stored = committed.store.header(number).map_err(|error| Problem::internal(&error))?;
        let offset = stored.as_ref().map_or(0, |stored| stored.position.offset);
        let header = stored.map(|stored| decode_header(&stored.body)).transpose().map_err(|error| Problem::internal(&error))?;
        Ok(Self { number, rules, header: header.unwrap_or_default(), offset })
    }

    /// All partitions that may be read.
    pub fn all(committed: &Committed) -> Result<Vec<Self>, Problem> {
        committed.readable().map(|(number, _)| Self::of(committed, number)).collect()
    }

    pub fn as_of(&self, now: Time) -> AsOf {
        let journal_time = Some(self.header.journal_time).filter(|time| *time != Time::MIN);
        AsOf {
            partition: self.number,
            offset: self.offset,
            journal_time: journal_time.map(format_time),
            staleness_seconds: journal_time.map(|time| now.since_ms(time).max(0) as f64 / 1_000.0),
        }
    }

    /// The instant as of which a customer of this partition is looked at.
    pub fn instant(&self, customer: &Customer) -> Time {
        self.header.journal_time.max(customer.clock)
    }
}

/// What is asked for is another instance's: where that is, as far as it is known. Only an instance that may be another is named, since a partition
/// that has just moved is still told to be its former owner's, which may be this one.
fn elsewhere(committed: &Committed, number: u16) -> Problem {
    let owner = committed.owners.get(&number).filter(|owner| !committed.is_own(owner));
    let Some(owner) = owner else {
        let detail = format!("partition {number} belongs to another instance, and it is not known yet to which");
        return Problem::new(StatusCode::MISDIRECTED_REQUEST, "other-instance", detail);
    };
    let detail = format!("partition {number} belongs to the instance {}: ask that one", owner.instance);
    let status = if owner.url.is_some() { StatusCode::TEMPORARY_REDIRECT } else { StatusCode::MISDIRECTED_REQUEST };
    Problem { elsewhere: owner.url.clone().map(|url| Elsewhere(url.into())), ..Problem::new(status, "other-instance", detail) }
}

/// The state of a customer and its partition.
pub(crate) fn customer(committed: &Committed, id: &str) -> Result<(PartitionNow, Customer), Problem> {
    let key = CustomerKey::of(id);
    let partition = PartitionNow::of(committed, key.partition(committed.journal_partitions))?;
    let states = committed.store.states(partition.number, &[key.0]).map_err(|error| Problem::internal(&error))?;
    // The company itself has a state, too, and is no customer.
    let Some(bytes) = states.into_iter().flatten().next().filter(|_| id != COMPANY) else {
        return Err(Problem::not_found("unknown-customer", "the journal knows no customer of this id"));
    };
    let customer = decode_customer(&bytes).map_err(|error| Problem::internal(&error))?;
    Ok((partition, customer))
}

/// How many a page has when nothing is said, and at most.
const PAGE: (usize, usize) = (50, 500);

/// The size of a page.
pub(crate) fn page_size(limit: Option<usize>) -> Result<usize, Problem> {
    let (usual, most) = PAGE;
    let limit = limit.unwrap_or(usual);
    if (1..=most).contains(&limit) { Ok(limit) } else { Err(Problem::bad(format!("limit: it must be from 1 to {most}"))) }
}
