//! Customers: one with everything that is known, or many with the little that a list needs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use bellwether_codec::event::COMPANY;
use bellwether_codec::health_record::HealthRecord;
use bellwether_codec::state::decode_customer;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::known_feature::{KnownFeature, known_features};
use bellwether_engine::standing::open_signals;
use bellwether_engine::view::View;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::reading::{self, AsOf, PartitionNow, page_size};
use crate::shared::Shared;
use crate::signals::OpenSignal;

/// States that one request looks at, at most; then it hands out the cursor, even if its page is not full.
const MAX_STATES_LOOKED_AT: usize = 20_000;

/// Everything that is known of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerDetail {
    #[serde(flatten)]
    summary: CustomerSummary,
    as_of: AsOf,
    /// Since when it is a customer, RFC 3339.
    since: String,
    /// `rising`, `falling` or `steady` within 28 days; absent without health then and now.
    trend: Option<String>,
    /// What pulled the score down most.
    top_driver: Option<String>,
    /// How the score came about, as of the customer's last evaluation.
    contributions: Vec<HealthPart>,
    /// Every feature that is known, those of the rule file's own last.
    features: Vec<FeatureValue>,
    open_signals: Vec<OpenSignal>,
}

/// A part of a health score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthPart {
    /// The component, or a veto.
    component: String,
    /// Its own score, 0 to 100; for a veto the cap.
    score: f64,
    /// Its share of the weight, 0 to 1; 0 for a veto.
    share: f64,
}

/// A feature with its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeatureValue {
    /// Its name, as rules have it.
    feature: String,
    /// Its value; of a label its place in the list.
    value: f64,
    /// The label, or `true` or `false`.
    label: Option<String>,
    /// Its unit; empty for those of the rule file's own.
    unit: &'static str,
}

impl FeatureValue {
    fn of(known: KnownFeature) -> Self {
        Self { feature: known.name.into_owned(), value: known.value, label: known.label, unit: known.unit }
    }
}

/// A customer in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerSummary {
    customer: String,
    /// 0 to 100; absent where nothing is known that it could be made from.
    health: Option<f64>,
    /// `red`, `amber` or `green`.
    grade: Option<String>,
    /// The journey stage.
    stage: String,
    /// Whether an episode of an at-risk rule is open.
    at_risk: bool,
    mrr_minor: i64,
    /// ISO 4217.
    currency: Option<String>,
    owner: Option<String>,
    /// How many signals are open.
    open_signals_count: usize,
    /// Where the customer is in your CRM, if that is configured.
    link: Option<String>,
}

/// A page of customers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CustomerPage {
    customers: Vec<CustomerSummary>,
    /// Where the next page begins; null at the end. A page before the end may have fewer customers than asked for, or none.
    cursor: Option<String>,
    /// Whether the list is over all partitions of the journal; otherwise ask the other instances, too.
    is_complete: bool,
}

/// Which customers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CustomerQuery {
    /// `red`, `amber` or `green`.
    grade: Option<String>,
    /// The journey stage.
    stage: Option<String>,
    /// From the page before.
    cursor: Option<String>,
    /// Customers of a page, 1 to 500; 50 when nothing is said.
    limit: Option<usize>,
}

