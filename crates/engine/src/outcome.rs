//! Outcomes: what came of an episode, judged by churn, by what the customer bought, or by the end of the horizon.

use crate::customer::{Customer, MAX_PENDING_OUTCOMES, Outcomes, PendingOutcome};
use crate::episode::{Episode, Phase};
use crate::event::SubscriptionStep;
use crate::feature::{Feature, FeatureSet};
use crate::life_settings::{Churn, LifeSettings};
use crate::lifecycle::Subject;
use crate::outcome_counts::{ChurnCounts, OutcomeCounts};
use crate::record_signal::signal;
use crate::rule::{Kind, Mode, Rule, Severity};
use crate::rule_set::RuleSet;
use crate::settings::Settings;
use crate::signal::{Output, Transition};
use crate::time::{DAY_MS, Time};

/// The reason of decisions that tell the outcome of an episode which it does not end.
pub const OUTCOME_REASON: &str = "outcome";

/// A warning that begins longer before a churn is no warning of it: a rule that is always on does not win. A longer horizon counts.
pub const LONGEST_WARNING_DAYS: i64 = 180;

/// A rise of MRR that makes an upsell signal true.
const UPSELL_RISE: f64 = 1.05;

/// What a change of may bring churn or undo it.
pub(crate) const CHURN: FeatureSet = FeatureSet::of(&[Feature::Mrr, Feature::CancelRequested]);

/// What came of an episode. Censored ones have none: the journal has not got there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was right, in time.
    True,
    /// It was right, and too late to act upon.
    Late,
    /// Nothing came of it within the horizon, or it had ended too long before.
    False,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 3] = [Self::True, Self::Late, Self::False];

    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Outcome::True => "true",
            Outcome::Late => "late",
            Outcome::False => "false",
        }
    }
}

/// Who could act upon an episode, and so what its outcome says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Subscribers were told.
    Told,
    /// Held out: what happens without a signal.
    HeldOut,
    /// Nobody was told, but not by chance: a rule in shadow mode, or history.
    Untold,
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 3] = [Self::Told, Self::HeldOut, Self::Untold];

    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Group::Told => "told",
            Group::HeldOut => "held_out",
            Group::Untold => "untold",
        }
    }

    fn of(rule: &Rule, settings: &Settings, raised_at: Time, held_out: bool) -> Self {
        if rule.mode == Mode::Shadow || raised_at < settings.quiet_until {
            return Group::Untold;
        }
        if held_out { Group::HeldOut } else { Group::Told }
    }
}

/// An outcome with the time from the signal to what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// From the raise to the churn, the purchase or the word spoken for us, zero or more; none where nothing came.
    pub lead_ms: Option<i64>,
    /// Who was told.
    pub group: Group,
}

impl Verdict {
    /// The lead in days.
    #[must_use]
    pub fn lead_days(&self) -> Option<f64> {
        self.lead_ms.map(|lead| lead as f64 / DAY_MS as f64)
    }
}

/// When the customer churned, or will have: the latest churn that still stands. It may lie ahead where paid periods run on.
pub(crate) fn churn_time(customer: &Customer, churn: Churn) -> Option<Time> {
    let notice = || customer.notice_at().filter(|_| churn == Churn::Notice);
    if customer.billing.active().next().is_some() {
        return notice();
    }
    let ended = customer.billing.subscriptions.iter().filter(|one| one.status.get() == Some(&SubscriptionStep::Ended));
    let end = ended.filter_map(|one| {
        let paid_end = one.period_end.get().copied().filter(|_| churn == Churn::PaidEnd);
        one.status.time().max(paid_end)
    });
    end.max().map(|end| notice().map_or(end, |notice| notice.min(end)))
}

/// What an episode is judged by.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub kind: Kind,
    pub raised_at: Time,
    /// When it ended; `None` while it is open.
    pub ended_at: Option<Time>,
    pub group: Group,
    pub mrr_minor: i64,
}

