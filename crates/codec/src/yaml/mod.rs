//! YAML files that people write: typed values with their places, and every mistake told at once, with the nearest name that is known.
//!
//! `tree` has the document as values; `reader` takes typed values out of it and writes down every mistake instead of stopping at it;
//! `errors` shows them. Files with settings have their fields in tables (`section`), which reading, the reference page (`page`) and the
//! JSON Schema (`schema`) share; `variables` replaces `${NAME}`, and `print` shows what came of it, without `secrets`;
//! `secret_lines` keeps these out of errors.

mod durations;
mod errors;
mod page;
mod places;
mod print;
mod reader;
mod schema;
mod secret_lines;
mod secrets;
mod section;
mod tree;
mod variables;

pub use durations::{DurationError, format_duration, parse_duration};
pub use errors::{FileError, FileErrors, Mistake, line_and_column, render};
pub use page::section_pages;
pub use places::part_of_scalar;
pub use print::print_settings;
pub use reader::{Fields, Reader};
pub use schema::json_schema;
pub use secret_lines::SecretLines;
pub use secrets::{MASK, is_secret_name};
pub use section::{Absent, Field, Form, Section, Settings};
pub use tree::{Node, Value, parse, shorten, tags};
pub use variables::expand_variables;
