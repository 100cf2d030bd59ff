//! The room that a state has: everything in it is bounded so that it fits, but for own features, which give way where all else needs the room.

use super::Customer;
use super::packed::{Packed, PackedWriter};
use crate::settings::Settings;
use crate::time::Day;

/// The largest state that is kept, in bytes.
pub const MAX_STATE_BYTES: usize = 16 * 1024;

/// What the episodes of a customer may take, in bytes. The default pack needs no more, whatever happens.
pub const MAX_EPISODES_BYTES: usize = 4_864;

/// What an episode takes beside the name of its object, in bytes.
const EPISODE_BYTES: usize = 32;

/// What evaluations may add beside episodes, in bytes: outcomes to come, health, stages; and what is written around a state.
const RESERVE_BYTES: usize = 2_560;

impl Customer {
    /// Whether an episode about this object fits.
    pub(crate) fn has_room_for(&self, object: &str) -> bool {
        self.episodes_bytes() + object.len() + EPISODE_BYTES <= MAX_EPISODES_BYTES
    }

    /// Lets own features go, those that know most first, until the state fits. Returns which, one bit each: they are absent until a window has passed.
    pub(crate) fn fit(&mut self, settings: &Settings, today: Day) -> u16 {
        let mut gone = 0;
        while self.own.is_some() && self.at_most_bytes() > MAX_STATE_BYTES && self.bytes_with_reserve() > MAX_STATE_BYTES {
            let Some(place) = self.own.as_mut().and_then(|own| own.shed(&settings.own, today)) else { break };
            gone |= 1 << place;
        }
        gone
    }

    fn episodes_bytes(&self) -> usize {
        self.episodes.iter().map(|episode| episode.object.len() + EPISODE_BYTES).sum()
    }

    /// What it takes, and what may come to that without an event of its own.
    fn bytes_with_reserve(&self) -> usize {
        let mut writer = PackedWriter::new();
        self.pack(&mut writer);
        writer.bytes.len() + RESERVE_BYTES + MAX_EPISODES_BYTES.saturating_sub(self.episodes_bytes())
    }

    /// More than that it cannot be. It is quick to tell, and nearly always enough.
    fn at_most_bytes(&self) -> usize {
        const FIXED_BYTES: usize = 6_144 + RESERVE_BYTES;
        let (support, relation) = (self.support.as_ref(), self.relation.as_ref());
        let tickets = support.map_or(0, |support| support.tickets.iter().len());
        let of_relation =
            |relation: &super::Relation| relation.notes.iter().len() + relation.incidents.iter().len() + relation.quotas.iter().len();
        let things = tickets + self.billing.invoices.iter().len() + relation.map_or(0, |relation| of_relation(relation));
        let invitations = self.onboarding.as_ref().map_or(0, |onboarding| onboarding.invitations().count());
        FIXED_BYTES
            + MAX_EPISODES_BYTES
            + 24 * self.activity.users.tracked()
            + 12 * self.activity.features.tracked()
            + 120 * things
            + 400 * self.billing.subscriptions.iter().len()
            + 50 * invitations
            + 12 * self.own.as_ref().map_or(0, |own| own.entries())
    }
}
