//! Rules: what a rule file says, checked against the features and compiled.

use std::sync::Arc;

use crate::customer::name_hash;
use crate::event_type::{EventType, EventTypes, Family};
use crate::expression::template::{self, Template};
use crate::expression::{Expected, Expression, ExpressionError, Scope, Symbol, compile, nearest};
use crate::feature::{Feature, FeatureSet};
use crate::guard::Guard;
use crate::settings::Suppression;

/// What a signal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The customer may leave.
    AtRisk,
    /// The customer may buy more.
    Upsell,
    /// The customer may speak well of us.
    Advocacy,
    /// A customer at risk has come back.
    Return,
    /// We should do something.
    Attention,
    /// The data look wrong.
    DataQuality,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 6] = [Self::AtRisk, Self::Upsell, Self::Advocacy, Self::Return, Self::Attention, Self::DataQuality];

    /// Its name in rule files and signals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::AtRisk => "at_risk",
            Kind::Upsell => "upsell",
            Kind::Advocacy => "advocacy",
            Kind::Return => "return",
            Kind::Attention => "attention",
            Kind::DataQuality => "data_quality",
        }
    }

    /// Whether something can come of it that says whether it was right.
    #[must_use]
    pub fn has_outcome(self) -> bool {
        self.needs_paying()
    }

    /// Whether it concerns paying customers only.
    #[must_use]
    pub fn needs_paying(self) -> bool {
        matches!(self, Kind::AtRisk | Kind::Upsell | Kind::Advocacy)
    }
}

/// How bad, or how good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth acting on.
    Warning,
    /// Act now.
    Critical,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Severity; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// Its name in rule files and signals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What a rule may be about, one episode each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// An invited user.
    Invitation,
    /// An invoice.
    Invoice,
    /// A ticket.
    Ticket,
    /// An incident.
    Incident,
    /// A quota.
    Quota,
}

impl ObjectKind {
    /// Every kind of object with its name in rule files.
    pub const ALL: [(ObjectKind, &'static str); 5] = [
        (Self::Invitation, "invitation"),
        (Self::Invoice, "invoice"),
        (Self::Ticket, "ticket"),
        (Self::Incident, "incident"),
        (Self::Quota, "quota"),
    ];
}

/// Whether a rule's signals are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Sent.
    Live,
    /// Recorded as decisions only.
    Shadow,
}

/// A rule as its file gives it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the rule file, documented on `Rule`")]
pub struct RuleDefinition {
    pub name: String,
    pub kind: Kind,
    pub object: Option<ObjectKind>,
    pub params: Vec<(String, f64)>,
    pub when: String,
    pub until: Option<String>,
    pub hold_ms: i64,
    pub clear_hold_ms: i64,
    pub cooldown_ms: i64,
    pub expires_ms: Option<i64>,
    pub severity: Vec<(Severity, String)>,
    pub needs: Vec<String>,
    pub unless: Vec<String>,
    pub inhibited_by: Vec<String>,
    pub warm_up_ms: Option<i64>,
    pub job_size: u8,
    pub precision: f64,
    pub mode: Mode,
    pub summary: String,
    pub playbook: String,
}

/// A mistake in a rule, by the field it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleError {
    /// The field: `when`, `until`, `severity.critical`, `needs`, `unless`, `summary`, ...
    pub field: String,
    /// Where in the field's text, and what.
    pub error: ExpressionError,
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique name.
    pub name: String,
    /// Short hash of the name, by which states know the rule.
    pub hash: u32,
    /// Kind of signal.
    pub kind: Kind,
    /// What it is about, where that is not the customer as a whole.
    pub object: Option<ObjectKind>,
    /// The condition.
    pub when: Expression,
    /// What ends an episode; without it, the condition no longer holding.
    pub until: Option<Expression>,
    /// How long the condition must hold before an episode is raised (`for`).
    pub hold_ms: i64,
    /// How long the end must hold before an episode is cleared (`until_for`).
    pub clear_hold_ms: i64,
    /// How long after an episode no new one is raised.
    pub cooldown_ms: i64,
    /// Age at which an open episode expires; the settings' when not given.
    pub expires_ms: Option<i64>,
    /// Severities with their conditions, least first; the last that holds is taken.
    pub severity: Vec<(Severity, Expression)>,
    /// Event types of which a customer must have had at least one each.
    pub needs: Vec<EventTypes>,
    /// Indexes of suppressions in the settings.
    pub unless: Vec<usize>,
    /// Hashes of the rules that say the same, more surely or more plainly: see [`crate::inhibition`].
    pub inhibited_by: Vec<u32>,
    /// Tenure before which the rule is silent; the settings' warm-up when not given.
    pub warm_up_ms: Option<i64>,
    /// Size of the job it makes, 1 to 21.
    pub job_size: u8,
    /// Its precision as measured by backtests, 0 to 1; drives the risk part of priorities.
    pub precision: f64,
    /// Whether its signals are sent.
    pub mode: Mode,
    /// The reason in words.
    pub summary: Template,
    /// What to do.
    pub playbook: String,
    /// The parts of the condition that few events can change, the rarest first.
    pub(crate) guards: Vec<Guard>,
    /// Features whose change may change something about it.
    pub features: FeatureSet,
    /// Families of events that contribute to it.
    pub families: Vec<Family>,
    /// Families of the events of own features that it sets against time.
    pub own_families: Vec<Family>,
}

