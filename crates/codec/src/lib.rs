//! Bytes in and out: events, dead letters, and what else crosses the edge of the product.

pub mod contract;
pub mod dead_letter;
pub mod erased_line;
pub mod erasures;
pub mod event;
pub mod health_record;
pub mod intake;
pub mod journal;
pub mod kpi_days;
pub mod kpi_record;
pub mod pseudonym;
pub mod rejection;
pub mod rendered;
pub mod rules;
pub mod run;
pub mod signal;
pub mod source;
pub mod state;
pub mod summary;
pub mod table;
pub mod timestamp;
pub mod yaml;
