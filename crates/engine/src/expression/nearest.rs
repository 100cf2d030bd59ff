//! The known name that a misspelt one was probably meant to be.

/// The candidate closest to `name`, if any is close enough to be worth suggesting; of equals, the first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters = lowercase(name);
    // A third of the letters may be wrong; more, and the suggestion is a guess.
    let limit = (letters.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let candidate_letters = lowercase(candidate);
        if candidate_letters.len().abs_diff(letters.len()) > limit {
            continue;
        }
        let distance = distance(&letters, &candidate_letters);
        if distance <= limit && distance < candidate_letters.len() && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn lowercase(name: &str) -> Vec<char> {
    name.chars().map(|letter| if letter == '-' { '_' } else { letter.to_ascii_lowercase() }).collect()
}

/// Insertions, deletions, substitutions and swaps of neighbours that lead from one to the other (Damerau).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut current = last.clone();
    for row in 1..=left.len() {
        current[0] = row;
        for column in 1..=right.len() {
            let differs = usize::from(left[row - 1] != right[column - 1]);
            let mut cost = (last[column] + 1).min(current[column - 1] + 1).min(last[column - 1] + differs);
            let swapped = row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1];
            if swapped {
                cost = cost.min(before_last[column - 2] + 1);
            }
            current[column] = cost;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let known = ["days_since_login", "logins_7d", "logins_28d", "mrr", "nps"];
        for (name, expected) in [
            ("days_since_logn", Some("days_since_login")),
            ("days-since-login", Some("days_since_login")),
            ("Days_Since_Login", Some("days_since_login")),
            ("login_7d", Some("logins_7d")),
            ("lgoins_28d", Some("logins_28d")),
            ("nsp", Some("nps")),
            ("mr", Some("mrr")),
            ("weather", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn of_equals_the_first() {
        assert_eq!(nearest("abx", ["abc", "abd"]), Some("abc"));
        assert_eq!(nearest("abx", []), None);
    }
}
