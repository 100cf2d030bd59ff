//! The life of one episode: pending, open or held back, closed, and what each step tells the world.

use std::sync::Arc;

use crate::customer::Customer;
use crate::episode::{Episode, Phase};
use crate::expression::Expression;
use crate::feature::Feature;
use crate::outcome::Verdict;
use crate::record_signal::signal;
use crate::rule::{Kind, Mode, Rule, Severity};
use crate::rule_set::RuleSet;
use crate::signal::{Expiry, Output, Transition};
use crate::time::Time;
use crate::view::{Object, View};

/// What a rule is looked at about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub customer: &'a Customer,
    pub rules: &'a RuleSet,
    pub rule: &'a Arc<Rule>,
    /// Name of the object, or empty.
    pub name: &'a str,
    pub object: Option<Object<'a>>,
    pub now: Time,
    /// When the open episode was raised.
    pub raised_at: Option<Time>,
}

/// What became of the episode.
pub(crate) struct Step {
    /// The episode to keep, if any.
    pub episode: Option<Episode>,
    pub outputs: Vec<Output>,
    /// When time alone may change it next.
    pub due: Time,
    pub at_risk: AtRiskChange,
    /// An outcome that is known from now on, to be counted.
    pub verdict: Option<Verdict>,
    /// An episode that has ended, while its outcome is still to come.
    pub pending: Option<Episode>,
    now: Time,
}

/// What happened to the at-risk flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtRiskChange {
    None,
    Raised,
    Ended,
    Expired,
}

impl<'a> Subject<'a> {
    pub fn view(&self) -> View<'a> {
        let view = View::new(self.customer, &self.rules.settings, self.now).raised_at(self.raised_at);
        self.object.map_or(view, |object| view.through(object))
    }

    pub fn holds(&self, condition: &Expression) -> bool {
        let view = self.view();
        condition.is_true(&|feature| view.value(feature))
    }

    /// Whether the rule applies to the customer at all now; otherwise when its warm-up is over, if that is what it waits for.
    fn applies(&self) -> Result<(), Option<Time>> {
        let (customer, rule) = (self.customer, self.rule);
        if !rule.needs.iter().all(|types| customer.seen.intersects(*types)) {
            return Err(None);
        }
        if !self.is_paying() {
            return Err(None);
        }
        let warm = customer.since.plus_ms(rule.warm_up_ms.unwrap_or(self.rules.settings.warm_up_ms));
        if warm > self.now { Err(Some(warm)) } else { Ok(()) }
    }

    /// When the open episode is too old.
    pub fn expires(&self) -> Time {
        let expires_ms = self.rule.expires_ms.unwrap_or(self.rules.settings.life.expires_ms);
        self.raised_at.map_or(Time::NEVER, |raised_at| raised_at.plus_ms(expires_ms))
    }

    pub fn is_paying(&self) -> bool {
        !self.rule.kind.needs_paying() || self.customer.billing.mrr_minor() > 0
    }

    pub fn severity(&self, fallback: Severity) -> Severity {
        let holding = self.rule.severity.iter().rev().find(|(_, condition)| self.holds(condition));
        holding.map_or(fallback, |(severity, _)| *severity)
    }

    /// The next instant at which a comparison with a clock feature flips in this condition.
    pub fn next_flip(&self, condition: &Expression) -> Time {
        let view = self.view();
        let flips = condition.clock_comparisons().iter().filter_map(|comparison| {
            let clock = view.clock(Feature::at(comparison.feature))?;
            clock.next_flip(comparison.operator, comparison.threshold(&|feature| view.value(feature)), self.now)
        });
        flips.min().unwrap_or(Time::NEVER)
    }
}

/// A rule about which nothing is going on, and nothing begins.
pub(crate) struct Idle {
    /// When time alone may change that.
    pub due: Time,
    /// The rarity of the guard that does not hold: before that may have changed, the rule need not be looked at.
    pub asleep: Option<usize>,
}

/// The usual case, made short: nothing is going on, and nothing begins.
pub(crate) fn stays_idle(subject: &Subject<'_>) -> Option<Idle> {
    if let Err(warm) = subject.applies() {
        return Some(Idle { due: warm.unwrap_or(Time::NEVER), asleep: None });
    }
    for guard in &subject.rule.guards {
        if let Some(due) = guard.asleep_until(&subject.view(), subject.now) {
            return Some(Idle { due, asleep: Some(guard.rarity) });
        }
    }
    let when = &subject.rule.when;
    (!subject.holds(when)).then(|| Idle { due: subject.next_flip(when), asleep: None })
}

/// Moves an episode on to `subject.now`.
pub(crate) fn step(subject: &Subject<'_>, episode: Option<Episode>) -> Step {
    let mut step = Step {
        episode,
        outputs: Vec::new(),
        due: Time::NEVER,
        at_risk: AtRiskChange::None,
        verdict: None,
        pending: None,
        now: subject.now,
    };
    let applies = subject.applies();
    if let Err(Some(warm)) = applies {
        step.wait(warm);
    }
    if applies.is_ok() {
        step.wait(subject.next_flip(&subject.rule.when));
    }
    let condition = applies.is_ok() && subject.holds(&subject.rule.when);
    match step.episode.as_ref().map(|episode| episode.phase) {
        None if condition => step.begin(subject, Episode::pending(subject.rule.hash, subject.name, is_at_risk(subject), subject.now)),
        None => {}
        Some(Phase::Pending) => step.pending(subject, condition),
        Some(Phase::Held) => step.held(subject, condition),
        Some(Phase::Open) => step.open(subject, condition),
        Some(Phase::Closed) => step.closed(subject, condition),
    }
    step
}

