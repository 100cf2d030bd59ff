//! JSON Schema of what leaves the product, generated from the very types that are written.
//!
//! A schema says what every record has; it is open, so that a later version may add fields. [`ALL`] lists those of this crate.

use std::borrow::Cow;

use bellwether_engine::episode::Mark;
use bellwether_engine::kpi::{Flow, KPI_NAMES, Level};
use bellwether_engine::outcome::{Group, Outcome};
use bellwether_engine::rule::{Kind, Severity};
use bellwether_engine::signal::Expiry;
use bellwether_engine::time::Time;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::event::EventSchema;
use crate::{dead_letter, erased_line, health_record, kpi_record, signal, summary};

/// What is written somewhere, with its schema.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Its name in commands and files.
    pub name: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    /// Adds its schema to a generator, and gives a reference to it.
    pub describe: fn(&mut SchemaGenerator) -> Schema,
}

/// The contracts of this crate.
pub const ALL: &[Contract] = &[
    Contract { name: "signal", title: "A signal as a line of a file: a CloudEvent in structured mode", describe: signal::describe_signal },
    Contract { name: "signal-data", title: "The value of a record of the topic of signals", describe: signal::describe_signal_data },
    Contract {
        name: "decision",
        title: "A decision as a line of a file: a CloudEvent in structured mode",
        describe: signal::describe_decision,
    },
    Contract { name: "decision-data", title: "The value of a record of the topic of decisions", describe: signal::describe_decision_data },
    Contract { name: "health", title: "The value of a record of the topic of health", describe: of::<health_record::HealthRecord> },
    Contract { name: "kpis", title: "The sums and KPIs of a UTC day", describe: kpi_record::describe },
    Contract { name: "dead-letter", title: "A refused line, as a line of the file of dead letters", describe: dead_letter::describe },
    Contract {
        name: "erased-line",
        title: "What stands in place of a line of an erased customer, in files of signals, decisions and dead letters",
        describe: erased_line::describe,
    },
    Contract { name: "event", title: "An event that is read", describe: of::<EventSchema> },
    Contract { name: "summary", title: "The summary of a run", describe: of::<summary::Summary> },
];

/// Describes a type; for [`Contract::describe`].
pub fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Contract {
    /// The schema as a document of its own, JSON Schema 2020-12.
    #[must_use]
    pub fn schema(&self) -> Value {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let dialect = settings.meta_schema.clone();
        let mut generator = settings.into_generator();
        let reference = (self.describe)(&mut generator).to_value();
        let mut definitions = generator.take_definitions(true);
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let Some(Value::Object(mut schema)) = definitions.remove(name) else { return reference };
        schema.insert("$schema".to_owned(), json!(dialect));
        schema.insert("title".to_owned(), json!(self.title));
        if !definitions.is_empty() {
            schema.insert("$defs".to_owned(), Value::Object(definitions));
        }
        Value::Object(schema)
    }
}

/// An id: 128 bits.
pub const ID_PATTERN: &str = "^[0-9a-f]{32}$";

/// A pseudonym of a user.
pub(crate) const USER_PATTERN: &str = "^u-[0-9a-f]{16}$";

/// Where something stands in a trace, W3C Trace Context, version 00.
pub(crate) const TRACEPARENT_PATTERN: &str = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$";

/// A currency of ISO 4217.
pub const CURRENCY_PATTERN: &str = "^[A-Z]{3}$";

/// A month of UTC.
pub(crate) const MONTH_PATTERN: &str = "^-?[0-9]{4,}-[0-9]{2}$";

/// The severities of signals.
#[must_use]
pub fn severities() -> [&'static str; 3] {
    Severity::ALL.map(Severity::name)
}

/// The kinds of rules.
#[must_use]
pub fn kinds() -> [&'static str; 6] {
    Kind::ALL.map(Kind::name)
}

pub(crate) fn outcomes() -> [&'static str; 3] {
    Outcome::ALL.map(Outcome::name)
}

pub(crate) fn groups() -> [&'static str; 3] {
    Group::ALL.map(Group::name)
}

pub(crate) fn expiries() -> [&'static str; 3] {
    Expiry::ALL.map(Expiry::name)
}

pub(crate) fn marks() -> [&'static str; 3] {
    [Mark::Acknowledged, Mark::Dismissed, Mark::Snoozed(Time::MIN)].map(Mark::name)
}

/// The choices of a field that may be null.
pub(crate) fn or_null(names: &[&'static str]) -> Vec<Option<&'static str>> {
    names.iter().copied().map(Some).chain([None]).collect()
}

/// Amounts in minor units by currency.
#[derive(Clone, Debug)]
pub(crate) struct ByCurrency;

/// KPIs by name.
#[derive(Clone, Debug)]
pub(crate) struct NamedKpis;

/// Sums by the name of their level.
#[derive(Clone, Debug)]
pub(crate) struct Levels;

/// Sums by the name of their flow.
#[derive(Clone, Debug)]
pub(crate) struct Flows;

impl JsonSchema for ByCurrency {
    fn schema_name() -> Cow<'static, str> {
        "ByCurrency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "Amounts by currency, ISO 4217.",
            "type": "object",
            "propertyNames": { "pattern": CURRENCY_PATTERN },
            "additionalProperties": { "type": "integer", "format": "int64" },
        })
    }
}

impl JsonSchema for NamedKpis {
    fn schema_name() -> Cow<'static, str> {
        "Kpis".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kpi = |description: String| json!({ "description": description, "type": ["number", "null"], "format": "double" });
        let properties = KPI_NAMES.iter().map(|one| (one.name.to_owned(), kpi(format!("{} ({})", one.doc, one.unit))));
        object("KPIs by name; null where nothing can be divided.", properties.collect())
    }
}

impl JsonSchema for Levels {
    fn schema_name() -> Cow<'static, str> {
        "Levels".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        object("How it is at the end of the day.", Level::ALL.iter().map(|(_, name, meaning)| sum(name, meaning)).collect())
    }
}

impl JsonSchema for Flows {
    fn schema_name() -> Cow<'static, str> {
        "Flows".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        object("What happened in the month.", Flow::ALL.iter().map(|(_, name, meaning)| sum(name, meaning)).collect())
    }
}

fn sum(name: &str, meaning: &str) -> (String, Value) {
    (name.to_owned(), json!({ "description": meaning, "type": "integer", "format": "int64" }))
}

fn object(description: &str, properties: Map<String, Value>) -> Schema {
    let required: Vec<&String> = properties.keys().collect();
    schemars::json_schema!({ "description": description, "type": "object", "required": required, "properties": properties })
}
