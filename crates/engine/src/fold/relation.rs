//! Folding what is about the relation with a customer: contacts, consent, notes, incidents, quotas, goals, leads, campaigns.

use super::Fold;
use crate::customer::{Customer, Incident, MAX_INCIDENTS, MAX_NOTES, MAX_QUOTAS, Note, Quota, kept_name, name_hash};
use crate::event::{Body, CampaignStep};
use crate::feature::{Feature, FeatureSet};
use crate::fold_features::{CONTACTS, INCIDENTS, NOTES, QUOTAS};

/// Kinds of `lead.recorded` that say that the customer spoke for us.
const REFERENCE_KINDS: [&str; 2] = ["reference", "referral"];

impl Fold<'_> {
    /// The customer followed a campaign to its end, or spoke for us.
    pub(super) fn advocated(&mut self, customer: &mut Customer) {
        let advocated_at = &mut customer.outcomes.get_or_insert_default().advocated_at;
        *advocated_at = Some(self.event.time).max(*advocated_at);
        // Whatever rule waits for it looks again.
        self.touch(FeatureSet::ALL);
    }

    pub(super) fn relation(&mut self, customer: &mut Customer) {
        if matches!(&self.event.body, Body::Lead { kind: Some(kind) } if REFERENCE_KINDS.contains(&&**kind)) {
            self.advocated(customer);
        }
        let (stamp, time) = (self.stamp, self.event.time);
        let relation = customer.relation.get_or_insert_default();
        match &self.event.body {
            Body::Contact { role, user, previous_user } => {
                self.folded.limited |= !relation.contacts.set(stamp, name_hash(role), *user, previous_user.is_some(), self.today);
                self.touch(CONTACTS);
            }
            Body::Consent { marketing, user } => {
                self.folded.limited |= !relation.set_consent(stamp, *user, *marketing, self.today);
                self.touch(FeatureSet::of(&[Feature::MarketingConsent]));
            }
            Body::Touch { .. } => {
                relation.touched_at = relation.touched_at.max(Some(time));
                self.touch(FeatureSet::of(&[Feature::DaysSinceTouch]));
            }
            Body::Note { resolved, note: name, kind } => {
                self.touch(NOTES);
                let name = &*kept_name(name);
                let Some(note) = relation.notes.entry(name, MAX_NOTES, self.now, || Note::new(name)) else {
                    self.folded.limited = true;
                    return;
                };
                note.resolved.set(stamp, *resolved);
                note.kind.set_some(stamp, *kind);
                if !resolved {
                    note.recorded_at = Some(note.recorded_at.map_or(time, |known| known.min(time)));
                }
            }
            Body::Incident { resolved, incident: name, serious } => {
                self.touch(INCIDENTS);
                let name = &*kept_name(name);
                if !resolved {
                    self.folded.too_late |= relation.incidents_started.add(time.day().0, 1).is_none();
                }
                let Some(incident) = relation.incidents.entry(name, MAX_INCIDENTS, self.now, || Incident::new(name)) else {
                    self.folded.limited = true;
                    return;
                };
                incident.resolved.set(stamp, *resolved);
                incident.serious |= serious;
                if !resolved {
                    incident.started_at = Some(incident.started_at.map_or(time, |known| known.min(time)));
                }
            }
            Body::Quota { name, used, limit } => {
                self.touch(QUOTAS);
                let name = &*kept_name(name);
                match relation.quotas.entry(name, MAX_QUOTAS, self.now, || Quota::new(name)) {
                    Some(quota) => _ = quota.level.set(stamp, (*used, *limit)),
                    None => self.folded.limited = true,
                }
            }
            Body::Goal { set, metric, target, value, .. } => {
                relation.goals.tell(stamp, name_hash(metric), target.filter(|_| *set), *value);
                self.touch(FeatureSet::of(&[Feature::GoalProgress]));
            }
            Body::Lead { .. } => {
                relation.lead_at = relation.lead_at.max(Some(time));
                self.touch(FeatureSet::of(&[Feature::DaysSinceLead]));
            }
            // Who unsubscribes has withdrawn its consent.
            Body::Campaign { step: CampaignStep::Unsubscribed, user, .. } => {
                self.folded.limited |= !relation.set_consent(stamp, *user, false, self.today);
                self.touch(FeatureSet::of(&[Feature::MarketingConsent]));
            }
            Body::Campaign { step: CampaignStep::Sent, .. } => {
                relation.campaign_at = relation.campaign_at.max(Some(time));
                self.touch(FeatureSet::of(&[Feature::DaysSinceCampaign]));
            }
            _ => {}
        }
    }
}
