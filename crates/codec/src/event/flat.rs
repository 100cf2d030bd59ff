//! An event as named values, for tables: the fields of its type, with their defaults, as rows of all types share columns.

use std::str;

use bellwether_engine::event::{Body, Currency, Event, Text, UserToken};
use bellwether_engine::time::Time;

use super::names::Field;
use super::words::{self, word_of};

/// A value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'e> {
    Text(&'e str),
    User(UserToken),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Time(Time),
}

/// Hands over the data fields of an event that have a value.
pub(crate) fn flatten<'e>(event: &'e Event<'_>, put: impl FnMut(Field, Value<'e>)) {
    let mut fields = Fields(put);
    match &event.body {
        Body::Subscription { .. } | Body::Invoice { .. } | Body::Cost { .. } => fields.money(&event.body),
        Body::Login { .. } | Body::Usage { .. } | Body::Quota { .. } => fields.activity(&event.body),
        Body::Ticket { .. } | Body::Survey { .. } | Body::Cancellation { .. } => fields.support(&event.body),
        Body::Account { .. } | Body::User { .. } | Body::Milestone { .. } | Body::Contact { .. } | Body::Consent { .. } => {
            fields.account(&event.body);
        }
        _ => fields.relation(&event.body),
    }
}

struct Fields<P>(P);

impl<'e, P: FnMut(Field, Value<'e>)> Fields<P> {
    fn activity(&mut self, body: &'e Body<'_>) {
        match body {
            Body::Login { user, ok } => {
                self.user(Field::User, *user);
                self.put(Field::Ok, Value::Boolean(*ok));
            }
            Body::Usage { feature, count, value, user } => {
                self.put(Field::Feature, Value::Text(feature));
                self.user(Field::User, *user);
                self.put(Field::Count, Value::Integer(i64::from(*count)));
                self.number(Field::Value, *value);
            }
            Body::Quota { name, used, limit } => {
                self.put(Field::Name, Value::Text(name));
                self.put(Field::Used, Value::Number(*used));
                self.put(Field::Limit, Value::Number(*limit));
            }
            _ => {}
        }
    }

    fn support(&mut self, body: &'e Body<'_>) {
        match body {
            Body::Ticket { step: _, ticket, channel, priority, topic } => {
                self.put(Field::Ticket, Value::Text(ticket));
                self.text(Field::Channel, channel);
                self.word(Field::Priority, priority.map(|priority| word_of(&words::PRIORITIES, priority)));
                self.text(Field::Topic, topic);
            }
            Body::Survey { kind, score, scale_min, scale_max, higher_is_better, user, role, ticket } => {
                self.word(Field::Kind, Some(word_of(&words::SURVEY_KINDS, *kind)));
                self.put(Field::Score, Value::Number(*score));
                self.put(Field::ScaleMin, Value::Number(*scale_min));
                self.put(Field::ScaleMax, Value::Number(*scale_max));
                self.word(Field::Direction, Some(word_of(&words::DIRECTIONS, *higher_is_better)));
                self.user(Field::User, *user);
                self.text(Field::Role, role);
                self.text(Field::Ticket, ticket);
            }
            Body::Cancellation { step: _, user, reason, effective } => {
                self.user(Field::User, *user);
                self.text(Field::Reason, reason);
                self.time(Field::Effective, *effective);
            }
            _ => {}
        }
    }

    fn money(&mut self, body: &'e Body<'_>) {
        match body {
            Body::Subscription { step: _, subscription, plan, mrr_minor, currency, seats, period_end, trial, reason } => {
                self.put(Field::Subscription, Value::Text(subscription));
                self.text(Field::Plan, plan);
                self.integer(Field::MrrMinor, *mrr_minor);
                self.currency(currency.as_ref());
                self.integer(Field::Seats, seats.map(i64::from));
                self.time(Field::PeriodEnd, *period_end);
                self.boolean(Field::Trial, *trial);
                self.word(Field::Reason, reason.map(|reason| word_of(&words::END_REASONS, reason)));
            }
            Body::Invoice { step: _, invoice, amount_minor, currency, due, attempt } => {
                self.put(Field::Invoice, Value::Text(invoice));
                self.integer(Field::AmountMinor, *amount_minor);
                self.currency(currency.as_ref());
                self.time(Field::Due, *due);
                self.integer(Field::Attempt, attempt.map(i64::from));
            }
            Body::Cost { acquisition, amount_minor, currency, period } => {
                self.word(Field::Kind, Some(word_of(&words::COST_KINDS, *acquisition)));
                self.put(Field::AmountMinor, Value::Integer(*amount_minor));
                self.currency(Some(currency));
                self.put(Field::Period, Value::Text(period));
            }
            _ => {}
        }
    }

