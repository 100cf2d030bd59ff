//! `${NAME}` and `${NAME:-default}` in values stand for environment variables; `$$` is a dollar sign.

use std::ops::Range;

use super::errors::Mistake;
use super::places::part_of_scalar;
use super::tree::{Node, Value};

/// Replaces variables in all texts but keys. One that is not set and has no default is a mistake, in its place. As in a shell, the default
/// stands for an empty variable too.
pub fn expand_variables(text: &str, node: &mut Node, variable: &dyn Fn(&str) -> Option<String>, mistakes: &mut Vec<Mistake>) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| expand_variables(text, item, variable, mistakes)),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| expand_variables(text, value, variable, mistakes)),
        Value::Text(value) if value.contains('$') => {
            let mut expansion = Expansion { result: String::with_capacity(value.len()), from_variable: false, is_secret: node.is_secret };
            if let Err((range, message)) = expansion.expand(value, variable) {
                let raw = text.get(node.place.clone()).unwrap_or_default();
                let exact = part_of_scalar(raw, node.place.start, value, &range);
                let within = exact.is_none().then(|| (value.clone(), range));
                let place = exact.unwrap_or(node.place.start..node.place.start);
                mistakes.push(Mistake { place, message, help: Some(HELP.to_owned()), within });
            }
            node.from_variable = expansion.from_variable;
            *value = expansion.result;
        }
        _ => {}
    }
}

const HELP: &str = "write ${NAME}, ${NAME:-default}, or $$ for a dollar sign";

struct Expansion {
    result: String,
    from_variable: bool,
    /// A secret with `${` in it that is no variable is not told.
    is_secret: bool,
}

impl Expansion {
    fn expand(&mut self, value: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), (Range<usize>, String)> {
        let mut position = 0;
        while let Some(found) = value[position..].find('$') {
            let start = position + found;
            self.result.push_str(&value[position..start]);
            let rest = &value[start + 1..];
            position = match rest.chars().next() {
                Some('$') => {
                    self.result.push('$');
                    start + 2
                }
                Some('{') => {
                    let length = rest.find('}').ok_or_else(|| (start..value.len(), "`${` without `}`".to_owned()))?;
                    let end = start + 1 + length + 1;
                    self.from_variable = true;
                    self.result
                        .push_str(&replacement(&rest[1..length], self.is_secret, variable).map_err(|message| (start..end, message))?);
                    end
                }
                _ => {
                    self.result.push('$');
                    start + 1
                }
            };
        }
        self.result.push_str(&value[position..]);
        Ok(())
    }
}

fn replacement(inside: &str, is_secret: bool, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, default)| (name, Some(default)));
    let is_name =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !name.starts_with(|first: char| first.is_ascii_digit());
    if name.is_empty() || !is_name {
        let name = if is_secret { "***" } else { name };
        return Err(format!("`{name}` cannot be the name of a variable"));
    }
    match (variable(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!("the environment variable `{name}` is not set, and there is no default")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::parse;

    fn expanded(value: &str) -> Result<(String, bool), (usize, String)> {
        let text = format!("key: '{value}'");
        let mut node = parse(&text, "file").map_err(|mistake| (0, mistake.message))?;
        let mut mistakes = Vec::new();
        let variable = |name: &str| {
            [("A", "x"), ("EMPTY", ""), ("WEIRD", "${A}")].iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        expand_variables(&text, &mut node, &variable, &mut mistakes);
        if let Some(mistake) = mistakes.pop() {
            return Err((mistake.place.start, mistake.message));
        }
        let node = node.entry("key").unwrap();
        Ok((node.as_text().unwrap().to_owned(), node.from_variable))
    }

    #[test]
    fn variables_defaults_and_dollars() {
        for (value, expected, from_variable) in [
            ("plain", "plain", false),
            ("${A}", "x", true),
            ("a${A}b${A}", "axbx", true),
            ("${A:-y}", "x", true),
            ("${B:-y}", "y", true),
            ("${B:-}", "", true),
            ("${EMPTY:-y}", "y", true),
            ("${EMPTY}", "", true),
            ("${B:-a:-b c}", "a:-b c", true),
            ("$$", "$", false),
            ("$${A}", "${A}", false),
            ("^auth$", "^auth$", false),
            ("$A", "$A", false),
            ("${WEIRD}", "${A}", true),
        ] {
            assert_eq!(expanded(value), Ok((expected.to_owned(), from_variable)), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_replaced_is_told_in_its_place() {
        for (value, at, expected) in [
            ("a ${B} c", 8, "the environment variable `B` is not set, and there is no default"),
            ("a ${A", 8, "`${` without `}`"),
            ("${}", 6, "`` cannot be the name of a variable"),
            ("${a-b}", 6, "`a-b` cannot be the name of a variable"),
            ("${1}", 6, "`1` cannot be the name of a variable"),
        ] {
            assert_eq!(expanded(value), Err((at, expected.to_owned())), "{value}");
        }
    }
}
