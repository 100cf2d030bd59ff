//! YAML files that people write: typed values with their places, and every mistake told at once, with the nearest name that is known.
//!
//! `tree` has the document as values; `reader` takes typed values out of it and writes down every mistake instead of stopping at it;
//! `errors` shows them. Files with settings have their fields in tables (`section`), which reading, the reference page (`page`) and the
//! JSON Schema (`schema`) share; `variables` replaces `${NAME}`.

mod durations;
mod errors;
mod places;
mod reader;
mod section;
mod tree;

pub use durations::{DurationError, format_duration, parse_duration};
pub use errors::{FileError, FileErrors, Mistake, line_and_column, render};
pub use places::part_of_scalar;
pub use reader::{Fields, Reader};
pub use section::{Absent, Field, Form, Section, Settings};
pub use tree::{Node, Value, parse, shorten, tags};
