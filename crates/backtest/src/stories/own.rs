//! Which rule of the default pack is about which planted story.

use super::{Company, Episode};

/// Rules that look at logins and use alone: what holidays, silent sources and machines without logins must not set off.
pub const ACTIVITY_RULES: [&str; 6] =
    ["no-login-30d", "unusual-gap", "usage-decline", "usage-slide", "core-feature-dropped", "active-users-shrink"];

/// Every rule with the stories that it is about; none means all.
const OWN: [(&str, &[&str]); 40] = [
    ("no-login-30d", &["slow-decline", "champion-change", "onboarding-stall"]),
    ("unusual-gap", &["slow-decline", "champion-change"]),
    ("usage-decline", &["slow-decline", "champion-change", "api-only", "intranet"]),
    ("usage-slide", &["slow-decline", "champion-change", "api-only", "intranet"]),
    ("core-feature-dropped", &["slow-decline"]),
    ("active-users-shrink", &["slow-decline", "dormant-users", "narrowing"]),
    ("single-user-dependency", &["narrowing"]),
    ("low-utilisation", &["narrowing", "dormant-users", "champion-change"]),
    ("activation-unused", &["onboarding-stall"]),
    ("onboarding-stalled", &["onboarding-stall"]),
    ("no-first-value", &["onboarding-stall"]),
    ("cancel-page-visit", &["price-shopping"]),
    ("cancel-unacknowledged", &[]),
    ("payment-failed", &["dunning"]),
    ("invoice-overdue", &["dunning"]),
    ("contraction", &["contraction"]),
    ("ticket-spike", &["ticket-spike"]),
    ("support-silence", &["quiet-asker"]),
    ("urgent-ticket-aging", &["ticket-spike"]),
    ("slow-first-response", &["ticket-spike"]),
    ("detractor", &["unhappy"]),
    ("low-satisfaction", &["unhappy", "ticket-spike"]),
    ("champion-changed", &["champion-change"]),
    ("incident-affected", &["incidents"]),
    ("request-pile", &["neglected"]),
    ("renewal-unhealthy", &["slow-decline", "champion-change", "price-shopping", "ticket-spike"]),
    ("health-drop", &["slow-decline", "champion-change", "price-shopping", "ticket-spike"]),
    ("silent-relationship", &["neglected"]),
    ("notice-given", &[]),
    ("returned", &[]),
    ("seat-saturation", &["seat-growth"]),
    ("limit-reached", &["quota-limit"]),
    ("usage-growth", &["seat-growth", "quota-limit"]),
    ("higher-tier-interest", &["higher-tier"]),
    ("unused-entitlement", &["unused-feature"]),
    ("goal-reached", &["promoter", "seat-growth"]),
    ("promoter", &["promoter"]),
    ("anniversary", &[]),
    ("dormant-users", &["dormant-users"]),
    ("expansion-lead", &["higher-tier", "seat-growth", "quota-limit"]),
];

/// A rule on its own stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnStory {
    /// The rule.
    pub rule: &'static str,
    /// The stories; none means all.
    pub stories: &'static [&'static str],
    /// Customers of those stories that it spoke about.
    pub customers: usize,
    /// Episodes on all customers.
    pub episodes: usize,
}

/// Counts, for each rule, on how many customers of its own stories it spoke.
#[must_use]
pub fn own_stories(company: &Company, episodes: &[Episode]) -> Vec<OwnStory> {
    let count = |&(rule, stories): &(&'static str, &'static [&'static str])| {
        let of_rule = || episodes.iter().filter(|episode| episode.rule == rule);
        let is_own = |episode: &&Episode| {
            stories.is_empty() || company.get(&episode.customer).is_some_and(|truth| stories.contains(&truth.story.as_str()))
        };
        let customers: std::collections::BTreeSet<&str> = of_rule().filter(is_own).map(|episode| episode.customer.as_str()).collect();
        OwnStory { rule, stories, customers: customers.len(), episodes: of_rule().count() }
    };
    OWN.iter().map(count).collect()
}