impl Case {
    /// Of an open episode.
    pub fn of(rule: &Rule, settings: &Settings, episode: &Episode) -> Self {
        let Episode { raised_at, held_out, mrr_minor, .. } = *episode;
        Self { kind: rule.kind, raised_at, ended_at: None, group: Group::of(rule, settings, raised_at, held_out), mrr_minor }
    }

    /// Of one that has ended.
    fn ended(rule: &Rule, settings: &Settings, pending: &PendingOutcome) -> Self {
        let PendingOutcome { raised_at, ended_at, held_out, mrr_minor, .. } = *pending;
        let group = Group::of(rule, settings, raised_at, held_out);
        Self { kind: rule.kind, raised_at, ended_at: Some(ended_at), group, mrr_minor }
    }

    /// Its outcome, if that is known by now.
    pub fn verdict(&self, customer: &Customer, life: &LifeSettings, now: Time) -> Option<Verdict> {
        let happened = match self.kind {
            Kind::AtRisk => churn_time(customer, life.churn).filter(|churn| *churn <= now).map(|churn| self.at_churn(churn, life)),
            Kind::Upsell => {
                let has_risen = self.mrr_minor > 0 && customer.billing.mrr_minor() as f64 >= UPSELL_RISE * self.mrr_minor as f64;
                (has_risen && now.since_ms(self.raised_at) <= life.horizon_ms).then(|| self.came_true(now))
            }
            Kind::Advocacy => {
                let advocated = customer.outcomes.as_ref().and_then(|outcomes| outcomes.advocated_at);
                let in_time = |at: &Time| *at >= self.raised_at && at.since_ms(self.raised_at) <= life.horizon_ms;
                advocated.filter(in_time).map(|at| self.came_true(at))
            }
            _ => return None,
        };
        let is_over = self.raised_at.plus_ms(life.horizon_ms) <= now;
        happened.or_else(|| is_over.then_some(Verdict { outcome: Outcome::False, lead_ms: None, group: self.group }))
    }

    /// What churn says of an at-risk episode.
    pub fn at_churn(&self, churn: Time, life: &LifeSettings) -> Verdict {
        let lead_ms = churn.since_ms(self.raised_at).max(0);
        let was_over = self.ended_at.is_some_and(|end| end < churn.plus_ms(-life.min_lead_ms));
        let outcome = match lead_ms {
            lead if lead < life.min_lead_ms => Outcome::Late,
            lead if lead > life.horizon_ms || was_over => Outcome::False,
            _ => Outcome::True,
        };
        Verdict { outcome, lead_ms: Some(lead_ms), group: self.group }
    }

    fn came_true(&self, at: Time) -> Verdict {
        Verdict { outcome: Outcome::True, lead_ms: Some(at.since_ms(self.raised_at)), group: self.group }
    }
}

/// Notes that the customer churned, once for each churn, or that it is back. Tells when a churn to come is due.
pub(crate) fn note_churn(customer: &mut Customer, rules: &RuleSet, now: Time, counts: &mut OutcomeCounts) -> Time {
    let known = customer.outcomes.as_ref().and_then(|outcomes| outcomes.churned_at);
    let life = &rules.settings.life;
    let churn = match churn_time(customer, life.churn) {
        Some(ahead) if ahead > now => return ahead,
        other => other,
    };
    if churn.is_some() != known.is_some() {
        if let Some(churn) = churn {
            count_churn(customer, rules, churn, &mut counts.churn);
        }
        customer.outcomes.get_or_insert_default().churned_at = churn;
    }
    Time::NEVER
}

