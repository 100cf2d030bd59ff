//! The KPIs as of now, over the partitions of this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bellwether_codec::kpi_record;
use bellwether_engine::aggregates::Aggregates;
use bellwether_engine::kpi::KpiDay;
use bellwether_engine::time::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::reading::{AsOf, PartitionNow};
use crate::shared::Shared;

/// The KPIs, as the daily record has them for a day that has ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KpisNow {
    /// As of when, by partition.
    as_of: Vec<AsOf>,
    /// Whether all partitions of the journal are in it; otherwise ask the other instances, or Prometheus.
    is_complete: bool,
    #[serde(flatten)]
    record: KpiRecord,
}

/// What is told of the daily record.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
struct KpiRecord {
    /// The UTC day of journal time.
    day: String,
    /// The rule set in force.
    rule_set: u32,
    customers: i64,
    active_customers: i64,
    /// By name; null where nothing can be divided.
    kpis: BTreeMap<String, Option<f64>>,
    /// Targets of the rule set, by name.
    targets: BTreeMap<String, f64>,
    /// KPIs of money, by currency.
    currencies: Vec<BTreeMap<String, serde_json::Value>>,
}

/// KPIs as of now
#[utoipa::path(get, path = "/v1/kpis", operation_id = "current_kpis", tag = "queries",
    responses((status = 200, description = "Done", body = KpisNow), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn now(State(shared): State<Arc<Shared>>) -> Result<Json<KpisNow>, Problem> {
    shared.read(kpis).await.map(Json)
}

fn kpis(shared: &Shared) -> Result<KpisNow, Problem> {
    let committed = shared.committed()?;
    let partitions = PartitionNow::all(&committed)?;
    let mut aggregates = Aggregates::default();
    partitions.iter().for_each(|partition| aggregates.merge(&partition.header.aggregates));
    let times = partitions.iter().map(|partition| partition.header.journal_time).filter(|time| *time != Time::MIN);
    let (Some(slowest), Some(first)) = (times.min(), partitions.first()) else {
        return Err(Problem::unavailable("not-ready", "journal time has not begun: there is no watermark yet"));
    };
    let settings = first.rules.settings.kpis.clone();
    let stages = first.rules.settings.stage_names().into_iter().map(Box::from).collect();
    let record = kpi_record::record(&KpiDay { day: slowest.day(), rule_set: first.rules.number, settings, stages, aggregates }, None);
    Ok(KpisNow {
        as_of: partitions.iter().map(|partition| partition.as_of(shared.now())).collect(),
        is_complete: partitions.len() == usize::from(committed.journal_partitions),
        record: serde_json::from_value(record).map_err(|error| Problem::internal(&error))?,
    })
}
