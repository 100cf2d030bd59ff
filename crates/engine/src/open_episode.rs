//! An open episode: what ends it, when its outcome is known, and what is told of it meanwhile.

use crate::customer::LastWord;
use crate::episode::{Episode, Mark, Phase};
use crate::lifecycle::{AtRiskChange, Step, Subject, tell};
use crate::outcome::{self, Case, Verdict, churn_time};
use crate::rule::Kind;
use crate::signal::{Expiry, Transition};
use crate::time::Time;

/// How an episode ends.
#[derive(Clone, Copy)]
enum End {
    /// What it tells of is over.
    Cleared,
    /// It was open for too long.
    TooOld,
    /// The customer has left, which is no outcome for this kind of signal.
    Gone,
    /// The customer has left.
    Resolved(Verdict),
}

impl Subject<'_> {
    /// Whether what an episode tells of is over, or its thing is gone.
    pub(crate) fn ends(&self, condition: bool) -> bool {
        match &self.rule.until {
            _ if self.rule.object.is_some() && self.object.is_none() => true,
            Some(until) => self.holds(until),
            None => !condition,
        }
    }
}

impl Step {
    /// An open episode is looked at.
    pub(crate) fn open(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(mut episode) = self.episode.take() else { return };
        let subject = &Subject { raised_at: Some(episode.raised_at), ..*subject };
        if let Some(end) = self.ending(subject, &mut episode, condition) {
            self.end(subject, episode, end, condition);
            return;
        }
        let before = episode.severity();
        let severity = subject.severity(before);
        if subject.was_quiet(&episode) && subject.now >= subject.rules.settings.quiet_until {
            episode.set_severity(severity);
            self.backfill(subject, &mut episode);
        } else if severity != before {
            episode.set_severity(severity);
            let transition = if severity > before { Transition::Escalated } else { Transition::Eased };
            self.outputs.push(tell(subject, &mut episode, transition, None, None));
            if transition == Transition::Escalated {
                // It has become worse than what was marked.
                episode.mark = LastWord::default();
            }
        }
        // The end of silence raises it anew.
        let subject = &Subject { raised_at: Some(episode.raised_at), ..*subject };
        self.judge(subject, &mut episode);
        self.remind(subject, &mut episode);
        self.wait_while_open(subject);
        self.episode = Some(episode);
    }

    /// What ends an open episode now, if anything does.
    fn ending(&mut self, subject: &Subject<'_>, episode: &mut Episode, condition: bool) -> Option<End> {
        let (customer, settings) = (subject.customer, &subject.rules.settings);
        let life = &settings.life;
        let churn = churn_time(customer, life.churn);
        if subject.rule.kind == Kind::AtRisk
            && let Some(churn) = churn.filter(|churn| *churn > episode.raised_at)
        {
            if churn <= subject.now {
                return Some(End::Resolved(Case::of(subject.rule, settings, episode).at_churn(churn, life)));
            }
            self.wait(churn);
        }
        if !subject.is_paying() {
            // Paid service may run on after the end.
            let goes_on = subject.rule.kind == Kind::AtRisk && churn.is_some_and(|churn| churn > subject.now);
            return (!goes_on).then(|| gone(subject, episode, churn));
        }
        if subject.ends(condition) {
            episode.clearing_since = episode.clearing_since.min(subject.now);
            let over = episode.clearing_since.plus_ms(subject.rule.clear_hold_ms);
            if subject.now >= over {
                return Some(End::Cleared);
            }
            self.wait(over);
        } else {
            episode.clearing_since = Time::NEVER;
        }
        (subject.now >= subject.expires()).then_some(End::TooOld)
    }

    fn end(&mut self, subject: &Subject<'_>, mut episode: Episode, end: End, condition: bool) {
        let (transition, verdict, expiry) = match end {
            End::Cleared => (Transition::Cleared, None, None),
            End::TooOld => (Transition::Expired, None, Some(Expiry::TooOld)),
            End::Gone => (Transition::Resolved, None, None),
            End::Resolved(verdict) => (Transition::Resolved, Some(verdict), None),
        };
        self.outputs.push(tell(subject, &mut episode, transition, verdict, expiry));
        if episode.is_at_risk {
            self.at_risk = if expiry.is_some() { AtRiskChange::Expired } else { AtRiskChange::Ended };
        }
        if !episode.is_judged && subject.rule.kind.has_outcome() {
            self.verdict = verdict;
            self.pending = verdict.is_none().then(|| episode.clone());
            // The outcome will be told under this one.
            episode.ordinal = episode.ordinal.saturating_add(u16::from(verdict.is_none()));
        }
        (episode.held_out, episode.is_judged, episode.mrr_minor) = (false, false, 0);
        episode.mark = LastWord::default();
        episode.enter(Phase::Closed, subject.now);
        episode.armed = !condition;
        let again = subject.now.plus_ms(subject.rule.cooldown_ms);
        self.wait(again);
        self.episode = Some(episode);
    }

    /// Finds out whether the outcome of an open episode is known. It is told once, as a decision, since the episode goes on.
    pub(crate) fn judge(&mut self, subject: &Subject<'_>, episode: &mut Episode) {
        if episode.is_judged || !subject.rule.kind.has_outcome() {
            return;
        }
        let life = &subject.rules.settings.life;
        let Some(verdict) = Case::of(subject.rule, &subject.rules.settings, episode).verdict(subject.customer, life, subject.now) else {
            self.wait(episode.raised_at.plus_ms(life.horizon_ms));
            return;
        };
        episode.is_judged = true;
        self.verdict = Some(verdict);
        self.outputs.push(outcome::told(subject, episode, verdict));
        episode.ordinal = episode.ordinal.saturating_add(1);
    }

    /// A snooze that is over is told once.
    fn remind(&mut self, subject: &Subject<'_>, episode: &mut Episode) {
        let Some(Mark::Snoozed(until)) = episode.mark.get().copied() else { return };
        if subject.now < until {
            self.wait(until);
            return;
        }
        episode.mark = LastWord::default();
        self.outputs.push(tell(subject, episode, Transition::Reminded, None, None));
    }
}

/// The end of an episode whose customer does not pay any more.
fn gone(subject: &Subject<'_>, episode: &Episode, churn: Option<Time>) -> End {
    if subject.customer.billing.active().next().is_some() {
        return End::Cleared;
    }
    match churn.filter(|_| subject.rule.kind == Kind::AtRisk) {
        // It was raised after the churn: that is late.
        Some(churn) => {
            let settings = &subject.rules.settings;
            End::Resolved(Case::of(subject.rule, settings, episode).at_churn(churn, &settings.life))
        }
        None => End::Gone,
    }
}
