//! The life of one episode: pending, open or held back, closed, and what each step tells the world.

use std::sync::Arc;

use crate::customer::Customer;
use crate::episode::{Episode, Phase};
use crate::expression::Expression;
use crate::feature::Feature;
use crate::record_signal::signal;
use crate::rule::{Mode, Rule, Severity};
use crate::rule_set::RuleSet;
use crate::signal::{Output, Transition};
use crate::time::Time;
use crate::view::{Object, View};

/// What a rule is looked at about.
pub(crate) struct Subject<'a> {
    pub customer: &'a Customer,
    pub rules: &'a RuleSet,
    pub rule: &'a Arc<Rule>,
    /// Name of the object, or empty.
    pub name: &'a str,
    pub object: Option<Object<'a>>,
    pub now: Time,
}

/// What became of the episode.
pub(crate) struct Step {
    /// The episode to keep, if any.
    pub episode: Option<Episode>,
    pub outputs: Vec<Output>,
    /// When time alone may change it next.
    pub due: Time,
    pub at_risk: AtRiskChange,
    now: Time,
}

/// What happened to the at-risk flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtRiskChange {
    None,
    Raised,
    Ended,
}

impl<'a> Subject<'a> {
    pub fn view(&self) -> View<'a> {
        let view = View::new(self.customer, &self.rules.settings, self.now);
        self.object.map_or(view, |object| view.through(object))
    }

    fn holds(&self, condition: &Expression) -> bool {
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

    fn is_paying(&self) -> bool {
        !self.rule.kind.needs_paying() || self.customer.billing.mrr_minor() > 0
    }

    fn severity(&self, fallback: Severity) -> Severity {
        let holding = self.rule.severity.iter().rev().find(|(_, condition)| self.holds(condition));
        holding.map_or(fallback, |(severity, _)| *severity)
    }

    /// Whether an open episode was raised while nothing was sent.
    fn was_quiet(&self, episode: &Episode) -> bool {
        self.rule.mode == Mode::Live && episode.raised_at < self.rules.settings.quiet_until
    }

    /// The name of the suppression that holds the rule back now.
    fn suppression(&self) -> Option<&'a str> {
        let suppressions = &self.rules.settings.suppressions;
        self.rule.unless.iter().map(|index| &suppressions[*index]).find(|one| self.holds(&one.when)).map(|one| one.name.as_str())
    }

    /// The next instant at which a comparison with a clock feature flips in this condition.
    fn next_flip(&self, condition: &Expression) -> Time {
        let view = self.view();
        let flips = condition.clock_comparisons().iter().filter_map(|comparison| {
            let clock = view.clock(Feature::at(comparison.feature))?;
            clock.next_flip(comparison.operator, comparison.threshold(&|feature| view.value(feature)), self.now)
        });
        flips.min().unwrap_or(Time::NEVER)
    }
}

/// The usual case, made short: nothing is going on, and nothing begins. Then the time of the next look is told.
pub(crate) fn stays_idle(subject: &Subject<'_>) -> Option<Time> {
    match subject.applies() {
        Err(warm) => Some(warm.unwrap_or(Time::NEVER)),
        Ok(()) if subject.holds(&subject.rule.when) => None,
        Ok(()) => Some(subject.next_flip(&subject.rule.when)),
    }
}

