//! What must hold for every expression: a second, naive evaluator agrees, and nothing panics or is infinite.

use proptest::prelude::*;

use super::super::{Expected, Scope, template};
use super::{FEATURES, SYMBOLS, compiled, params, try_compile};

#[derive(Debug, Clone)]
enum Tree {
    Constant(u8),
    Feature(usize),
    Flag(usize),
    Unary(&'static str, Box<Tree>),
    Binary(&'static str, Box<[Tree; 2]>),
    Choose(Box<[Tree; 3]>),
}

type Features = [f64; FEATURES];

fn numbers() -> BoxedStrategy<Tree> {
    trees().0
}

fn conditions() -> BoxedStrategy<Tree> {
    trees().1
}

/// Numbers and conditions that contain each other, three levels of each.
fn trees() -> (BoxedStrategy<Tree>, BoxedStrategy<Tree>) {
    let feature = (0..3usize).prop_map(Tree::Feature);
    let mut number = prop_oneof![(0..6u8).prop_map(Tree::Constant), feature].boxed();
    let mut condition = (3..5usize).prop_map(Tree::Flag).boxed();
    for _ in 0..3 {
        let arithmetic = prop::sample::select(vec!["+", "-", "*", "/", "max", "min"]);
        let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
        let logic = prop::sample::select(vec!["&&", "||", "==", "!="]);
        let next_number = prop_oneof![
            number.clone(),
            binary(arithmetic, number.clone()),
            unary(vec!["-", "abs"], number.clone()),
            choose(condition.clone(), number.clone()),
        ];
        let next_condition = prop_oneof![
            condition.clone(),
            binary(comparison, number),
            binary(logic, condition.clone()),
            unary(vec!["!"], condition.clone()),
            choose(condition.clone(), condition),
        ];
        (number, condition) = (next_number.boxed(), next_condition.boxed());
    }
    (number, condition)
}

fn binary(operator: impl Strategy<Value = &'static str> + 'static, side: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    (operator, side.clone(), side).prop_map(|(operator, left, right)| Tree::Binary(operator, Box::new([left, right])))
}

fn unary(operators: Vec<&'static str>, inner: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    (prop::sample::select(operators), inner).prop_map(|(operator, inner)| Tree::Unary(operator, Box::new(inner)))
}

fn choose(condition: BoxedStrategy<Tree>, branch: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    (condition, branch.clone(), branch).prop_map(|(condition, then, otherwise)| Tree::Choose(Box::new([condition, then, otherwise])))
}

fn print(tree: &Tree) -> String {
    match tree {
        Tree::Constant(value) => value.to_string(),
        Tree::Feature(feature) | Tree::Flag(feature) => SYMBOLS[*feature].name.to_string(),
        Tree::Unary("abs", inner) => format!("abs({})", print(inner)),
        Tree::Unary(operator, inner) => format!("{operator}({})", print(inner)),
        Tree::Binary(function @ ("max" | "min"), sides) => {
            format!("{function}({}, {})", print(&sides[0]), print(&sides[1]))
        }
        Tree::Binary(operator, sides) => {
            format!("({}){operator}({})", print(&sides[0]), print(&sides[1]))
        }
        Tree::Choose(parts) => format!("(({}) ? ({}) : ({}))", print(&parts[0]), print(&parts[1]), print(&parts[2])),
    }
}

/// The documented semantics, word by word; conditions are 1 and 0, and NaN for a lone flag that is absent.
fn value(tree: &Tree, features: &Features) -> f64 {
    let holds = |tree: &Tree| value(tree, features) == 1.0;
    let truth = |holds: bool| f64::from(u8::from(holds));
    match tree {
        Tree::Constant(constant) => f64::from(*constant),
        Tree::Feature(feature) | Tree::Flag(feature) => finite(features[*feature]),
        Tree::Unary("-", inner) => -value(inner, features),
        Tree::Unary("abs", inner) => value(inner, features).abs(),
        Tree::Unary(_, inner) => match &**inner {
            Tree::Flag(feature) => truth(features[*feature] == 0.0),
            Tree::Unary("!", doubly) => truth(holds(doubly)),
            inner => truth(!holds(inner)),
        },
        Tree::Binary("&&", sides) => truth(holds(&sides[0]) && holds(&sides[1])),
        Tree::Binary("||", sides) => truth(holds(&sides[0]) || holds(&sides[1])),
        Tree::Binary(operator, sides) => {
            let (left, right) = (value(&sides[0], features), value(&sides[1], features));
            let absent = left.is_nan() || right.is_nan();
            match *operator {
                "+" => finite(left + right),
                "-" => finite(left - right),
                "*" => finite(left * right),
                "/" => finite(left / right),
                "max" => left.max(right),
                "min" => left.min(right),
                _ if absent => 0.0,
                "==" => truth(left == right),
                "!=" => truth(left != right),
                "<" => truth(left < right),
                "<=" => truth(left <= right),
                ">" => truth(left > right),
                _ => truth(left >= right),
            }
        }
        Tree::Choose(parts) => {
            let branch = if holds(&parts[0]) { &parts[1] } else { &parts[2] };
            let chosen = value(branch, features);
            // A chosen condition is known, even if it is a lone flag.
            if is_condition(branch) { truth(chosen == 1.0) } else { chosen }
        }
    }
}

fn is_condition(tree: &Tree) -> bool {
    match tree {
        Tree::Constant(_) | Tree::Feature(_) => false,
        Tree::Flag(_) => true,
        Tree::Unary(operator, _) => *operator == "!",
        Tree::Binary(operator, _) => !["+", "-", "*", "/", "max", "min"].contains(operator),
        Tree::Choose(parts) => is_condition(&parts[1]),
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

fn features() -> impl Strategy<Value = Features> {
    let number = || prop::sample::select(vec![f64::NAN, 0.0, 1.0, 2.0, -3.0, 1e300, f64::INFINITY]);
    let flag = || prop::sample::select(vec![f64::NAN, 0.0, 1.0]);
    (number(), number(), number(), flag(), flag())
        .prop_map(|(first, second, third, fourth, fifth)| [first, second, third, fourth, fifth, 1.0, 1.0, f64::NAN, f64::INFINITY])
}

fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "mrr",
        "nps",
        "onboarded",
        "grade",
        "days_since_login",
        "days",
        "zero",
        "weather",
        "max",
        "has",
        "abs",
        "(",
        ")",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "!",
        "&&",
        "||",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "?",
        ":",
        ",",
        "=",
        "and",
        "'red'",
        "\"x",
        "1",
        "0.5",
        "1.",
        ".",
        "é",
        "“",
        "\\",
        "\0",
        "\n",
        "{",
        "}",
        "true",
        "in",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// Everything that a caller may do with what came out of any source.
fn exercise(source: &str, features: &Features) {
    let value_of = |feature: u16| features[usize::from(feature)];
    for expected in [Expected::Boolean, Expected::Number] {
        match try_compile(source, expected) {
            Ok(expression) => {
                let value = expression.evaluate(&value_of);
                assert!(!value.is_infinite(), "{source}");
                assert!(expected == Expected::Number || value == f64::from(u8::from(expression.is_true(&value_of))));
                for comparison in expression.comparisons() {
                    assert!(!comparison.threshold(&value_of).is_infinite(), "{source}");
                    assert_eq!(comparison.threshold_features() & !expression.features(), 0);
                }
            }
            Err(errors) => {
                assert!(!errors.is_empty());
                for error in errors {
                    assert!(source.get(error.range.clone()).is_some(), "{source}: {error:?}");
                    error.render(source);
                }
            }
        }
    }
    if let Ok(template) = template::compile(source, &Scope { symbols: &SYMBOLS, params: &params() }) {
        template.render(&value_of, &mut String::new());
    }
}

proptest! {
    #[test]
    fn numbers_agree_with_the_naive_evaluator(tree in numbers(), features in features()) {
        let found = compiled(&print(&tree), Expected::Number).evaluate(&|feature| features[usize::from(feature)]);
        let expected = value(&tree, &features);
        prop_assert!(found == expected || (found.is_nan() && expected.is_nan()), "{}: {found} {expected}", print(&tree));
    }

    #[test]
    fn conditions_agree_with_the_naive_evaluator(tree in conditions(), features in features()) {
        let found = compiled(&print(&tree), Expected::Boolean).is_true(&|feature| features[usize::from(feature)]);
        prop_assert_eq!(found, value(&tree, &features) == 1.0, "{}", print(&tree));
    }

    #[test]
    fn token_soup_does_no_harm(source in words(), features in features()) {
        exercise(source.as_str(), &features);
    }

    #[test]
    fn any_text_does_no_harm(source in any::<String>(), features in features()) {
        exercise(source.as_str(), &features);
    }
}
