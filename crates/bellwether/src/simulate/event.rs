//! The events that are written: their `data` by type, and the ids inside them.

use std::fmt;

use bellwether_engine::event_type::{EventType, Family};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

/// The `data` of an event. Fields that are `None` are left out: unknown is not zero.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub enum Data {
    Login {
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        method: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        ok: Option<bool>,
    },
    TicketOpened {
        ticket: Reference,
        channel: &'static str,
        priority: &'static str,
        topic: &'static str,
    },
    Ticket {
        ticket: Reference,
    },
    Subscription {
        subscription: Reference,
        plan: &'static str,
        mrr_minor: i64,
        currency: &'static str,
        seats: u32,
        period_end: Date,
    },
    SubscriptionEnded {
        subscription: Reference,
        reason: &'static str,
    },
    Invoice {
        invoice: Reference,
        amount_minor: i64,
        currency: &'static str,
        due: Date,
    },
    Payment {
        invoice: Reference,
        amount_minor: i64,
        currency: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
    },
    Cancellation {
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        effective: Option<Date>,
    },
    Usage {
        feature: &'static str,
        count: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
    },
    Quota {
        name: &'static str,
        used: u32,
        limit: u32,
    },
    Survey {
        kind: &'static str,
        score: i32,
        scale_min: i32,
        scale_max: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        direction: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        ticket: Option<Reference>,
    },
    Account {
        segment: &'static str,
        industry: &'static str,
        country: &'static str,
        owner: &'static str,
    },
    User {
        user: User,
        #[serde(skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    Milestone {
        name: &'static str,
        r#final: bool,
    },
    Contact {
        role: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        #[serde(skip_serializing_if = "Option::is_none")]
        previous_user: Option<User>,
    },
    Consent {
        marketing: bool,
    },
    Note {
        note: Reference,
        #[serde(skip_serializing_if = "Option::is_none")]
        kind: Option<&'static str>,
    },
    Touch {
        channel: &'static str,
    },
    Incident {
        incident: Reference,
        severity: &'static str,
    },
    Goal {
        metric: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        due: Option<Date>,
    },
    Lead {
        kind: &'static str,
    },
    Campaign {
        campaign: Quarterly,
        #[serde(skip_serializing_if = "Option::is_none")]
        user: Option<User>,
        #[serde(skip_serializing_if = "Option::is_none")]
        amount_minor: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        currency: Option<&'static str>,
    },
    Cost {
        kind: &'static str,
        amount_minor: i64,
        currency: &'static str,
        period: Month,
    },
}

/// A user of a customer, such as `u-00042-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// The number of the customer.
    pub customer: u32,
    /// Counted from 1 within the customer.
    pub number: u32,
}

/// The id of a ticket, invoice, subscription, note or incident, such as `T-00042-3`; without customer, the id of something that many share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it is the id of.
    pub prefix: &'static str,
    /// The number of the customer.
    pub customer: Option<u32>,
    /// Counted from 1.
    pub number: u32,
}

/// The id of a campaign that goes out once a quarter, such as `2024-q1-news`.
#[derive(Clone, Copy, Debug)]
pub struct Quarterly(pub Date);

/// A month, such as `2024-01`.
#[derive(Clone, Copy, Debug)]
pub struct Month(pub Date);

impl fmt::Display for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "u-{:05}-{}", self.customer, self.number)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.customer {
            Some(customer) => write!(formatter, "{}-{customer:05}-{}", self.prefix, self.number),
            None => write!(formatter, "{}-{}", self.prefix, self.number),
        }
    }
}

impl fmt::Display for Quarterly {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-q{}-news", self.0.year(), (self.0.month() + 2) / 3)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl Serialize for User {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Quarterly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The system that sends events of this type: the CloudEvents `source` without its slash.
pub fn system(kind: EventType) -> &'static str {
    match kind.family() {
        Family::Login => "auth",
        Family::Ticket => "helpdesk",
        Family::Billing | Family::Company => "billing",
        Family::Cancellation => "web",
        Family::Usage => "product",
        Family::Survey => "survey",
        Family::Account | Family::Campaign | Family::Feedback | Family::Privacy => "crm",
    }
}
