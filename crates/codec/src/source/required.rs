//! The data fields without which an event is refused, so that a mapping that forgets one is told before its first record.

use bellwether_engine::event_type::EventType;

/// The data fields that every event of this type must have.
pub(super) fn required_data(kind: EventType) -> &'static [&'static str] {
    use EventType as E;
    match kind {
        E::Usage => &["feature"],
        E::Quota => &["name", "used", "limit"],
        E::TicketOpened | E::TicketAnswered | E::TicketSolved | E::TicketReopened => &["ticket"],
        E::SurveyAnswered => &["kind", "score"],
        E::SubscriptionStarted | E::SubscriptionChanged | E::SubscriptionRenewed | E::SubscriptionEnded => &["subscription"],
        E::InvoiceIssued | E::InvoicePaid | E::PaymentFailed | E::PaymentRecovered => &["invoice"],
        E::CostRecorded => &["kind", "amount_minor", "currency", "period"],
        E::UserInvited | E::UserActivated | E::UserRemoved => &["user"],
        E::MilestoneReached => &["name"],
        E::ContactChanged => &["role"],
        E::ConsentChanged => &["marketing"],
        E::NoteRecorded | E::NoteResolved => &["note"],
        E::IncidentStarted | E::IncidentResolved => &["incident"],
        E::GoalSet | E::GoalProgressed => &["metric"],
        E::CampaignSent | E::CampaignFailed | E::CampaignOpened | E::CampaignClicked | E::CampaignConverted | E::CampaignUnsubscribed => {
            &["campaign"]
        }
        E::SignalAcknowledged | E::SignalDismissed | E::SignalSnoozed | E::SignalRated => &["signal"],
        E::Login
        | E::CancellationViewed
        | E::CancellationReasoned
        | E::CancellationRequested
        | E::CancellationAcknowledged
        | E::CancellationWithdrawn
        | E::AccountCreated
        | E::AccountUpdated
        | E::TouchRecorded
        | E::LeadRecorded
        | E::CustomerErased => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::event::{COMPANY, Decoder};

    fn sample(kind: EventType, name: &str) -> Value {
        match (kind, name) {
            (EventType::SurveyAnswered, "kind") => "nps".into(),
            (EventType::CostRecorded, "kind") => "acquisition".into(),
            (_, "currency") => "EUR".into(),
            (_, "marketing") => true.into(),
            (_, "score" | "used" | "limit" | "amount_minor") => 1.into(),
            _ => "x".into(),
        }
    }

    fn outcome(kind: EventType, data: &Map<String, Value>) -> String {
        let subject = if kind == EventType::CostRecorded { COMPANY } else { "c" };
        let line = json!({"id": "e", "source": "s", "type": kind.name(), "subject": subject, "time": "2026-03-01T00:00:00Z", "data": data});
        Decoder::default().decode_text(&line.to_string()).map_or_else(|rejection| rejection.to_string(), |_| "an event".to_owned())
    }

    #[test]
    fn these_fields_are_needed_and_no_others() {
        for (kind, _, _) in EventType::ALL {
            let all: Map<String, Value> = required_data(kind).iter().map(|name| ((*name).to_owned(), sample(kind, name))).collect();
            assert_eq!(outcome(kind, &all), "an event", "{kind:?}");
            for name in required_data(kind) {
                let mut others = all.clone();
                others.remove(*name);
                assert_eq!(outcome(kind, &others), format!("missing_field: data.{name} is missing"), "{kind:?}");
            }
        }
    }
}