/// Moves an episode on to `subject.now`.
pub(crate) fn step(subject: &Subject<'_>, episode: Option<Episode>) -> Step {
    let mut step = Step { episode, outputs: Vec::new(), due: Time::NEVER, at_risk: AtRiskChange::None, now: subject.now };
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
pub(crate) fn expired(subject: &Subject<'_>, episode: &Episode) -> Option<Output> {
    (episode.phase == Phase::Open).then(|| {
        let mut episode = episode.clone();
        tell(subject, &mut episode, Transition::Expired)
    })
}

fn is_at_risk(subject: &Subject<'_>) -> bool {
    subject.rule.kind == crate::rule::Kind::AtRisk && subject.rule.mode == Mode::Live
}

/// Makes the record of a transition; rules in shadow mode decide, but do not send, and nobody has heard of an episode that began in silence.
fn tell(subject: &Subject<'_>, episode: &mut Episode, transition: Transition) -> Output {
    let signal = signal(subject, episode, transition);
    episode.ordinal = episode.ordinal.saturating_add(1);
    match subject.rule.mode {
        Mode::Live if subject.was_quiet(episode) => Output::Decision(signal, "quiet".into()),
        Mode::Live => Output::Signal(signal),
        Mode::Shadow => Output::Decision(signal, "shadow".into()),
    }
}

impl Step {
    /// Asks to be looked at again at an instant; what lies not after now needs no second look.
    fn wait(&mut self, until: Time) {
        if until > self.now {
            self.due = self.due.min(until);
        }
    }

    /// The condition holds where nothing was going on.
    fn begin(&mut self, subject: &Subject<'_>, mut episode: Episode) {
        episode.enter(Phase::Pending, subject.now);
        self.episode = Some(episode);
        self.pending(subject, true);
    }

    fn pending(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(mut episode) = self.episode.take() else { return };
        if !condition {
            if episode.number > 0 {
                // It was raised before: keep its count and cooldown.
                episode.enter(Phase::Closed, subject.now);
                self.episode = Some(episode);
            }
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
        episode.set_severity(subject.severity(Severity::Warning));
        if let Some(suppression) = subject.suppression() {
            if episode.phase != Phase::Held {
                let mut untold = episode.clone();
                untold.raised_at = subject.now;
                untold.number += 1;
                untold.ordinal = 0;
                self.outputs.push(Output::Decision(signal(subject, &untold, Transition::Raised), suppression.into()));
                episode.enter(Phase::Held, subject.now);
            }
            self.wait_while_held(subject);
            self.episode = Some(episode);
            return;
        }
        episode.enter(Phase::Open, subject.now);
        episode.raised_at = subject.now;
        episode.number = episode.number.saturating_add(1);
        episode.ordinal = 0;
        episode.armed = false;
        self.outputs.push(tell(subject, &mut episode, Transition::Raised));
        if episode.is_at_risk {
            self.at_risk = AtRiskChange::Raised;
        }
        self.wait_while_open(subject);
        self.episode = Some(episode);
    }

    fn held(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(mut episode) = self.episode.take() else { return };
        if condition {
            self.raise(subject, episode);
        } else {
            episode.enter(Phase::Closed, subject.now);
            episode.armed = true;
            self.episode = Some(episode).filter(|episode| episode.number > 0);
        }
    }

    fn open(&mut self, subject: &Subject<'_>, condition: bool) {
        let Some(mut episode) = self.episode.take() else { return };
        let ends = match &subject.rule.until {
            _ if subject.rule.object.is_some() && subject.object.is_none() => true,
            Some(until) => subject.holds(until),
            None => !condition,
        };
        if !subject.is_paying() {
            let churned = subject.customer.billing.active().next().is_none();
            self.end(subject, episode, if churned { Transition::Resolved } else { Transition::Cleared }, condition);
            return;
        }
        if ends {
            episode.clearing_since = episode.clearing_since.min(subject.now);
            let over = episode.clearing_since.plus_ms(subject.rule.clear_hold_ms);
            if subject.now >= over {
                self.end(subject, episode, Transition::Cleared, condition);
                return;
            }
            self.wait(over);
        } else {
            episode.clearing_since = Time::NEVER;
        }
        let before = episode.severity();
        let severity = subject.severity(before);
        if subject.was_quiet(&episode) && subject.now >= subject.rules.settings.quiet_until {
            episode.set_severity(severity);
            self.backfill(subject, &mut episode);
        } else if severity != before {
            episode.set_severity(severity);
            let transition = if severity > before { Transition::Escalated } else { Transition::Eased };
            self.outputs.push(tell(subject, &mut episode, transition));
        }
        self.wait_while_open(subject);
        self.episode = Some(episode);
    }

    /// The silence is over: what is still open is raised as of now.
    fn backfill(&mut self, subject: &Subject<'_>, episode: &mut Episode) {
        (episode.raised_at, episode.ordinal) = (subject.now, 0);
        let mut output = tell(subject, episode, Transition::Raised);
        if let Output::Signal(signal) = &mut output {
            signal.backfilled = true;
        }
        self.outputs.push(output);
    }

    fn end(&mut self, subject: &Subject<'_>, mut episode: Episode, transition: Transition, condition: bool) {
        self.outputs.push(tell(subject, &mut episode, transition));
        if episode.is_at_risk {
            self.at_risk = AtRiskChange::Ended;
        }
        episode.enter(Phase::Closed, subject.now);
        episode.armed = !condition;
        let again = subject.now.plus_ms(subject.rule.cooldown_ms);
        self.wait(again);
        self.episode = Some(episode);
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
        } else if !condition && subject.rule.object.is_some() {
            // Things come and go: their closed episodes are not kept.
            return;
        }
        self.episode = Some(episode);
    }

    fn wait_while_open(&mut self, subject: &Subject<'_>) {
        self.wait(subject.rules.settings.quiet_until);
        let until = subject.rule.until.iter();
        until.chain(subject.rule.severity.iter().map(|(_, condition)| condition)).for_each(|one| self.wait(subject.next_flip(one)));
    }

    fn wait_while_held(&mut self, subject: &Subject<'_>) {
        let suppressions = &subject.rules.settings.suppressions;
        subject.rule.unless.iter().for_each(|index| self.wait(subject.next_flip(&suppressions[*index].when)));
    }
}
