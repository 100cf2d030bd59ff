//! Tests of the expression language through its public functions: values, comparisons, errors, templates, properties.

mod errors;
mod features;
mod limits;
mod properties;
mod templates;
mod values;

use super::{Expected, Expression, ExpressionError, Scope, Symbol, ValueType, compile};

const GRADES: &[&str] = &["red", "amber", "green"];
const STAGES: &[&str] = &["onboarding", "adoption", "retention"];

const FEATURES: usize = 9;

/// The features of all tests; the number of each is its position.
static SYMBOLS: [Symbol; FEATURES] = [
    symbol(0, "mrr", ValueType::Number, false),
    symbol(1, "nps", ValueType::Number, false),
    symbol(2, "logins_7d", ValueType::Number, false),
    symbol(3, "onboarded", ValueType::Boolean, false),
    symbol(4, "at_risk", ValueType::Boolean, false),
    symbol(5, "grade", ValueType::Label(GRADES), false),
    symbol(6, "stage", ValueType::Label(STAGES), false),
    symbol(7, "days_since_login", ValueType::Number, true),
    symbol(8, "days_to_renewal", ValueType::Number, true),
];

const fn symbol(feature: u16, name: &'static str, value_type: ValueType, clock: bool) -> Symbol {
    Symbol { name: std::borrow::Cow::Borrowed(name), feature, value_type, clock, labels: None, family: None }
}

fn params() -> Vec<(String, f64)> {
    [("days", 30.0), ("ratio", 0.5), ("zero", 0.0)].map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn try_compile(source: &str, expected: Expected) -> Result<Expression, Vec<ExpressionError>> {
    compile(source, expected, &Scope { symbols: &SYMBOLS, params: &params() })
}

fn compiled(source: &str, expected: Expected) -> Expression {
    try_compile(source, expected).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

/// The errors as a terminal shows them.
fn errors_of(source: &str, expected: Expected) -> String {
    let errors = try_compile(source, expected).expect_err(source);
    errors.iter().map(|error| error.render(source)).collect::<Vec<_>>().join("\n")
}

/// Where `values` names no feature, it is absent.
fn lookup(values: &[(&str, f64)]) -> impl Fn(u16) -> f64 {
    let mut table = [f64::NAN; FEATURES];
    for (name, value) in values {
        let symbol = SYMBOLS.iter().find(|symbol| symbol.name == *name).expect("tests name known features");
        table[usize::from(symbol.feature)] = *value;
    }
    move |feature| table[usize::from(feature)]
}

fn names(features: u128) -> Vec<&'static str> {
    let mut names = Vec::new();
    for symbol in &SYMBOLS {
        if features & (1 << symbol.feature) != 0
            && let std::borrow::Cow::Borrowed(name) = symbol.name
        {
            names.push(name);
        }
    }
    names
}
