//! The normalised form of an event, as the journal keeps it: one line of CloudEvents JSON, attributes and fields in a fixed order,
//! users as tokens, times in UTC, what is absent or has its default left out. Its bytes are a contract: tests/golden/events.jsonl.

use bellwether_engine::event::{Body, Currency, Event, Text, UserToken};
use bellwether_engine::time::Time;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::words::{self, word_of};
use crate::pseudonym::token_bytes;
use crate::timestamp::to_jiff;

/// Appends the normalised form of an event, without a newline. The same event gives the same bytes.
pub fn encode_event(event: &Event<'_>, into: &mut Vec<u8>) {
    serde_json::to_writer(into, &Line(event)).expect("text and numbers always serialise, and a vector takes every byte");
}

/// Appends the normalised form of an event for people to read: one field a line.
pub fn encode_event_indented(event: &Event<'_>, into: &mut Vec<u8>) {
    serde_json::to_writer_pretty(into, &Line(event)).expect("text and numbers always serialise, and a vector takes every byte");
}

struct Line<'e, 'a>(&'e Event<'a>);

impl Serialize for Line<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("specversion", "1.0")?;
        line.serialize_entry("id", &event.id)?;
        line.serialize_entry("source", &event.source)?;
        line.serialize_entry("type", event.event_type().name())?;
        line.serialize_entry("subject", &event.customer)?;
        line.serialize_entry("time", &Instant(event.time))?;
        if let Some(traceparent) = event.traceparent {
            line.serialize_entry("traceparent", traceparent.as_str())?;
        }
        if event.body != Body::Erased {
            line.serialize_entry("data", &Data(&event.body))?;
        }
        line.end()
    }
}

struct Data<'e, 'a>(&'e Body<'a>);

impl Serialize for Data<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = Writer(serializer.serialize_map(None)?);
        match self.0 {
            Body::Subscription { .. } | Body::Invoice { .. } | Body::Cost { .. } => data.money(self.0)?,
            Body::Login { .. } | Body::Usage { .. } | Body::Quota { .. } => data.activity(self.0)?,
            Body::Ticket { .. } | Body::Survey { .. } | Body::Cancellation { .. } => data.support(self.0)?,
            Body::Note { .. }
            | Body::Touch { .. }
            | Body::Incident { .. }
            | Body::Goal { .. }
            | Body::Lead { .. }
            | Body::Campaign { .. }
            | Body::Feedback { .. } => data.relation(self.0)?,
            _ => data.account(self.0)?,
        }
        data.0.end()
    }
}

/// Writes the fields of a body; every family's fields stand in the order in which `families` names them.
struct Writer<M>(M);

impl<M: SerializeMap> Writer<M> {
    fn activity(&mut self, body: &Body<'_>) -> Result<(), M::Error> {
        match body {
            Body::Login { user, ok } => {
                self.user("user", *user)?;
                self.unless_default("ok", *ok, true)
            }
            Body::Usage { feature, count, value, user } => {
                self.put("feature", feature)?;
                self.user("user", *user)?;
                self.unless_default("count", *count, 1)?;
                self.some("value", value)
            }
            Body::Quota { name, used, limit } => {
                self.put("name", name)?;
                self.put("used", used)?;
                self.put("limit", limit)
            }
            _ => Ok(()),
        }
    }

    fn support(&mut self, body: &Body<'_>) -> Result<(), M::Error> {
        match body {
            Body::Ticket { step: _, ticket, channel, priority, topic } => {
                self.put("ticket", ticket)?;
                self.some("channel", channel)?;
                self.some("priority", &priority.map(|priority| word_of(&words::PRIORITIES, priority)))?;
                self.some("topic", topic)
            }
            Body::Survey { kind, score, scale_min, scale_max, higher_is_better, user, role, ticket } => {
                self.put("kind", word_of(&words::SURVEY_KINDS, *kind))?;
                self.put("score", score)?;
                self.put("scale_min", scale_min)?;
                self.put("scale_max", scale_max)?;
                self.put("direction", word_of(&words::DIRECTIONS, *higher_is_better))?;
                self.user("user", *user)?;
                self.some("role", role)?;
                self.some("ticket", ticket)
            }
            Body::Cancellation { step: _, user, reason, effective } => {
                self.user("user", *user)?;
                self.some("reason", reason)?;
                self.time("effective", *effective)
            }
            _ => Ok(()),
        }
    }