/// Counts a churn, and how long before it the customer was first warned of without a break.
fn count_churn(customer: &Customer, rules: &RuleSet, churn: Time, counts: &mut ChurnCounts) {
    let settings = &rules.settings;
    let was_paying = customer.billing.subscriptions.iter().any(|one| one.mrr_minor.get().is_some_and(|mrr| *mrr > 0));
    // What came before the end of silence could not be told.
    if !was_paying || churn < customer.since.plus_ms(settings.warm_up_ms).max(settings.quiet_until) {
        return;
    }
    let life = &settings.life;
    let rule_of = |hash: u32| rules.rules.iter().find(|rule| rule.hash == hash && rule.kind == Kind::AtRisk);
    let open = customer.episodes.iter().filter(|episode| episode.phase == Phase::Open);
    let open = open.filter_map(|episode| rule_of(episode.rule).map(|rule| (rule, Case::of(rule, settings, episode))));
    let pending = customer.outcomes.iter().flat_map(|outcomes| &outcomes.pending);
    let pending = pending.filter_map(|pending| rule_of(pending.rule).map(|rule| (rule, Case::ended(rule, settings, pending))));
    let longest_ms = life.horizon_ms.max(LONGEST_WARNING_DAYS * DAY_MS);
    let warnings = open.chain(pending).filter(|(_, case)| case.group == Group::Told).filter_map(|(rule, case)| {
        let verdict = case.at_churn(churn, life);
        let was_over = case.ended_at.is_some_and(|end| end < churn.plus_ms(-life.min_lead_ms));
        let is_of_this_churn = !was_over && verdict.lead_ms.is_some_and(|lead| lead <= longest_ms);
        is_of_this_churn.then_some((rule.name.as_str(), verdict))
    });
    counts.add(&warnings.collect::<Vec<_>>());
}

/// Remembers an episode that ends before its outcome is known.
pub(crate) fn remember(customer: &mut Customer, episode: &Episode, now: Time, counts: &mut OutcomeCounts) {
    let pending = &mut customer.outcomes.get_or_insert_default().pending;
    if pending.len() >= MAX_PENDING_OUTCOMES {
        counts.forgotten += 1;
        return;
    }
    pending.push(PendingOutcome {
        rule: episode.rule,
        object: episode.object.clone(),
        raised_at: episode.raised_at,
        ended_at: now,
        number: episode.number,
        ordinal: episode.ordinal,
        severity: episode.severity() as u8,
        held_out: episode.held_out,
        mrr_minor: episode.mrr_minor,
    });
}

/// Judges the ended episodes whose outcome is known by now. Tells when the next one is known at the latest.
pub(crate) fn settle(customer: &mut Customer, rules: &RuleSet, now: Time, outputs: &mut Vec<Output>, counts: &mut OutcomeCounts) -> Time {
    let Some(outcomes) = customer.outcomes.as_deref_mut().filter(|outcomes| !outcomes.pending.is_empty()) else { return Time::NEVER };
    let life = &rules.settings.life;
    let (mut due, mut waiting) = (Time::NEVER, Vec::new());
    for pending in std::mem::take(&mut outcomes.pending) {
        // Of rules that are gone nothing is told any more.
        let Some(rule) = rules.rules.iter().find(|rule| rule.hash == pending.rule) else { continue };
        match Case::ended(rule, &rules.settings, &pending).verdict(customer, life, now) {
            Some(verdict) => {
                counts.judged(&rule.name, &verdict);
                let subject =
                    Subject { customer, rules, rule, name: &pending.object, object: None, now, raised_at: Some(pending.raised_at) };
                outputs.push(told(&subject, &ended(&pending), verdict));
            }
            None => {
                due = due.min(pending.raised_at.plus_ms(life.horizon_ms));
                waiting.push(pending);
            }
        }
    }
    customer.outcomes.get_or_insert_with(Box::<Outcomes>::default).pending = waiting;
    due
}

/// The decision that tells an outcome.
pub(crate) fn told(subject: &Subject<'_>, episode: &Episode, verdict: Verdict) -> Output {
    let mut signal = signal(subject, episode, Transition::Resolved);
    signal.verdict = Some(verdict);
    Output::Decision(signal, OUTCOME_REASON.into())
}

/// An ended episode as a record tells it.
fn ended(pending: &PendingOutcome) -> Episode {
    let mut episode = Episode::pending(pending.rule, &pending.object, false, pending.raised_at);
    episode.set_severity(Severity::ALL[usize::from(pending.severity).min(2)]);
    (episode.number, episode.ordinal, episode.held_out) = (pending.number, pending.ordinal, pending.held_out);
    episode
}
