//! JSON Schema of the events that are read: what a producer should write. The decoder takes more than that, such as words in capitals.

use std::borrow::Cow;

use bellwether_engine::event_type::EventType;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::names::Field;
use super::words::{COST_KINDS, DIRECTIONS, NOTE_KINDS, PRIORITIES, SURVEY_KINDS};
use super::{COMPANY, TEXT_MAX_BYTES, families};

/// An event as a CloudEvent in structured mode, or as plain JSON with the same names.
#[derive(Clone, Copy, Debug)]
pub struct EventSchema;

impl JsonSchema for EventSchema {
    fn schema_name() -> Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let types: Vec<&str> = EventType::ALL.iter().map(|(_, name, _)| *name).collect();
        schemars::json_schema!({
            "description": "Something that a customer did, or that happened to it. Unknown attributes and data fields are ignored.",
            "type": "object",
            "required": ["id", "source", "type", "subject", "time"],
            "properties": {
                "specversion": { "description": "The version of CloudEvents.", "const": "1.0" },
                "id": with("The id of the event in its source; with the source it is what duplicates are known by.", identifier()),
                "source": with("Who says it.", text()),
                "type": { "description": "What happened.", "enum": types },
                "subject": with("The customer id; `_company` for costs of the company itself.", identifier()),
                "time": { "description": "When it happened.", "type": "string", "format": "date-time" },
                "traceparent": { "description": "The trace that it belongs to, W3C Trace Context; an invalid one is ignored." },
                "data": { "type": ["object", "null"] },
            },
            "allOf": of_types(),
        })
    }
}

/// One condition for all types that know the same fields.
fn of_types() -> Vec<Value> {
    let mut groups: Vec<(Value, Vec<&str>)> = Vec::new();
    for (kind, name, _) in EventType::ALL {
        let schema = of_type(kind);
        match groups.iter_mut().find(|(known, _)| *known == schema) {
            Some((_, names)) => names.push(name),
            None => groups.push((schema, vec![name])),
        }
    }
    let condition = |(then, names)| json!({ "if": { "properties": { "type": { "enum": names } }, "required": ["type"] }, "then": then });
    groups.into_iter().map(condition).collect()
}

fn of_type(kind: EventType) -> Value {
    let fields = families::field_names(kind);
    let properties: Map<String, Value> = fields.iter().map(|field| (field.text().to_owned(), of_field(kind, *field))).collect();
    let required: Vec<&str> = required(kind).iter().map(|field| field.text()).collect();
    let mut schema = json!({ "properties": { "data": { "properties": properties } } });
    if !required.is_empty() {
        schema["properties"]["data"]["required"] = json!(required);
        schema["properties"]["data"]["type"] = json!("object");
        schema["required"] = json!(["data"]);
    }
    if kind == EventType::CostRecorded {
        schema["properties"]["subject"] = json!({ "const": COMPANY });
    }
    schema
}

/// The fields that must be there.
fn required(kind: EventType) -> &'static [Field] {
    use EventType as E;
    match kind {
        E::Usage => &[Field::Feature],
        E::Quota => &[Field::Name, Field::Used, Field::Limit],
        E::TicketOpened | E::TicketAnswered | E::TicketSolved | E::TicketReopened => &[Field::Ticket],
        E::SurveyAnswered => &[Field::Kind, Field::Score],
        E::SubscriptionStarted | E::SubscriptionChanged | E::SubscriptionRenewed | E::SubscriptionEnded => &[Field::Subscription],
        E::InvoiceIssued | E::InvoicePaid | E::PaymentFailed | E::PaymentRecovered => &[Field::Invoice],
        E::CostRecorded => &[Field::Kind, Field::AmountMinor, Field::Currency, Field::Period],
        E::UserInvited | E::UserActivated | E::UserRemoved => &[Field::User],
        E::MilestoneReached => &[Field::Name],
        E::ContactChanged => &[Field::Role],
        E::ConsentChanged => &[Field::Marketing],
        E::NoteRecorded | E::NoteResolved => &[Field::Note],
        E::IncidentStarted | E::IncidentResolved => &[Field::Incident],
        E::GoalSet | E::GoalProgressed => &[Field::Metric],
        E::CampaignSent | E::CampaignFailed | E::CampaignOpened | E::CampaignClicked | E::CampaignConverted | E::CampaignUnsubscribed => {
            &[Field::Campaign]
        }
        E::SignalAcknowledged | E::SignalDismissed | E::SignalSnoozed | E::SignalRated => &[Field::Signal],
        _ => &[],
    }
}

/// What a field holds. One that need not be there may be null.
fn of_field(kind: EventType, field: Field) -> Value {
    use Field as F;
    let schema = match field {
        F::User | F::PreviousUser | F::Ticket | F::Subscription | F::Invoice | F::Note | F::Incident | F::Campaign | F::Signal => {
            identifier()
        }
        F::Severity => identifier(),
        F::Ok | F::Trial | F::Final | F::Marketing | F::Useful => json!({ "type": "boolean" }),
        F::Count | F::Attempt => json!({ "type": "integer", "minimum": 1 }),
        F::MrrMinor | F::AmountMinor => json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
        F::Seats => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        F::Used => json!({ "type": "number", "minimum": 0 }),
        F::Limit => json!({ "type": "number", "exclusiveMinimum": 0 }),
        F::Value | F::Score | F::ScaleMin | F::ScaleMax | F::Target => json!({ "type": "number" }),
        F::Currency => json!({ "type": "string", "pattern": "^[A-Za-z]{3}$" }),
        F::Effective | F::PeriodEnd | F::Due | F::Expires | F::Until => {
            json!({ "type": "string", "description": "A date, or an RFC 3339 time.", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}" })
        }
        F::Priority => choice(&PRIORITIES.map(|(word, _)| word)),
        F::Direction => choice(&DIRECTIONS.map(|(word, _)| word)),
        F::Kind => match kind {
            EventType::SurveyAnswered => choice(&SURVEY_KINDS.map(|(word, _)| word)),
            EventType::NoteRecorded | EventType::NoteResolved => choice(&NOTE_KINDS.map(|(word, _)| word)),
            EventType::CostRecorded => choice(&COST_KINDS.map(|(word, _)| word)),
            _ => text(),
        },
        F::Reason => json!({ "type": "string" }),
        _ => text(),
    };
    if required(kind).contains(&field) { schema } else { json!({ "anyOf": [schema, { "type": "null" }] }) }
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": TEXT_MAX_BYTES })
}

fn identifier() -> Value {
    json!({ "type": ["string", "integer"], "minLength": 1, "maxLength": TEXT_MAX_BYTES })
}

fn choice(words: &[&str]) -> Value {
    json!({ "enum": words })
}

fn with(description: &str, mut schema: Value) -> Value {
    schema["description"] = json!(description);
    schema
}