    fn money(&mut self, body: &Body<'_>) -> Result<(), M::Error> {
        match body {
            Body::Subscription { step: _, subscription, plan, mrr_minor, currency, seats, period_end, trial, reason } => {
                self.put("subscription", subscription)?;
                self.some("plan", plan)?;
                self.some("mrr_minor", mrr_minor)?;
                self.currency("currency", *currency)?;
                self.some("seats", seats)?;
                self.time("period_end", *period_end)?;
                self.some("trial", trial)?;
                self.some("reason", &reason.map(|reason| word_of(&words::END_REASONS, reason)))
            }
            Body::Invoice { step: _, invoice, amount_minor, currency, due, attempt } => {
                self.put("invoice", invoice)?;
                self.some("amount_minor", amount_minor)?;
                self.currency("currency", *currency)?;
                self.time("due", *due)?;
                self.some("attempt", attempt)
            }
            Body::Cost { acquisition, amount_minor, currency, period } => {
                self.put("kind", word_of(&words::COST_KINDS, *acquisition))?;
                self.put("amount_minor", amount_minor)?;
                self.currency("currency", Some(*currency))?;
                self.put("period", period)
            }
            _ => Ok(()),
        }
    }

    fn account(&mut self, body: &Body<'_>) -> Result<(), M::Error> {
        match body {
            Body::Account { created: _, segment, industry, country, owner } => {
                self.some("segment", segment)?;
                self.some("industry", industry)?;
                self.some("country", country)?;
                self.some("owner", owner)
            }
            Body::User { step: _, user, expires } => {
                self.user("user", Some(*user))?;
                self.time("expires", *expires)
            }
            Body::Milestone { name, is_final } => {
                self.put("name", name)?;
                self.unless_default("final", *is_final, false)
            }
            Body::Contact { role, user, previous_user } => {
                self.put("role", role)?;
                self.user("user", *user)?;
                self.user("previous_user", *previous_user)
            }
            Body::Consent { marketing, user } => {
                self.put("marketing", marketing)?;
                self.user("user", *user)
            }
            _ => Ok(()),
        }
    }

    fn relation(&mut self, body: &Body<'_>) -> Result<(), M::Error> {
        match body {
            Body::Note { resolved: _, note, kind } => {
                self.put("note", note)?;
                self.some("kind", &kind.map(|kind| word_of(&words::NOTE_KINDS, kind)))
            }
            Body::Touch { channel } => self.some("channel", channel),
            Body::Incident { resolved: _, incident, serious } => {
                self.put("incident", incident)?;
                self.some("severity", &serious.then_some(words::SERIOUS_SEVERITIES[0]))
            }
            Body::Goal { set: _, metric, target, value, due } => {
                self.put("metric", metric)?;
                self.some("target", target)?;
                self.some("value", value)?;
                self.time("due", *due)
            }
            Body::Lead { kind } => self.some("kind", kind),
            Body::Campaign { step: _, campaign, user, amount_minor, currency } => {
                self.put("campaign", campaign)?;
                self.user("user", *user)?;
                self.some("amount_minor", amount_minor)?;
                self.currency("currency", *currency)
            }
            Body::Feedback { step: _, signal, by, until, useful } => {
                self.put("signal", signal)?;
                self.some("by", by)?;
                self.time("until", *until)?;
                self.some("useful", useful)
            }
            _ => Ok(()),
        }
    }

    fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), M::Error> {
        self.0.serialize_entry(name, value)
    }

    fn some<T: Serialize>(&mut self, name: &str, value: &Option<T>) -> Result<(), M::Error> {
        value.as_ref().map_or(Ok(()), |value| self.put(name, value))
    }

    fn unless_default<T: Serialize + PartialEq>(&mut self, name: &str, value: T, default: T) -> Result<(), M::Error> {
        if value == default { Ok(()) } else { self.put(name, &value) }
    }

    fn user(&mut self, name: &str, user: Option<UserToken>) -> Result<(), M::Error> {
        self.some(name, &user.map(Token))
    }

    fn time(&mut self, name: &str, time: Option<Time>) -> Result<(), M::Error> {
        self.some(name, &time.map(Instant))
    }

    fn currency(&mut self, name: &str, currency: Option<Currency>) -> Result<(), M::Error> {
        self.some(name, &currency.map(|Currency(letters)| Text::from(String::from_utf8_lossy(&letters).into_owned())))
    }
}

struct Token(UserToken);

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&token_bytes(self.0)))
    }
}

struct Instant(Time);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&to_jiff(self.0))
    }
}
