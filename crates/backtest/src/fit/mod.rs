//! Learning from a log who leaves: feature rows with what became of each customer, a logistic risk model, and the health profile that says the same.
//!
//! [`labels`] says which rows end in a churn, [`inputs`] which features may be learned from, [`logistic`] finds the weights, [`model`] puts them
//! together, [`rule_text`] writes them as a rule file, and [`learn`] does it all by a split in time.

pub mod inputs;
pub mod labels;
pub mod learn;
pub mod logistic;
pub mod model;
pub mod quality;
pub mod row_table;
pub mod rule_text;
