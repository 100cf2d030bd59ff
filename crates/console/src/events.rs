//! Events in: CloudEvents as JSON, one or a batch, answered when the journal has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bellwether_codec::intake::check_received;
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_engine::trace_parent::TraceParent;
use bellwether_live::arrivals::{NotTaken, Taken};
use bellwether_live::http_metrics::{HttpMetrics, PostResult};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::problem::{Problem, RefusedEvent};
use crate::shared::{Shared, Taking};

/// Refused events that an answer lists at most.
const MAX_REFUSED_TOLD: usize = 20;

/// That they are taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Journaled {
    /// Events that were taken in; those that were there before count, too, and change nothing.
    events: usize,
}

/// How the body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Single,
    Batch,
    /// By its first character.
    Any,
}

/// Takes events in
///
/// Either all events of a request are taken in, or none; then the request may be repeated as a whole. After a status of 408 or 5xx nobody knows
/// whether they were, unless the problem says that none is: repeat the request, events are recognised by `source` and `id`. That holds for the
/// latest 32 events of a customer (`recent_ids`), so send no more of one customer at once. The answer comes when the journal has the events.
/// Beside Kafka they come into it through the input topic `console.events_topic`, written in one transaction. If the ingest does not take them from
/// there within half of `console.request_timeout`, the answer is 202: all replicas in sync have them, and the journal will. They need not be sent again.
#[utoipa::path(post, path = "/v1/events", operation_id = "take_events", tag = "events",
    request_body(content((serde_json::Value = "application/cloudevents+json"), (Vec<serde_json::Value> = "application/cloudevents-batch+json"),
        (serde_json::Value = "application/json")), description = "CloudEvents 1.0 in structured mode, each as the schema `event` has it: `bellwether schema event`, `event.schema.json` among the contracts"),
    responses((status = 200, description = "Done", body = Journaled), (status = 202, description = "Beside Kafka: the input topic has them for good, the journal not yet", body = Journaled), (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not now, or it failed", body = Problem, content_type = "application/problem+json")), security(("token" = [])))]
pub(crate) async fn take(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Journaled>), Problem> {
    let Some(taking) = &shared.offered.taking else {
        let detail = "this process takes no events over HTTP: see `console.events_topic` beside Kafka, `console.take_events` without it";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "no-intake", detail));
    };
    let mode = mode(&headers)?;
    let events = split(&body?, mode, shared.settings.max_batch_events)?;
    let mut posted = Posted { metrics: &shared.offered.metrics.http, events: events.len(), result: PostResult::Postponed };
    if shared.is_draining() || (taking.is_held_by_pause && !shared.offered.metrics.readers.paused().is_empty()) {
        return Err(Problem::unavailable("paused", "the process takes nothing in at present: it is paused, or it ends"));
    }
    posted.result = PostResult::Refused;
    check(&events, taking, &shared)?;
    posted.result = PostResult::Unknown;
    let events = traced(events, &headers, taking.max_event_bytes);
    let count = events.len();
    let taken = if count > 0 { hand_over(events, taking, &shared, &mut posted).await? } else { Taken::Journaled };
    posted.result = PostResult::Accepted;
    let status = match taken {
        Taken::Journaled => StatusCode::OK,
        Taken::InTopic => StatusCode::ACCEPTED,
    };
    Ok((status, Json(Journaled { events: count })))
}

/// The events of a request, counted when it ends, however it does: a client that hangs up does not know what became of them.
struct Posted<'m> {
    metrics: &'m HttpMetrics,
    events: usize,
    result: PostResult,
}

impl Drop for Posted<'_> {
    fn drop(&mut self) {
        self.metrics.posted(self.result, self.events);
    }
}

/// Hands events over, and waits until they are taken.
async fn hand_over(events: Vec<Vec<u8>>, taking: &Taking, shared: &Shared, posted: &mut Posted<'_>) -> Result<Taken, Problem> {
    let mut not_taken = |reason| {
        posted.result = PostResult::Postponed;
        not_taken(reason)
    };
    let committed = taking.inlet.hand_over(events).map_err(&mut not_taken)?;
    let nobody_knows = || Problem::unavailable("unknown", "nobody can say yet whether the events are taken in: repeat the request");
    match tokio::time::timeout(shared.settings.answer_patience(), committed).await {
        Ok(Ok(answer)) => answer.map_err(not_taken),
        Ok(Err(_)) | Err(_) => Err(nobody_knows()),
    }
}

