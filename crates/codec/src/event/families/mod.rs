//! The bodies of the event types: which data fields each type knows, and what they must hold together.

mod account;
mod activity;
mod money;
mod relation;
mod support;

use bellwether_engine::event::{Body, CampaignStep, CancellationStep, FeedbackStep, InvoiceStep, SubscriptionStep, TicketStep, UserStep};
use bellwether_engine::event_type::EventType;

use super::Users;
use super::names::Field;
use super::values::Values;
use crate::rejection::Rejection;

/// The data fields that an event type knows.
pub(super) fn field_names(kind: EventType) -> &'static [Field] {
    use EventType as E;
    match kind {
        E::Login => activity::LOGIN,
        E::Usage => activity::USAGE,
        E::Quota => activity::QUOTA,
        E::TicketOpened | E::TicketAnswered | E::TicketSolved | E::TicketReopened => support::TICKET,
        E::SurveyAnswered => support::SURVEY,
        E::CancellationViewed
        | E::CancellationReasoned
        | E::CancellationRequested
        | E::CancellationAcknowledged
        | E::CancellationWithdrawn => support::CANCELLATION,
        E::SubscriptionStarted | E::SubscriptionChanged | E::SubscriptionRenewed | E::SubscriptionEnded => money::SUBSCRIPTION,
        E::InvoiceIssued | E::InvoicePaid | E::PaymentFailed | E::PaymentRecovered => money::INVOICE,
        E::CostRecorded => money::COST,
        E::AccountCreated | E::AccountUpdated => account::ACCOUNT,
        E::UserInvited | E::UserActivated | E::UserRemoved => account::USER,
        E::MilestoneReached => account::MILESTONE,
        E::ContactChanged => account::CONTACT,
        E::ConsentChanged => account::CONSENT,
        E::NoteRecorded | E::NoteResolved => relation::NOTE,
        E::TouchRecorded => relation::TOUCH,
        E::IncidentStarted | E::IncidentResolved => relation::INCIDENT,
        E::GoalSet | E::GoalProgressed => relation::GOAL,
        E::LeadRecorded => relation::LEAD,
        E::CampaignSent | E::CampaignFailed | E::CampaignOpened | E::CampaignClicked | E::CampaignConverted | E::CampaignUnsubscribed => {
            relation::CAMPAIGN
        }
        E::SignalAcknowledged | E::SignalDismissed | E::SignalSnoozed | E::SignalRated => relation::FEEDBACK,
        E::CustomerErased => &[],
    }
}

/// The body of an event of this type.
pub(super) fn body<'a>(kind: EventType, fields: &mut impl Values<'a>, users: Users<'_>) -> Result<Body<'a>, Rejection> {
    use EventType as E;
    match kind {
        E::Login => activity::login(fields, users),
        E::Usage => activity::usage(fields, users),
        E::Quota => activity::quota(fields),
        E::TicketOpened => support::ticket(fields, TicketStep::Opened),
        E::TicketAnswered => support::ticket(fields, TicketStep::Answered),
        E::TicketSolved => support::ticket(fields, TicketStep::Solved),
        E::TicketReopened => support::ticket(fields, TicketStep::Reopened),
        E::SurveyAnswered => support::survey(fields, users),
        E::CancellationViewed => support::cancellation(fields, users, CancellationStep::Viewed),
        E::CancellationReasoned => support::cancellation(fields, users, CancellationStep::Reasoned),
        E::CancellationRequested => support::cancellation(fields, users, CancellationStep::Requested),
        E::CancellationAcknowledged => support::cancellation(fields, users, CancellationStep::Acknowledged),
        E::CancellationWithdrawn => support::cancellation(fields, users, CancellationStep::Withdrawn),
        E::SubscriptionStarted => money::subscription(fields, SubscriptionStep::Started),
        E::SubscriptionChanged => money::subscription(fields, SubscriptionStep::Changed),
        E::SubscriptionRenewed => money::subscription(fields, SubscriptionStep::Renewed),
        E::SubscriptionEnded => money::subscription(fields, SubscriptionStep::Ended),
        E::InvoiceIssued => money::invoice(fields, InvoiceStep::Issued),
        E::InvoicePaid => money::invoice(fields, InvoiceStep::Paid),
        E::PaymentFailed => money::invoice(fields, InvoiceStep::PaymentFailed),
        E::PaymentRecovered => money::invoice(fields, InvoiceStep::PaymentRecovered),
        E::CostRecorded => money::cost(fields),
        E::AccountCreated => account::account(fields, true),
        E::AccountUpdated => account::account(fields, false),
        E::UserInvited => account::user(fields, users, UserStep::Invited),
        E::UserActivated => account::user(fields, users, UserStep::Activated),
        E::UserRemoved => account::user(fields, users, UserStep::Removed),
        E::MilestoneReached => account::milestone(fields),
        E::ContactChanged => account::contact(fields, users),
        E::ConsentChanged => account::consent(fields, users),
        E::NoteRecorded => relation::note(fields, false),
        E::NoteResolved => relation::note(fields, true),
        E::TouchRecorded => relation::touch(fields),
        E::IncidentStarted => relation::incident(fields, false),
        E::IncidentResolved => relation::incident(fields, true),
        E::GoalSet => relation::goal(fields, true),
        E::GoalProgressed => relation::goal(fields, false),
        E::LeadRecorded => relation::lead(fields),
        E::CampaignSent => relation::campaign(fields, users, CampaignStep::Sent),
        E::CampaignFailed => relation::campaign(fields, users, CampaignStep::Failed),
        E::CampaignOpened => relation::campaign(fields, users, CampaignStep::Opened),
        E::CampaignClicked => relation::campaign(fields, users, CampaignStep::Clicked),
        E::CampaignConverted => relation::campaign(fields, users, CampaignStep::Converted),
        E::CampaignUnsubscribed => relation::campaign(fields, users, CampaignStep::Unsubscribed),
        E::SignalAcknowledged => relation::feedback(fields, FeedbackStep::Acknowledged),
        E::SignalDismissed => relation::feedback(fields, FeedbackStep::Dismissed),
        E::SignalSnoozed => relation::feedback(fields, FeedbackStep::Snoozed),
        E::SignalRated => relation::feedback(fields, FeedbackStep::Rated),
        E::CustomerErased => Ok(Body::Erased),
    }
}
