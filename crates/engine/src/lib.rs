//! The pure engine: customer state, features, rules, episodes and reviews, as a fold over journal records.
//!
//! Start at [`partition::Partition::apply`]: it runs the reviews that are due, then [`fold::fold`]s the event into its
//! [`customer::Customer`], then evaluates the rules that may have changed, which puts out [`signal::Signal`]s.
//! No clock, no IO, no randomness, no threads: the same records give the same bytes.

pub mod aggregates;
pub mod business_hours;
pub mod clock;
mod completeness;
mod contribution;
pub mod currency;
pub mod customer;
pub mod episode;
pub mod erasure;
mod evaluate;
pub mod event;
pub mod event_field;
pub mod event_type;
pub mod expression;
pub mod feature;
mod feature_set;
mod feedback;
pub mod fold;
mod fold_features;
mod guard;
mod header;
pub mod health;
pub mod health_profile;
mod hold_back;
pub mod holidays;
mod index;
pub mod inhibition;
pub mod journey;
pub mod known_feature;
pub mod kpi;
pub mod life_settings;
mod lifecycle;
mod open_episode;
pub mod open_episodes;
pub mod outcome;
pub mod outcome_counts;
pub mod own_feature;
pub mod partition;
pub mod poison;
mod record;
mod record_signal;
mod review;
pub mod rule;
mod rule_readers;
pub mod rule_set;
pub mod settings;
pub mod signal;
pub mod silence;
pub mod standing;
pub mod time;
mod timers;
pub mod trace_parent;
pub mod view;
pub mod zone;
