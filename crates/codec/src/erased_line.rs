//! What stands in place of a line of an erased customer in files that others read.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// The line, followed by spaces up to the length of what stood there. What was shorter is spaces alone.
pub const ERASED_LINE: &[u8] = br#"{"erased":true}"#;

/// A line of a customer that was erased: to be passed over.
#[derive(Serialize, JsonSchema)]
struct ErasedLine {
    /// That something stood here.
    #[schemars(extend("const" = true))]
    erased: bool,
}

/// Adds the schema of the line to a generator.
pub fn describe(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<ErasedLine>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_the_schema_describes() {
        assert_eq!(serde_json::to_vec(&ErasedLine { erased: true }).unwrap(), ERASED_LINE);
    }
}
