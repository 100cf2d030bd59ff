//! The table of event types: name on the wire, and the topic family each belongs to.

/// The type of an event, in the order of the contract's table. The position is a bit in [`EventTypes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the wire name in `EventType::ALL` says it all")]
pub enum EventType {
    Login,
    TicketOpened,
    TicketAnswered,
    TicketSolved,
    TicketReopened,
    SubscriptionStarted,
    SubscriptionChanged,
    SubscriptionRenewed,
    SubscriptionEnded,
    InvoiceIssued,
    InvoicePaid,
    PaymentFailed,
    PaymentRecovered,
    CancellationViewed,
    CancellationReasoned,
    CancellationRequested,
    CancellationAcknowledged,
    CancellationWithdrawn,
    Usage,
    Quota,
    SurveyAnswered,
    AccountCreated,
    AccountUpdated,
    UserInvited,
    UserActivated,
    UserRemoved,
    MilestoneReached,
    ContactChanged,
    ConsentChanged,
    NoteRecorded,
    NoteResolved,
    TouchRecorded,
    IncidentStarted,
    IncidentResolved,
    GoalSet,
    GoalProgressed,
    LeadRecorded,
    CampaignSent,
    CampaignFailed,
    CampaignOpened,
    CampaignClicked,
    CampaignConverted,
    CampaignUnsubscribed,
    SignalAcknowledged,
    SignalDismissed,
    SignalSnoozed,
    SignalRated,
    CostRecorded,
    CustomerErased,
}

/// A family of event types: one input topic each, as a rule's `needs` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the name in `Family::name` says it all")]
pub enum Family {
    Login,
    Ticket,
    Billing,
    Cancellation,
    Usage,
    Survey,
    Account,
    Campaign,
    Feedback,
    Company,
    Privacy,
}