fn not_taken(reason: NotTaken) -> Problem {
    match reason {
        NotTaken::Closed => Problem::unavailable("reading-files", "the run reads its files first, or it ends"),
        NotTaken::Full => Problem::unavailable("busy", "too many requests wait for the journal"),
        NotTaken::Unreachable => {
            Problem::unavailable("kafka-unreachable", "Kafka cannot be reached, or the run starts or ends: none of the events is taken in")
        }
        NotTaken::Refused => {
            Problem::unavailable("kafka-refuses", "Kafka refuses to write the events, so none is taken in; the log of the process says why")
        }
    }
}

fn mode(headers: &HeaderMap) -> Result<Mode, Problem> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/cloudevents+json" => Ok(Mode::Single),
        "application/cloudevents-batch+json" => Ok(Mode::Batch),
        "application/json" => Ok(Mode::Any),
        _ => {
            let detail = "content-type: it must be application/cloudevents+json, application/cloudevents-batch+json or application/json";
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail))
        }
    }
}

/// The events of a body, each as JSON.
fn split(body: &[u8], mode: Mode, max_events: usize) -> Result<Vec<Vec<u8>>, Problem> {
    let is_list = body.trim_ascii_start().first() == Some(&b'[');
    if mode == Mode::Single || (mode == Mode::Any && !is_list) {
        return Ok(vec![body.trim_ascii().to_vec()]);
    }
    let events: Vec<&RawValue> = serde_json::from_slice(body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "bad-body", format!("the batch is no JSON list: {error}")))?;
    if events.len() > max_events {
        let detail = format!("a request may have {max_events} events, and this one has {}: see `console.max_batch_events`", events.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-events", detail));
    }
    Ok(events.iter().map(|event| event.get().as_bytes().to_vec()).collect())
}

/// The events with the `traceparent` of their request, where they name none. One that would be too large with it goes without.
fn traced(events: Vec<Vec<u8>>, headers: &HeaderMap, max_event_bytes: usize) -> Vec<Vec<u8>> {
    let header = headers.get("traceparent").and_then(|value| TraceParent::parse(value.as_bytes()));
    let Some(traceparent) = header else { return events };
    let member = format!("{{\"traceparent\":\"{}\",", traceparent.as_str());
    let of_event = |event: Vec<u8>| match event.strip_prefix(b"{") {
        Some(rest) if event.len() + member.len() <= max_event_bytes && !names_trace(&event) => [member.as_bytes(), rest].concat(),
        _ => event,
    };
    events.into_iter().map(of_event).collect()
}

/// Whether an event has a `traceparent`, be it a valid one or not: a name may not stand twice.
fn names_trace(event: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(event).map_or(true, |members| members.contains_key("traceparent"))
}

/// Refuses the request if any of its events would be refused.
fn check(events: &[Vec<u8>], taking: &Taking, shared: &Shared) -> Result<(), Problem> {
    let now = shared.now();
    let checked = events.iter().map(|event| {
        if event.len() > taking.max_event_bytes {
            let detail = format!("the event has {} bytes, more than the {} allowed", event.len(), taking.max_event_bytes);
            return Err(Rejection::new(RejectReason::LineTooLong, detail));
        }
        taking.decoder.decode(event).and_then(|event| check_received(event.time, now))
    });
    let failed = checked.enumerate().filter_map(|(index, result)| Some((index, result.err()?)));
    let refused: Vec<(usize, Rejection)> = failed.filter(|(_, rejection)| rejection.reason != RejectReason::SkippedType).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let detail = format!("{} of {} events are refused, so none is taken in", refused.len(), events.len());
    let told = refused.into_iter().take(MAX_REFUSED_TOLD);
    let refused_event = |(index, rejection): (usize, Rejection)| RefusedEvent {
        index,
        reason: rejection.reason.code().to_owned(),
        detail: rejection.detail,
    };
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused-events", detail);
    Err(Problem { events: told.map(refused_event).collect(), ..problem })
}