impl Rule {
    /// Checks and compiles a definition, or tells every mistake in it.
    pub fn compile(definition: &RuleDefinition, symbols: &[Symbol], suppressions: &[Suppression]) -> Result<Arc<Rule>, Vec<RuleError>> {
        let mut compiler = Compiler { scope: Scope { symbols, params: &definition.params }, errors: Vec::new() };
        let when = compiler.condition("when", &definition.when);
        let until = definition.until.as_ref().map(|source| compiler.condition("until", source));
        let mut severity: Vec<_> = definition
            .severity
            .iter()
            .map(|(severity, source)| (*severity, compiler.condition(&format!("severity.{}", severity.name()), source)))
            .collect();
        severity.sort_by_key(|(severity, _)| *severity);
        let needs: Vec<_> = definition.needs.iter().filter_map(|name| compiler.event_types(name)).collect();
        let unless: Vec<_> = definition.unless.iter().filter_map(|name| compiler.suppression(name, suppressions)).collect();
        let summary = template::compile(&definition.summary, &compiler.scope);
        let summary = summary.map_err(|errors| compiler.add("summary", errors)).ok();
        compiler.no_age("when", &definition.when, when.as_ref());
        if !compiler.errors.is_empty() {
            return Err(compiler.errors);
        }
        let (Some(when), Some(summary)) = (when, summary) else { return Err(compiler.errors) };
        let until = until.flatten();
        let severity: Vec<_> = severity.into_iter().filter_map(|(severity, source)| Some((severity, source?))).collect();
        let mut features = FeatureSet(when.features() | until.as_ref().map_or(0, Expression::features));
        severity.iter().for_each(|(_, condition)| features.0 |= condition.features());
        unless.iter().for_each(|index: &usize| features.0 |= suppressions[*index].when.features());
        if definition.kind.needs_paying() {
            features.add(FeatureSet::of(&[Feature::Mrr]));
        }
        if definition.kind == Kind::AtRisk {
            // A notice may be the churn that its episodes end with.
            features.add(FeatureSet::of(&[Feature::CancelRequested]));
        }
        let own_families = |features: u128| {
            let read = symbols.iter().filter(move |symbol| features >> symbol.feature & 1 == 1);
            read.filter_map(|symbol| symbol.family)
        };
        let mut families = families(FeatureSet(when.features()));
        families.extend(own_families(when.features()));
        families.sort_unstable();
        families.dedup();
        let conditions = until.iter().chain(severity.iter().map(|(_, condition)| condition));
        let own_families = own_families(conditions.fold(when.features(), |all, condition| all | condition.features())).collect();
        Ok(Arc::new(Rule {
            name: definition.name.clone(),
            hash: name_hash(&definition.name),
            kind: definition.kind,
            object: definition.object,
            families,
            own_families,
            guards: if definition.object.is_none() { Guard::of(&when) } else { Vec::new() },
            when,
            until,
            hold_ms: definition.hold_ms,
            clear_hold_ms: definition.clear_hold_ms,
            cooldown_ms: definition.cooldown_ms,
            expires_ms: definition.expires_ms,
            severity,
            needs,
            unless,
            inhibited_by: definition.inhibited_by.iter().map(|name| name_hash(name)).collect(),
            warm_up_ms: definition.warm_up_ms,
            job_size: definition.job_size,
            precision: definition.precision,
            mode: definition.mode,
            summary,
            playbook: definition.playbook.clone(),
            features,
        }))
    }
}