impl EventType {
    /// Every type with its wire name and family, in the order of the enum.
    pub const ALL: [(EventType, &'static str, Family); 49] = [
        (EventType::Login, "login", Family::Login),
        (EventType::TicketOpened, "ticket.opened", Family::Ticket),
        (EventType::TicketAnswered, "ticket.answered", Family::Ticket),
        (EventType::TicketSolved, "ticket.solved", Family::Ticket),
        (EventType::TicketReopened, "ticket.reopened", Family::Ticket),
        (EventType::SubscriptionStarted, "subscription.started", Family::Billing),
        (EventType::SubscriptionChanged, "subscription.changed", Family::Billing),
        (EventType::SubscriptionRenewed, "subscription.renewed", Family::Billing),
        (EventType::SubscriptionEnded, "subscription.ended", Family::Billing),
        (EventType::InvoiceIssued, "invoice.issued", Family::Billing),
        (EventType::InvoicePaid, "invoice.paid", Family::Billing),
        (EventType::PaymentFailed, "payment.failed", Family::Billing),
        (EventType::PaymentRecovered, "payment.recovered", Family::Billing),
        (EventType::CancellationViewed, "cancellation.viewed", Family::Cancellation),
        (EventType::CancellationReasoned, "cancellation.reasoned", Family::Cancellation),
        (EventType::CancellationRequested, "cancellation.requested", Family::Cancellation),
        (EventType::CancellationAcknowledged, "cancellation.acknowledged", Family::Cancellation),
        (EventType::CancellationWithdrawn, "cancellation.withdrawn", Family::Cancellation),
        (EventType::Usage, "usage", Family::Usage),
        (EventType::Quota, "quota", Family::Usage),
        (EventType::SurveyAnswered, "survey.answered", Family::Survey),
        (EventType::AccountCreated, "account.created", Family::Account),
        (EventType::AccountUpdated, "account.updated", Family::Account),
        (EventType::UserInvited, "user.invited", Family::Account),
        (EventType::UserActivated, "user.activated", Family::Account),
        (EventType::UserRemoved, "user.removed", Family::Account),
        (EventType::MilestoneReached, "milestone.reached", Family::Account),
        (EventType::ContactChanged, "contact.changed", Family::Account),
        (EventType::ConsentChanged, "consent.changed", Family::Account),
        (EventType::NoteRecorded, "note.recorded", Family::Account),
        (EventType::NoteResolved, "note.resolved", Family::Account),
        (EventType::TouchRecorded, "touch.recorded", Family::Account),
        (EventType::IncidentStarted, "incident.started", Family::Account),
        (EventType::IncidentResolved, "incident.resolved", Family::Account),
        (EventType::GoalSet, "goal.set", Family::Account),
        (EventType::GoalProgressed, "goal.progressed", Family::Account),
        (EventType::LeadRecorded, "lead.recorded", Family::Account),
        (EventType::CampaignSent, "campaign.sent", Family::Campaign),
        (EventType::CampaignFailed, "campaign.failed", Family::Campaign),
        (EventType::CampaignOpened, "campaign.opened", Family::Campaign),
        (EventType::CampaignClicked, "campaign.clicked", Family::Campaign),
        (EventType::CampaignConverted, "campaign.converted", Family::Campaign),
        (EventType::CampaignUnsubscribed, "campaign.unsubscribed", Family::Campaign),
        (EventType::SignalAcknowledged, "signal.acknowledged", Family::Feedback),
        (EventType::SignalDismissed, "signal.dismissed", Family::Feedback),
        (EventType::SignalSnoozed, "signal.snoozed", Family::Feedback),
        (EventType::SignalRated, "signal.rated", Family::Feedback),
        (EventType::CostRecorded, "cost.recorded", Family::Company),
        (EventType::CustomerErased, "customer.erased", Family::Privacy),
    ];

    /// The CloudEvents `type`, such as `ticket.opened`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The family it belongs to.
    #[must_use]
    pub fn family(self) -> Family {
        Self::ALL[self as usize].2
    }

    /// The type of that wire name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<EventType> {
        Some(match name {
            "login" => EventType::Login,
            "ticket.opened" => EventType::TicketOpened,
            "ticket.answered" => EventType::TicketAnswered,
            "ticket.solved" => EventType::TicketSolved,
            "ticket.reopened" => EventType::TicketReopened,
            "subscription.started" => EventType::SubscriptionStarted,
            "subscription.changed" => EventType::SubscriptionChanged,
            "subscription.renewed" => EventType::SubscriptionRenewed,
            "subscription.ended" => EventType::SubscriptionEnded,
            "invoice.issued" => EventType::InvoiceIssued,
            "invoice.paid" => EventType::InvoicePaid,
            "payment.failed" => EventType::PaymentFailed,
            "payment.recovered" => EventType::PaymentRecovered,
            "cancellation.viewed" => EventType::CancellationViewed,
            "cancellation.reasoned" => EventType::CancellationReasoned,
            "cancellation.requested" => EventType::CancellationRequested,
            "cancellation.acknowledged" => EventType::CancellationAcknowledged,
            "cancellation.withdrawn" => EventType::CancellationWithdrawn,
            "usage" => EventType::Usage,
            "quota" => EventType::Quota,
            "survey.answered" => EventType::SurveyAnswered,
            "account.created" => EventType::AccountCreated,
            "account.updated" => EventType::AccountUpdated,
            "user.invited" => EventType::UserInvited,
            "user.activated" => EventType::UserActivated,
            "user.removed" => EventType::UserRemoved,
            "milestone.reached" => EventType::MilestoneReached,
            "contact.changed" => EventType::ContactChanged,
            "consent.changed" => EventType::ConsentChanged,
            "note.recorded" => EventType::NoteRecorded,
            "note.resolved" => EventType::NoteResolved,
            "touch.recorded" => EventType::TouchRecorded,
            "incident.started" => EventType::IncidentStarted,
            "incident.resolved" => EventType::IncidentResolved,
            "goal.set" => EventType::GoalSet,
            "goal.progressed" => EventType::GoalProgressed,
            "lead.recorded" => EventType::LeadRecorded,
            "campaign.sent" => EventType::CampaignSent,
            "campaign.failed" => EventType::CampaignFailed,
            "campaign.opened" => EventType::CampaignOpened,
            "campaign.clicked" => EventType::CampaignClicked,
            "campaign.converted" => EventType::CampaignConverted,
            "campaign.unsubscribed" => EventType::CampaignUnsubscribed,
            "signal.acknowledged" => EventType::SignalAcknowledged,
            "signal.dismissed" => EventType::SignalDismissed,
            "signal.snoozed" => EventType::SignalSnoozed,
            "signal.rated" => EventType::SignalRated,
            "cost.recorded" => EventType::CostRecorded,
            "customer.erased" => EventType::CustomerErased,
            _ => return None,
        })
    }
}

impl Family {
    /// Every family, in the order of the enum.
    pub const ALL: [Family; 11] = [
        Family::Login,
        Family::Ticket,
        Family::Billing,
        Family::Cancellation,
        Family::Usage,
        Family::Survey,
        Family::Account,
        Family::Campaign,
        Family::Feedback,
        Family::Company,
        Family::Privacy,
    ];

    /// The family's name, such as `billing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Login => "login",
            Family::Ticket => "ticket",
            Family::Billing => "billing",
            Family::Cancellation => "cancellation",
            Family::Usage => "usage",
            Family::Survey => "survey",
            Family::Account => "account",
            Family::Campaign => "campaign",
            Family::Feedback => "feedback",
            Family::Company => "company",
            Family::Privacy => "privacy",
        }
    }
}

/// A set of event types, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventTypes(pub u64);

impl EventTypes {
    /// Adds a type.
    pub fn insert(&mut self, kind: EventType) {
        self.0 |= 1 << kind as u8;
    }