    fn account(&mut self, body: &'e Body<'_>) {
        match body {
            Body::Account { created: _, segment, industry, country, owner } => {
                self.text(Field::Segment, segment);
                self.text(Field::Industry, industry);
                self.text(Field::Country, country);
                self.text(Field::Owner, owner);
            }
            Body::User { step: _, user, expires } => {
                self.user(Field::User, Some(*user));
                self.time(Field::Expires, *expires);
            }
            Body::Milestone { name, is_final } => {
                self.put(Field::Name, Value::Text(name));
                self.put(Field::Final, Value::Boolean(*is_final));
            }
            Body::Contact { role, user, previous_user } => {
                self.put(Field::Role, Value::Text(role));
                self.user(Field::User, *user);
                self.user(Field::PreviousUser, *previous_user);
            }
            Body::Consent { marketing, user } => {
                self.put(Field::Marketing, Value::Boolean(*marketing));
                self.user(Field::User, *user);
            }
            _ => {}
        }
    }

    fn relation(&mut self, body: &'e Body<'_>) {
        match body {
            Body::Note { resolved: _, note, kind } => {
                self.put(Field::Note, Value::Text(note));
                self.word(Field::Kind, kind.map(|kind| word_of(&words::NOTE_KINDS, kind)));
            }
            Body::Touch { channel } => self.text(Field::Channel, channel),
            Body::Incident { resolved: _, incident, serious } => {
                self.put(Field::Incident, Value::Text(incident));
                self.word(Field::Severity, serious.then_some(words::SERIOUS_SEVERITIES[0]));
            }
            Body::Goal { set: _, metric, target, value, due } => {
                self.put(Field::Metric, Value::Text(metric));
                self.number(Field::Target, *target);
                self.number(Field::Value, *value);
                self.time(Field::Due, *due);
            }
            Body::Lead { kind } => self.text(Field::Kind, kind),
            Body::Campaign { step: _, campaign, user, amount_minor, currency } => {
                self.put(Field::Campaign, Value::Text(campaign));
                self.user(Field::User, *user);
                self.integer(Field::AmountMinor, *amount_minor);
                self.currency(currency.as_ref());
            }
            Body::Feedback { step: _, signal, by, until, useful } => {
                self.put(Field::Signal, Value::Text(signal));
                self.text(Field::By, by);
                self.time(Field::Until, *until);
                self.boolean(Field::Useful, *useful);
            }
            _ => {}
        }
    }

    fn put(&mut self, field: Field, value: Value<'e>) {
        (self.0)(field, value);
    }

    fn some(&mut self, field: Field, value: Option<Value<'e>>) {
        value.into_iter().for_each(|value| self.put(field, value));
    }

    fn text(&mut self, field: Field, text: &'e Option<Text<'_>>) {
        self.some(field, text.as_deref().map(Value::Text));
    }

    fn word(&mut self, field: Field, word: Option<&'static str>) {
        self.some(field, word.map(Value::Text));
    }

    fn user(&mut self, field: Field, user: Option<UserToken>) {
        self.some(field, user.map(Value::User));
    }

    fn integer(&mut self, field: Field, integer: Option<i64>) {
        self.some(field, integer.map(Value::Integer));
    }

    fn number(&mut self, field: Field, number: Option<f64>) {
        self.some(field, number.map(Value::Number));
    }

    fn boolean(&mut self, field: Field, boolean: Option<bool>) {
        self.some(field, boolean.map(Value::Boolean));
    }

    fn time(&mut self, field: Field, time: Option<Time>) {
        self.some(field, time.map(Value::Time));
    }

    fn currency(&mut self, currency: Option<&'e Currency>) {
        self.some(Field::Currency, currency.and_then(|Currency(letters)| str::from_utf8(letters).ok()).map(Value::Text));
    }
}
