//! Explains one customer at one instant: what happened to it, its features, its health, and why each rule fires or does not.

mod account;
mod follow;

pub use account::{CONTRACT, Comparison, Contribution, Explanation, FeatureValue, RuleState, TimelineEntry};
pub use follow::{ExplainError, Explainer, Followed};