    /// Whether the two sets share a type.
    #[must_use]
    pub fn intersects(self, other: EventTypes) -> bool {
        self.0 & other.0 != 0
    }

    /// All types of a family (`billing`), or the one type of that wire name (`invoice.issued`).
    #[must_use]
    pub fn named(name: &str) -> Option<EventTypes> {
        let mut types = EventTypes::default();
        for (kind, wire_name, family) in EventType::ALL {
            if wire_name == name || family.name() == name {
                types.insert(kind);
            }
        }
        (types != EventTypes::default()).then_some(types)
    }
}

impl crate::event::Body<'_> {
    /// The type of this body.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        use crate::event::{Body, CampaignStep, CancellationStep, FeedbackStep, InvoiceStep, SubscriptionStep, TicketStep, UserStep};
        match self {
            Body::Login { .. } => EventType::Login,
            Body::Ticket { step, .. } => match step {
                TicketStep::Opened => EventType::TicketOpened,
                TicketStep::Answered => EventType::TicketAnswered,
                TicketStep::Solved => EventType::TicketSolved,
                TicketStep::Reopened => EventType::TicketReopened,
            },
            Body::Subscription { step, .. } => match step {
                SubscriptionStep::Started => EventType::SubscriptionStarted,
                SubscriptionStep::Changed => EventType::SubscriptionChanged,
                SubscriptionStep::Renewed => EventType::SubscriptionRenewed,
                SubscriptionStep::Ended => EventType::SubscriptionEnded,
            },
            Body::Invoice { step, .. } => match step {
                InvoiceStep::Issued => EventType::InvoiceIssued,
                InvoiceStep::Paid => EventType::InvoicePaid,
                InvoiceStep::PaymentFailed => EventType::PaymentFailed,
                InvoiceStep::PaymentRecovered => EventType::PaymentRecovered,
            },
            Body::Cancellation { step, .. } => match step {
                CancellationStep::Viewed => EventType::CancellationViewed,
                CancellationStep::Reasoned => EventType::CancellationReasoned,
                CancellationStep::Requested => EventType::CancellationRequested,
                CancellationStep::Acknowledged => EventType::CancellationAcknowledged,
                CancellationStep::Withdrawn => EventType::CancellationWithdrawn,
            },
            Body::Usage { .. } => EventType::Usage,
            Body::Quota { .. } => EventType::Quota,
            Body::Survey { .. } => EventType::SurveyAnswered,
            Body::Account { created: true, .. } => EventType::AccountCreated,
            Body::Account { created: false, .. } => EventType::AccountUpdated,
            Body::User { step, .. } => match step {
                UserStep::Invited => EventType::UserInvited,
                UserStep::Activated => EventType::UserActivated,
                UserStep::Removed => EventType::UserRemoved,
            },
            Body::Milestone { .. } => EventType::MilestoneReached,
            Body::Contact { .. } => EventType::ContactChanged,
            Body::Consent { .. } => EventType::ConsentChanged,
            Body::Note { resolved: false, .. } => EventType::NoteRecorded,
            Body::Note { resolved: true, .. } => EventType::NoteResolved,
            Body::Touch { .. } => EventType::TouchRecorded,
            Body::Incident { resolved: false, .. } => EventType::IncidentStarted,
            Body::Incident { resolved: true, .. } => EventType::IncidentResolved,
            Body::Goal { set: true, .. } => EventType::GoalSet,
            Body::Goal { set: false, .. } => EventType::GoalProgressed,
            Body::Lead { .. } => EventType::LeadRecorded,
            Body::Campaign { step, .. } => match step {
                CampaignStep::Sent => EventType::CampaignSent,
                CampaignStep::Failed => EventType::CampaignFailed,
                CampaignStep::Opened => EventType::CampaignOpened,
                CampaignStep::Clicked => EventType::CampaignClicked,
                CampaignStep::Converted => EventType::CampaignConverted,
                CampaignStep::Unsubscribed => EventType::CampaignUnsubscribed,
            },
            Body::Feedback { step, .. } => match step {
                FeedbackStep::Acknowledged => EventType::SignalAcknowledged,
                FeedbackStep::Dismissed => EventType::SignalDismissed,
                FeedbackStep::Snoozed => EventType::SignalSnoozed,
                FeedbackStep::Rated => EventType::SignalRated,
            },
            Body::Cost { .. } => EventType::CostRecorded,
            Body::Erased => EventType::CustomerErased,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EventType;

    #[test]
    fn every_name_finds_its_type() {
        for (index, (kind, name, _)) in EventType::ALL.iter().enumerate() {
            assert_eq!(EventType::from_name(name), Some(*kind));
            assert_eq!(*kind as usize, index, "{name} stands at the position of its bit");
        }
        assert_eq!(EventType::from_name("Login"), None);
    }
}