/// One customer
#[utoipa::path(get, path = "/v1/customers/{id}", operation_id = "get_customer", tag = "queries", params(("id" = String, Path, description = "The customer id, percent-encoded")),
    responses((status = 200, description = "Done", body = CustomerDetail), (status = 307, description = "The customer is another instance's, at `location`: send the same request and token there", body = Problem, content_type = "application/problem+json"), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CustomerDetail>, Problem> {
    let Path(id) = id?;
    shared.read(move |shared| detail(shared, &id)).await.map(Json)
}

/// Customers in the order of their keys, which is none
#[utoipa::path(get, path = "/v1/customers", operation_id = "list_customers", tag = "queries", params(CustomerQuery),
    responses((status = 200, description = "Done", body = CustomerPage), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<CustomerQuery>, QueryRejection>,
) -> Result<Json<CustomerPage>, Problem> {
    let Query(query) = query?;
    shared.read(move |shared| page(shared, &query)).await.map(Json)
}

fn detail(shared: &Shared, id: &str) -> Result<CustomerDetail, Problem> {
    let (partition, customer) = reading::customer(&shared.committed()?, id)?;
    let rules = &partition.rules;
    let record = HealthRecord::of(&customer, rules);
    let now = partition.instant(&customer);
    let view = View::new(&customer, &rules.settings, now);
    let signals = open_signals(&customer, rules, now);
    let part = |part: &bellwether_codec::health_record::HealthContribution| HealthPart {
        component: part.component.clone(),
        score: part.score,
        share: part.share,
    };
    Ok(CustomerDetail {
        as_of: partition.as_of(shared.now()),
        since: format_time(customer.since),
        trend: record.trend.clone(),
        top_driver: record.top_driver.clone(),
        contributions: record.health_contributions.iter().map(part).collect(),
        features: known_features(&view, &rules.settings).map(FeatureValue::of).collect(),
        open_signals: signals.iter().map(|signal| OpenSignal::of(signal, &shared.settings)).collect(),
        summary: summary(&record, shared),
    })
}

fn summary(record: &HealthRecord, shared: &Shared) -> CustomerSummary {
    CustomerSummary {
        link: shared.settings.link(&record.customer),
        customer: record.customer.clone(),
        health: record.health,
        grade: record.grade.clone(),
        stage: record.stage.clone(),
        at_risk: record.at_risk,
        mrr_minor: record.mrr_minor,
        currency: record.currency.clone(),
        owner: record.owner.clone(),
        open_signals_count: record.open_episodes.len(),
    }
}

fn page(shared: &Shared, query: &CustomerQuery) -> Result<CustomerPage, Problem> {
    let committed = shared.committed()?;
    let limit = page_size(query.limit)?;
    let mut start = query.cursor.as_deref().map_or(Ok(Start { partition: 0, key: 0 }), Start::parse)?;
    let (mut customers, mut looked_at) = (Vec::new(), 0);
    let partitions = PartitionNow::all(&committed)?;
    let is_complete = partitions.len() == usize::from(committed.journal_partitions);
    for partition in partitions {
        if partition.number < start.partition {
            continue;
        }
        let from = if partition.number == start.partition { start.key } else { 0 };
        for stored in committed.store.all_states(partition.number, from) {
            let (key, bytes) = stored.map_err(|error| Problem::internal(&error))?;
            if customers.len() == limit || looked_at == MAX_STATES_LOOKED_AT {
                start = Start { partition: partition.number, key };
                return Ok(CustomerPage { customers, cursor: Some(start.to_string()), is_complete });
            }
            looked_at += 1;
            let customer = decode_customer(&bytes).map_err(|error| Problem::internal(&error))?;
            let record = HealthRecord::of(&customer, &partition.rules);
            if record.customer != COMPANY && is_asked_for(&record, query) {
                customers.push(summary(&record, shared));
            }
        }
    }
    Ok(CustomerPage { customers, cursor: None, is_complete })
}

fn is_asked_for(record: &HealthRecord, query: &CustomerQuery) -> bool {
    query.grade.as_ref().is_none_or(|grade| record.grade.as_ref() == Some(grade))
        && query.stage.as_ref().is_none_or(|stage| record.stage == *stage)
}

/// Where a page begins.
struct Start {
    partition: u16,
    key: u128,
}

impl std::fmt::Display for Start {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{:032x}", self.partition, self.key)
    }
}

impl Start {
    fn parse(cursor: &str) -> Result<Self, Problem> {
        let parts =
            cursor.split_once('-').and_then(|(partition, key)| Some((partition.parse().ok()?, u128::from_str_radix(key, 16).ok()?)));
        let (partition, key) = parts.ok_or_else(|| Problem::bad("cursor: it is none that this list handed out"))?;
        Ok(Self { partition, key })
    }
}
