//! Compares what a rule did with what it should do, and shows the difference.

use bellwether_codec::rules::Expectation;

use super::Outcome;
use super::transition::{Found, expected_words};

/// Ok where all transitions meet the expectations one by one.
pub(super) fn compare(expected: &[Expectation], found: &[Found]) -> Outcome {
    let all_met = expected.len() == found.len() && expected.iter().zip(found).all(|(want, is)| is.meets(want));
    if all_met {
        return Outcome::Ok;
    }
    Outcome::Mismatch {
        expected: expected.iter().map(expected_words).collect(),
        found: found.iter().map(Found::to_string).collect(),
        diff: diff(expected, found),
    }
}

/// Lines of both in order, those that meet only once.
fn diff(expected: &[Expectation], found: &[Found]) -> String {
    let common = common_lengths(expected, found);
    let (mut row, mut column, mut lines) = (0, 0, Vec::new());
    while row < expected.len() || column < found.len() {
        match (expected.get(row), found.get(column)) {
            (Some(want), Some(is)) if is.meets(want) => {
                lines.push(format!("      {is}"));
                (row, column) = (row + 1, column + 1);
            }
            (Some(want), is) if is.is_none() || common[row + 1][column] >= common[row][column + 1] => {
                lines.push(format!("    - {} (line {})", expected_words(want), want.line));
                row += 1;
            }
            (_, Some(is)) => {
                lines.push(format!("    + {is}"));
                column += 1;
            }
            (_, None) => unreachable!("one of both is not at its end"),
        }
    }
    lines.join("\n")
}

/// For each pair of places the most transitions that can still meet, in order.
fn common_lengths(expected: &[Expectation], found: &[Found]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; found.len() + 1]; expected.len() + 1];
    for row in (0..expected.len()).rev() {
        for column in (0..found.len()).rev() {
            common[row][column] = if found[column].meets(&expected[row]) {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    common
}