/// What is told of an episode that ends because its rule or customer is gone.
pub(crate) fn expired(subject: &Subject<'_>, episode: &Episode, expiry: Expiry) -> Option<Output> {
    (episode.phase == Phase::Open).then(|| {
        let mut episode = episode.clone();
        tell(subject, &mut episode, Transition::Expired, None, Some(expiry))
    })
}

fn is_at_risk(subject: &Subject<'_>) -> bool {
    subject.rule.kind == Kind::AtRisk && subject.rule.mode == Mode::Live
}

/// Makes the record of a transition, to be sent or not.
pub(crate) fn tell(
    subject: &Subject<'_>,
    episode: &mut Episode,
    transition: Transition,
    verdict: Option<Verdict>,
    expiry: Option<Expiry>,
) -> Output {
    let mut signal = signal(subject, episode, transition);
    (signal.verdict, signal.expiry) = (verdict, expiry);
    episode.ordinal = episode.ordinal.saturating_add(1);
    match subject.not_sent(episode, transition) {
        Some(reason) => Output::Decision(signal, reason),
        None => Output::Signal(signal),
    }
}

impl Step {
    /// Asks to be looked at again at an instant; what lies not after now needs no second look.
    pub(crate) fn wait(&mut self, until: Time) {
        if until > self.now {
            self.due = self.due.min(until);
        }
    }

    /// The condition holds where nothing was going on.
    fn begin(&mut self, subject: &Subject<'_>, mut episode: Episode) {
        episode.begin(subject.now);
        self.episode = Some(episode);
        self.pending(subject, true);
    }

    fn pending(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(episode) = self.episode.take() else { return };
        if !condition {
            self.episode = episode.fall_back(subject.now);
            return;
        }
        let ready = episode.since.plus_ms(subject.rule.hold_ms);
        if subject.now < ready {
            self.wait(ready);
            self.episode = Some(episode);
            return;
        }
        self.raise(subject, episode);
    }

    fn raise(&mut self, subject: &Subject<'_>, mut episode: Episode) {
        let ends = Subject { raised_at: Some(subject.now), ..*subject }.ends(true);
        if ends && subject.rule.clear_hold_ms == 0 {
            // What would end at once does not begin before it could last.
            subject.rule.until.iter().for_each(|until| self.wait(subject.next_flip(until)));
            self.episode = Some(episode);
            return;
        }
        episode.set_severity(subject.severity(Severity::Warning));
        if let Some(reason) = subject.held_back_by(episode.severity()) {
            if episode.phase != Phase::Held {
                let mut untold = episode.clone();
                untold.ordinal = episode.next_ordinal(subject.now);
                untold.raised_at = subject.now;
                untold.number += 1;
                self.outputs.push(Output::Decision(signal(subject, &untold, Transition::Raised), reason));
                episode.hold_back(subject.now);
            }
            self.wait(subject.held_back_until(episode.severity()));
            // What is critical goes beyond the owner's cap.
            self.wait_for_severity(subject);
            self.episode = Some(episode);
            return;
        }
        let subject = &Subject { raised_at: Some(subject.now), ..*subject };
        let life = &subject.rules.settings.life;
        episode.open(subject.now);
        if ends {
            episode.clearing_since = subject.now;
            self.wait(subject.now.plus_ms(subject.rule.clear_hold_ms));
        }
        episode.held_out = subject.rule.kind.has_outcome() && life.hold_out.contains(&subject.customer.id);
        if subject.rule.kind == Kind::Upsell {
            episode.mrr_minor = subject.customer.billing.mrr_minor();
        }
        self.outputs.push(tell(subject, &mut episode, Transition::Raised, None, None));
        // Raised after the churn, as a notice itself is: that is late from the beginning.
        self.judge(subject, &mut episode);
        if episode.is_at_risk {
            self.at_risk = AtRiskChange::Raised;
        }
        self.wait_while_open(subject);
        self.episode = Some(episode);
    }

    fn held(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(episode) = self.episode.take() else { return };
        if condition {
            self.raise(subject, episode);
        } else {
            self.episode = episode.fall_back(subject.now);
        }
    }

    /// The silence is over: what is still open is raised as of now.
    pub(crate) fn backfill(&mut self, subject: &Subject<'_>, episode: &mut Episode) {
        (episode.raised_at, episode.ordinal, episode.is_judged) = (subject.now, 0, false);
        if subject.rule.kind == Kind::Upsell {
            episode.mrr_minor = subject.customer.billing.mrr_minor();
        }
        let mut output = tell(subject, episode, Transition::Raised, None, None);
        if let Output::Signal(signal) = &mut output {
            signal.backfilled = true;
        }
        self.outputs.push(output);
    }

    fn closed(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(mut episode) = self.episode.take() else { return };
        episode.armed |= !condition;
        let again = episode.since.plus_ms(subject.rule.cooldown_ms);
        if subject.now < again {
            self.wait(again);
        } else if condition && episode.armed {
            self.begin(subject, episode);
            return;
        } else if !condition && (subject.rule.object.is_some() || episode.number == 0) && subject.now > episode.raised_at {
            // Things come and go: their closed episodes are not kept longer than the instant whose ids they count.
            return;
        }
        self.episode = Some(episode);
    }

    pub(crate) fn wait_while_open(&mut self, subject: &Subject<'_>) {
        self.wait(subject.rules.settings.quiet_until);
        self.wait(subject.expires());
        subject.rule.until.iter().for_each(|until| self.wait(subject.next_flip(until)));
        self.wait_for_severity(subject);
    }

    fn wait_for_severity(&mut self, subject: &Subject<'_>) {
        subject.rule.severity.iter().for_each(|(_, condition)| self.wait(subject.next_flip(condition)));
    }
}
