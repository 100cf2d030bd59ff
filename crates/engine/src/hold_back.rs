//! What is decided and not sent, and why: suppressions, inhibitions, silences, the owner's cap, the hold-out, and marks that people have set.

use std::sync::Arc;

use crate::episode::{Episode, Mark};
use crate::life_settings::{Silence, end_of_week, week_of};
use crate::lifecycle::Subject;
use crate::rule::{Mode, Severity};
use crate::signal::Transition;
use crate::time::Time;

/// The reason of what goes beyond the owner's cap.
const OWNER_CAP: &str = "owner-cap";

impl<'a> Subject<'a> {
    /// Why no episode may be raised now: a suppression of the rule, a silence, or the owner's cap.
    pub fn held_back_by(&self, severity: Severity) -> Option<Arc<str>> {
        let suppressions = &self.rules.settings.suppressions;
        let mut suppressed = self.rule.unless.iter().map(|index| &suppressions[*index]);
        if let Some(suppression) = suppressed.find(|one| self.holds(&one.when)) {
            return Some(suppression.name.as_str().into());
        }
        self.inhibited(severity).or_else(|| self.silenced()).or_else(|| self.is_over_cap(severity).then(|| OWNER_CAP.into()))
    }

    /// When what holds an episode back may be over, as far as time alone decides.
    pub fn held_back_until(&self, severity: Severity) -> Time {
        let suppressions = &self.rules.settings.suppressions;
        let flips = self.rule.unless.iter().map(|index| self.next_flip(&suppressions[*index].when)).min();
        let silences = self.silences().map(|silence| silence.until).min();
        let cap = self.is_over_cap(severity).then(|| end_of_week(week_of(self.now.day())));
        let inhibited = self.inhibited_until(severity);
        // What becomes more severe is not held back by these two.
        let can_worsen = cap.is_some() || inhibited.is_some();
        let worsening = self.rule.severity.iter().filter(|_| can_worsen).map(|(_, condition)| self.next_flip(condition)).min();
        [flips, inhibited, silences, cap, worsening].into_iter().flatten().min().unwrap_or(Time::NEVER)
    }

    /// Why a transition is not sent, if it is not. Ends are: who keeps a list of what is open must see each end.
    pub fn not_sent(&self, episode: &Episode, transition: Transition) -> Option<Arc<str>> {
        if self.rule.mode == Mode::Shadow {
            return Some("shadow".into());
        }
        if self.was_quiet(episode) {
            return Some("quiet".into());
        }
        if episode.held_out {
            return Some("hold-out".into());
        }
        match transition {
            Transition::Eased if is_muted(episode) => episode.mark.get().map(|mark| mark.name().into()),
            Transition::Eased | Transition::Escalated | Transition::Reminded => self.silenced(),
            _ => None,
        }
    }

    /// Whether an open episode was raised while nothing was sent.
    pub fn was_quiet(&self, episode: &Episode) -> bool {
        self.rule.mode == Mode::Live && episode.raised_at < self.rules.settings.quiet_until
    }

    fn silenced(&self) -> Option<Arc<str>> {
        self.silences().next().map(|silence| format!("silence: {}", silence.name).into())
    }

    fn silences(&self) -> impl Iterator<Item = &'a Silence> + use<'a> {
        let (customer, rule, now) = (self.customer, self.rule, self.now);
        self.rules.settings.life.silences.iter().filter(move |silence| silence.is_about(customer, rule, now))
    }

    /// Whether the owner was told enough of this customer this week. Without an owner there is nobody to spare.
    fn is_over_cap(&self, severity: Severity) -> bool {
        let Some(cap) = self.rules.settings.life.owner_cap.filter(|_| severity < Severity::Critical) else { return false };
        let told = self.customer.outcomes.as_ref().map_or((0, 0), |outcomes| outcomes.told);
        self.customer.account.owner.get().is_some() && told.0 == week_of(self.now.day()) && told.1 >= cap
    }
}

/// Whether somebody does not want to hear of it unless it gets worse.
fn is_muted(episode: &Episode) -> bool {
    matches!(episode.mark.get(), Some(Mark::Dismissed | Mark::Snoozed(_)))
}
