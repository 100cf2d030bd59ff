//! Watches one shard of a replay, and keeps a history of each of its customers.

use std::collections::HashMap;
use std::sync::Arc;

use bellwether_engine::customer::Customer;
use bellwether_engine::event::{Body, CampaignStep, CustomerKey, Event, SubscriptionStep};
use bellwether_engine::partition::Partition;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;
use bellwether_engine::view::View;

use super::Observed;
use super::history::{Change, History, Score};
use super::rows::{FeatureRow, MAX_ROWS_OF_PARTITION};

/// Reasons of decisions about episodes that run their course without being sent.
const UNSENT: [&str; 3] = ["shadow", "hold-out", "quiet"];

/// The subject of events about ourselves, which is no customer.
const COMPANY: &str = "_company";

/// A customer with its history.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedCustomer {
    /// The customer id.
    pub id: Box<str>,
    /// Since when it is a customer: its tenure runs from here.
    pub since: Time,
    /// Until when the log tells of it: where partitions of a journal end apart, the end of its own.
    pub known_until: Time,
    /// Its market segment at the end of the log.
    pub segment: Option<Arc<str>>,
    /// Its past.
    pub history: History,
}

/// Keeps histories.
#[derive(Debug)]
pub struct Observer {
    /// The index of each rule by its hash.
    rules: HashMap<u32, u16>,
    histories: HashMap<CustomerKey, History>,
    /// Names of owners and segments, each once.
    names: HashMap<Box<str>, Arc<str>>,
    left_out: u64,
    rows: usize,
}

impl Observer {
    /// Watches for episodes of these rules.
    #[must_use]
    pub fn new(rules: &RuleSet) -> Self {
        let rules = (0..).zip(&rules.rules).map(|(index, rule)| (rule.hash, index)).collect();
        Self { rules, histories: HashMap::new(), names: HashMap::new(), left_out: 0, rows: 0 }
    }

    /// Whether an event may change what is remembered of its customer, so that the customer is to be looked at after it.
    #[must_use]
    pub fn concerns(event: &Event<'_>) -> bool {
        matches!(event.body, Body::Subscription { .. } | Body::Cancellation { .. } | Body::Erased | Body::Lead { .. })
            || matches!(event.body, Body::Campaign { step: CampaignStep::Converted, .. })
    }

    /// Looks at a customer of which such an event was just folded.
    pub fn look_at(&mut self, customer: &Customer, key: CustomerKey, event: &Event<'_>) {
        let history = self.histories.entry(key).or_default();
        if matches!(event.body, Body::Campaign { .. } | Body::Lead { .. }) {
            // Which leads are references is for the fold to say, which judges advocacy by the same time.
            if customer.outcomes.as_ref().is_some_and(|outcomes| outcomes.advocated_at == Some(event.time)) {
                self.left_out += u64::from(!history.note_conversion(event.time));
            }
            return;
        }
        let is_active = customer.billing.active().next().is_some();
        let mrr_minor = customer.billing.mrr_minor();
        let notice_at = customer.notice_at();
        let ended = customer.billing.subscriptions.iter().filter(|one| one.status.get() == Some(&SubscriptionStep::Ended));
        let periods = ended.filter_map(|subscription| subscription.period_end.get());
        let paid_until = periods.max().filter(|_| !is_active).copied().unwrap_or(Time::MIN);
        self.left_out += u64::from(!history.note_change(Change { at: event.time, mrr_minor, is_active, notice_at, paid_until }));
    }

    /// Follows the episodes in what the fold has put out.
    pub fn follow(&mut self, outputs: &[Output]) {
        for output in outputs {
            let signal = match output {
                Output::Signal(signal) => signal,
                Output::Decision(signal, reason) if UNSENT.contains(&&**reason) => signal,
                Output::Decision(..) | Output::Kpis(_) => continue,
            };
            let Some(rule) = self.rules.get(&signal.rule.hash) else { continue };
            let owner = signal.owner.as_ref().map(|owner| shared(&mut self.names, owner));
            let history = self.histories.entry(CustomerKey::of(&signal.customer)).or_default();
            self.left_out += u64::from(!history.note_transition(*rule, signal, owner));
        }
    }

    /// Notes the health of every paying customer at the beginning of a month, to which all reviews are run.
    pub fn sample(&mut self, partition: &Partition, month: i32) {
        for customer in partition.customers().filter(|customer| customer.billing.mrr_minor() > 0) {
            let health_tenths = customer.health.score.map(|score| (score * 10.0).round() as u16);
            self.histories.entry(CustomerKey::of(&customer.id)).or_default().scores.push(Score { month, health_tenths });
        }
    }

    /// Notes the features of every paying customer at a date to which all reviews are run.
    pub fn sample_features(&mut self, partition: &Partition, at: Time) {
        let settings = &partition.rules().settings;
        for customer in partition.customers().filter(|customer| customer.billing.mrr_minor() > 0) {
            if self.rows == MAX_ROWS_OF_PARTITION {
                self.left_out += 1;
                continue;
            }
            self.rows += 1;
            let row = FeatureRow::of(&View::new(customer, settings, at), at);
            self.histories.entry(CustomerKey::of(&customer.id)).or_default().rows.push(row);
        }
    }

    /// What there is to know at the end, which is at this instant.
    #[must_use]
    pub fn finish(mut self, partition: &Partition, known_until: Time) -> Observed {
        let observed = |customer: &Customer| {
            let mut history = self.histories.remove(&CustomerKey::of(&customer.id)).unwrap_or_default();
            history.shrink();
            let segment = customer.account.segment.get().map(|segment| shared(&mut self.names, segment));
            ObservedCustomer { id: customer.id.clone(), since: customer.since, known_until, segment, history }
        };
        let mut customers: Vec<_> = partition.customers().filter(|customer| *customer.id != *COMPANY).map(observed).collect();
        customers.shrink_to_fit();
        Observed { customers, left_out: self.left_out }
    }
}

/// A name of which there is one copy for all customers that have it.
fn shared(names: &mut HashMap<Box<str>, Arc<str>>, name: &str) -> Arc<str> {
    match names.get(name) {
        Some(known) => Arc::clone(known),
        None => Arc::clone(names.entry(name.into()).or_insert_with(|| Arc::from(name))),
    }
}