impl Rule {
    /// The features by which its episodes begin, change and end; what holds them back not included.
    pub(crate) fn decided_by(&self) -> FeatureSet {
        let conditions = self.until.iter().chain(self.severity.iter().map(|(_, condition)| condition));
        FeatureSet(conditions.fold(self.when.features(), |all, condition| all | condition.features()))
    }
}

/// Collects the mistakes of one definition.
struct Compiler<'a> {
    scope: Scope<'a>,
    errors: Vec<RuleError>,
}

impl Compiler<'_> {
    fn add(&mut self, field: &str, errors: Vec<ExpressionError>) {
        self.errors.extend(errors.into_iter().map(|error| RuleError { field: field.to_owned(), error }));
    }

    fn condition(&mut self, field: &str, source: &str) -> Option<Expression> {
        compile(source, Expected::Boolean, &self.scope).map_err(|errors| self.add(field, errors)).ok()
    }

    /// The age of an episode means nothing before there is one.
    fn no_age(&mut self, field: &str, source: &str, condition: Option<&Expression>) {
        let name = Feature::AgeDays.name();
        let reads_age = condition.is_some_and(|condition| FeatureSet(condition.features()).contains(Feature::AgeDays));
        let Some(start) = source.find(name).filter(|_| reads_age) else { return };
        let message = format!("`{name}` is the age of an episode and cannot stand in `{field}`");
        let help = Some("it may stand in `severity`, `until` and `summary`".to_owned());
        self.add(field, vec![ExpressionError { range: start..start + name.len(), message, help }]);
    }

    fn event_types(&mut self, name: &str) -> Option<EventTypes> {
        let known = || EventType::ALL.iter().map(|(_, name, _)| *name).chain(Family::ALL.iter().map(|family| family.name()));
        let types = EventTypes::named(name);
        if types.is_none() {
            self.unknown("needs", name, "event type or family", nearest(name, known()));
        }
        types
    }

    fn suppression(&mut self, name: &str, suppressions: &[Suppression]) -> Option<usize> {
        let index = suppressions.iter().position(|suppression| suppression.name == name);
        if index.is_none() {
            self.unknown("unless", name, "suppression", nearest(name, suppressions.iter().map(|suppression| suppression.name.as_str())));
        }
        index
    }

    fn unknown(&mut self, field: &str, name: &str, what: &str, nearest: Option<&str>) {
        let error = ExpressionError {
            range: 0..name.len(),
            message: format!("unknown {what} `{name}`"),
            help: nearest.map(|nearest| format!("did you mean `{nearest}`?")),
        };
        self.add(field, vec![error]);
    }
}

/// The families whose events a set of features is made from.
pub(crate) fn families(features: FeatureSet) -> Vec<Family> {
    let mut families = Vec::new();
    for row in Feature::ALL.iter().filter(|row| features.contains(row.feature)) {
        let sources: &[Family] = match row.feature as u8 {
            feature if feature <= Feature::LoginStopRatio as u8 => &[Family::Login],
            feature if feature < Feature::TenureDays as u8 => &[Family::Login, Family::Usage],
            feature if feature <= Feature::NextActivationExpiryHours as u8 => &[Family::Account],
            feature if feature <= Feature::SlowFirstResponses28d as u8 => &[Family::Ticket],
            feature if feature <= Feature::DaysSinceNps as u8 => &[Family::Survey],
            feature if feature <= Feature::Seats as u8 => &[Family::Billing],
            feature if feature <= Feature::QuotaUtilisation as u8 => &[Family::Usage],
            feature if feature <= Feature::CancelUnacknowledgedBusinessHours as u8 => &[Family::Cancellation],
            feature if feature <= Feature::DaysSinceLead as u8 => &[Family::Account],
            feature if feature == Feature::DaysSinceCampaign as u8 => &[Family::Campaign],
            feature if feature <= Feature::InvitationExpiresInHours as u8 => &[Family::Account],
            feature if feature <= Feature::InvoiceOverdueDays as u8 => &[Family::Billing],
            feature if feature <= Feature::TicketReopenings as u8 => &[Family::Ticket],
            feature if feature <= Feature::IncidentQuietDays as u8 => &[Family::Account],
            feature if feature == Feature::QuotaShare as u8 => &[Family::Usage],
            feature if feature == Feature::Holiday as u8 || feature == Feature::AgeDays as u8 => &[],
            _ => &[Family::Login, Family::Usage, Family::Billing],
        };
        families.extend_from_slice(sources);
    }
    families.sort_unstable();
    families.dedup();
    families
}
