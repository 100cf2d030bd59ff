//! Input events as the engine sees them: decoded, validated, pseudonymised, with borrowed text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::event_type::EventType;
use crate::time::Time;
use crate::trace_parent::TraceParent;

/// Text that borrows from the decoded line where it can.
pub type Text<'a> = Cow<'a, str>;

/// The 128-bit hash of a customer id: the key of everything kept for that customer, and the order of customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerKey(pub u128);

impl CustomerKey {
    /// The key of a customer id.
    #[must_use]
    pub fn of(customer: &str) -> Self {
        Self(xxh3_128(customer.as_bytes()))
    }

    /// The journal partition of this customer among `partitions` (at least 1).
    #[must_use]
    pub fn partition(self, partitions: u16) -> u16 {
        (self.0 as u64 % u64::from(partitions.max(1))) as u16
    }
}

/// A pseudonymised user: the keyed hash of a user id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserToken(pub u64);

/// An ISO 4217 currency code in capitals, such as `EUR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency(pub [u8; 3]);

/// One input event of one customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// When it happened, by the producer's clock.
    pub time: Time,
    /// CloudEvents `source`; with `id` it identifies the event.
    pub source: Text<'a>,
    /// CloudEvents `id`.
    pub id: Text<'a>,
    /// CloudEvents `subject`: the customer id.
    pub customer: Text<'a>,
    /// The trace that it belongs to; what it decides carries it along.
    pub traceparent: Option<TraceParent<'a>>,
    /// What happened.
    pub body: Body<'a>,
}

impl Event<'_> {
    /// The identity by which duplicates are recognised: a hash of source and id.
    #[must_use]
    pub fn identity(&self) -> u64 {
        Self::identity_of(&self.source, &self.id)
    }

    /// The identity of an event with this `source` and `id`.
    #[must_use]
    pub fn identity_of(source: &str, id: &str) -> u64 {
        xxh3_64_with_seed(id.as_bytes(), xxh3_64_with_seed(source.as_bytes(), 0))
    }

    /// The type of the event.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        self.body.event_type()
    }
}

/// What happened, by type. Optional fields are `None` when the producer did not send them: unknown is not zero.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the contract's table of types")]
pub enum Body<'a> {
    /// `login`: somebody signed in (or failed to: `ok` is false).
    Login { user: Option<UserToken>, ok: bool },
    /// `ticket.*`
    Ticket { step: TicketStep, ticket: Text<'a>, channel: Option<Text<'a>>, priority: Option<Priority>, topic: Option<Text<'a>> },
    /// `subscription.*`; `mrr_minor` is monthly recurring revenue in minor units, zero or more.
    Subscription {
        step: SubscriptionStep,
        subscription: Text<'a>,
        plan: Option<Text<'a>>,
        mrr_minor: Option<i64>,
        currency: Option<Currency>,
        seats: Option<u32>,
        period_end: Option<Time>,
        trial: Option<bool>,
        reason: Option<EndReason>,
    },
    /// `invoice.*` and `payment.*`; `attempt` counts from 1.
    Invoice {
        step: InvoiceStep,
        invoice: Text<'a>,
        amount_minor: Option<i64>,
        currency: Option<Currency>,
        due: Option<Time>,
        attempt: Option<u32>,
    },
    /// `cancellation.*`; `reason` is a short code, not free text.
    Cancellation { step: CancellationStep, user: Option<UserToken>, reason: Option<Text<'a>>, effective: Option<Time> },
    /// `usage`: `count` uses of a product feature.
    Usage { feature: Text<'a>, count: u32, value: Option<f64>, user: Option<UserToken> },
    /// `quota`: how much of a limit is used, both in the quota's own unit.
    Quota { name: Text<'a>, used: f64, limit: f64 },
    /// `survey.answered`; the scale defaults by kind (NPS 0-10, others 1-5), `higher_is_better` defaults to true.
    Survey {
        kind: SurveyKind,
        score: f64,
        scale_min: f64,
        scale_max: f64,
        higher_is_better: bool,
        user: Option<UserToken>,
        role: Option<Text<'a>>,
        ticket: Option<Text<'a>>,
    },
    /// `account.created` and `account.updated`
    Account { created: bool, segment: Option<Text<'a>>, industry: Option<Text<'a>>, country: Option<Text<'a>>, owner: Option<Text<'a>> },
    /// `user.*`
    User { step: UserStep, user: UserToken, expires: Option<Time> },
    /// `milestone.reached`; `is_final` ends onboarding.
    Milestone { name: Text<'a>, is_final: bool },
    /// `contact.changed`: the contact of a role is now `user`, or nobody.
    Contact { role: Text<'a>, user: Option<UserToken>, previous_user: Option<UserToken> },
    /// `consent.changed`: for one user, or for the whole customer when `user` is absent.
    Consent { marketing: bool, user: Option<UserToken> },
    /// `note.recorded` and `note.resolved`
    Note { resolved: bool, note: Text<'a>, kind: Option<NoteKind> },
    /// `touch.recorded`: somebody of ours spoke with the customer.
    Touch { channel: Option<Text<'a>> },
    /// `incident.started` and `incident.resolved`
    Incident { resolved: bool, incident: Text<'a>, serious: bool },
    /// `goal.set` and `goal.progressed`
    Goal { set: bool, metric: Text<'a>, target: Option<f64>, value: Option<f64>, due: Option<Time> },
    /// `lead.recorded`: support or sales saw interest in more.
    Lead { kind: Option<Text<'a>> },
    /// `campaign.*`
    Campaign { step: CampaignStep, campaign: Text<'a>, user: Option<UserToken>, amount_minor: Option<i64>, currency: Option<Currency> },
    /// `signal.*`: what a person made of a signal.
    Feedback { step: FeedbackStep, signal: Text<'a>, by: Option<Text<'a>>, until: Option<Time>, useful: Option<bool> },
    /// `cost.recorded`, subject `_company`
    Cost { acquisition: bool, amount_minor: i64, currency: Currency, period: Text<'a> },
    /// `customer.erased`
    Erased,
}

/// The life of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum TicketStep {
    Opened,
    Answered,
    Solved,
    Reopened,
}

/// The life of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum SubscriptionStep {
    Started,
    Changed,
    Renewed,
    Ended,
}

/// The life of an invoice; `PaymentFailed` and `PaymentRecovered` are the `payment.*` types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum InvoiceStep {
    Issued,
    PaymentFailed,
    PaymentRecovered,
    Paid,
}

/// The life of a cancellation notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum CancellationStep {
    Viewed,
    Reasoned,
    Requested,
    Acknowledged,
    Withdrawn,
}

/// The life of a user account inside a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum UserStep {
    Invited,
    Activated,
    Removed,
}

/// What became of a campaign message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum CampaignStep {
    Sent,
    Failed,
    Opened,
    Clicked,
    Converted,
    Unsubscribed,
}

/// What a person made of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum FeedbackStep {
    Acknowledged,
    Dismissed,
    Snoozed,
    Rated,
}

/// Ticket priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum EndReason {
    Voluntary,
    Involuntary,
    Other,
}

/// The kind of a survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum SurveyKind {
    Nps,
    Csat,
    Ces,
    Goal,
}

/// The kind of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum NoteKind {
    FeatureRequest,
    Observation,
    Risk,
    Praise,
}
