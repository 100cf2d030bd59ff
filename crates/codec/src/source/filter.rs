//! Which records of a mapped source are nothing for us.

use serde_json::Value;

/// A condition on one value of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// JSON Pointer (RFC 6901) to the value.
    pub at: String,
    /// What it must be.
    pub test: Test,
}

/// A test of a value. `null` counts as missing; what is missing equals nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is this.
    Equals(Value),
    /// It is not this, or missing.
    NotEquals(Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It is none of these, or missing.
    NotIn(Vec<Value>),
    /// It is there.
    Exists,
    /// It is not there.
    Missing,
}

impl Condition {
    /// Whether a record meets it.
    #[must_use]
    pub fn holds(&self, json: &Value) -> bool {
        let found = json.pointer(&self.at).filter(|value| !value.is_null());
        let is = |expected: &Value| found.is_some_and(|found| same(found, expected));
        match &self.test {
            Test::Equals(expected) => is(expected),
            Test::NotEquals(expected) => !is(expected),
            Test::In(expected) => expected.iter().any(is),
            Test::NotIn(expected) => !expected.iter().any(is),
            Test::Exists => found.is_some(),
            Test::Missing => found.is_none(),
        }
    }
}

/// `1` and `1.0` are the same number.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_test_on_values_that_are_there_and_that_are_not() {
        let record = json!({"a": {"b": "x", "n": 1, "yes": true, "nothing": null}, "list": [{"c": 2}]});
        for (at, test, expected) in [
            ("/a/b", Test::Equals("x".into()), true),
            ("/a/b", Test::Equals("X".into()), false),
            ("/a/n", Test::Equals(json!(1.0)), true),
            ("/a/n", Test::Equals("1".into()), false),
            ("/a/yes", Test::Equals(true.into()), true),
            ("/list/0/c", Test::Equals(2.into()), true),
            ("/a/none", Test::Equals("x".into()), false),
            ("/a/b", Test::NotEquals("x".into()), false),
            ("/a/b", Test::NotEquals("y".into()), true),
            ("/a/none", Test::NotEquals("y".into()), true),
            ("/a/b", Test::In(vec!["y".into(), "x".into()]), true),
            ("/a/none", Test::In(vec!["y".into()]), false),
            ("/a/b", Test::NotIn(vec!["y".into()]), true),
            ("/a/none", Test::NotIn(vec!["y".into()]), true),
            ("/a/b", Test::Exists, true),
            ("/a/nothing", Test::Exists, false),
            ("/a/nothing", Test::Missing, true),
            ("/a/nothing", Test::NotEquals("x".into()), true),
            ("", Test::Exists, true),
        ] {
            let condition = Condition { at: at.into(), test };
            assert_eq!(condition.holds(&record), expected, "{condition:?}");
        }
    }
}
