//! Silences in the text of a rule file: one is put in or taken out, and everything else, comments too, stays as it was.

use bellwether_codec::rules::RuleFile;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::life_settings::Silence;
use bellwether_engine::time::Time;

use crate::failure::Failure;
use crate::rule_text::RuleText;

/// The key of the section.
const SECTION: &str = "silences:";

/// The text with one silence more, at the end of the section.
pub fn with(rules: &RuleText, silence: &Silence) -> Result<RuleText, Failure> {
    let mut lines: Vec<String> = rules.text.lines().map(str::to_owned).collect();
    match section(&lines) {
        Some((start, end)) => {
            let rest = lines[start][SECTION.len()..].split('#').next().unwrap_or_default().trim();
            if !matches!(rest, "" | "[]" | "~" | "null") {
                return Err(not_a_block(rules));
            }
            if !rest.is_empty() {
                lines[start] = SECTION.to_owned();
            }
            let indent = items(&lines, start, end).first().map_or(2, |item| indent_of(&lines[*item]));
            lines.insert(end, line(indent, silence));
        }
        None => lines.extend([String::new(), SECTION.to_owned(), line(2, silence)]),
    }
    edited(rules, &lines, |silences| silences.push(silence.clone()))
}

/// The text without the silence of that name.
pub fn without(rules: &RuleText, name: &str) -> Result<RuleText, Failure> {
    let silences = rules.parse()?.settings.life.silences;
    let Some(index) = silences.iter().position(|silence| silence.name == name) else {
        let known: Vec<&str> = silences.iter().map(|silence| silence.name.as_str()).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
        return Err(Failure::Usage(format!("{} has no silence `{name}`: {known}", rules.name)));
    };
    let mut lines: Vec<String> = rules.text.lines().map(str::to_owned).collect();
    let (start, end) = section(&lines).ok_or_else(|| not_a_block(rules))?;
    let items = items(&lines, start, end);
    let first = *items.get(index).ok_or_else(|| not_a_block(rules))?;
    let next = items.get(index + 1).copied().unwrap_or(end);
    lines.drain(first..next);
    edited(rules, &lines, |silences| {
        silences.remove(index);
    })
}

/// The text with the silences of another one, unless it has a section of its own.
pub fn kept(rules: RuleText, in_force: &RuleFile) -> Result<RuleText, Failure> {
    let lines: Vec<String> = rules.text.lines().map(str::to_owned).collect();
    if section(&lines).is_some() {
        return Ok(rules);
    }
    in_force.settings.life.silences.iter().try_fold(rules, |rules, silence| with(&rules, silence))
}

/// What a silence is about, in words.
pub fn about(silence: &Silence) -> String {
    let named = [("rule", &silence.rule), ("customer", &silence.customer), ("owner", &silence.owner), ("segment", &silence.segment)];
    let named = named.iter().filter_map(|(what, name)| name.as_ref().map(|name| format!("{what} {name}")));
    named.collect::<Vec<_>>().join(", ")
}

/// The edited text, if its silences are what they should be: whatever was not understood here has not been changed.
fn edited(rules: &RuleText, lines: &[String], change: impl FnOnce(&mut Vec<Silence>)) -> Result<RuleText, Failure> {
    let edited = RuleText { name: rules.name.clone(), text: lines.join("\n") + "\n" };
    let mut expected = rules.parse()?.settings.life.silences;
    change(&mut expected);
    if edited.parse()?.settings.life.silences == expected { Ok(edited) } else { Err(not_a_block(rules)) }
}

fn not_a_block(rules: &RuleText) -> Failure {
    Failure::Usage(format!(
        "{}: write the section `silences` as a list with a line of its own for each item, or edit it by hand",
        rules.name
    ))
}

/// The line of the section's key, and the line after its last item.
fn section(lines: &[String]) -> Option<(usize, usize)> {
    let start = lines.iter().position(|line| line.starts_with(SECTION))?;
    let inside = |line: &&String| line.starts_with([' ', '-', '#']) || line.trim().is_empty();
    let mut end = start + 1 + lines[start + 1..].iter().take_while(inside).count();
    while end > start + 1 && !lines[end - 1].starts_with([' ', '-']) {
        end -= 1;
    }
    Some((start, end))
}

/// The lines on which items begin.
fn items(lines: &[String], start: usize, end: usize) -> Vec<usize> {
    let dashes = (start + 1..end).filter(|index| lines[*index].trim_start().starts_with("- "));
    let dashes: Vec<usize> = dashes.collect();
    let indent = dashes.first().map_or(0, |first| indent_of(&lines[*first]));
    dashes.into_iter().filter(|index| indent_of(&lines[*index]) == indent).collect()
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn line(indent: usize, silence: &Silence) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut fields = vec![format!("name: {}", silence.name)];
    for (name, value) in
        [("rule", &silence.rule), ("customer", &silence.customer), ("owner", &silence.owner), ("segment", &silence.segment)]
    {
        fields.extend(value.as_ref().map(|value| format!("{name}: {}", quoted(value))));
    }
    if silence.from != Time::MIN {
        fields.push(format!("from: {}", format_time(silence.from)));
    }
    fields.push(format!("until: {}", format_time(silence.until)));
    if !silence.reason.is_empty() {
        fields.push(format!("reason: {}", quoted(&silence.reason)));
    }
    format!("{:indent$}- {{ {} }}", "", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "signals: # all\n  - { name: a, kind: attention, when: true, summary: x }\n";

    fn silence(name: &str) -> Silence {
        let owner = Some("ann \"#1\": x".to_owned());
        Silence { name: name.to_owned(), owner, until: Time(1_767_225_600_000), from: Time::MIN, ..Silence::default() }
    }

    fn text(text: &str) -> RuleText {
        RuleText { name: "rules.yaml".to_owned(), text: text.to_owned() }
    }

    fn names(rules: &RuleText) -> Vec<String> {
        rules.parse().unwrap().settings.life.silences.into_iter().map(|silence| silence.name).collect()
    }

    #[test]
    fn silences_come_and_go_and_the_rest_stays() {
        let one = with(&text(RULES), &silence("one")).unwrap();
        let two = with(&one, &silence("two")).unwrap();
        assert_eq!(names(&two), ["one", "two"]);
        assert!(
            two.text.starts_with(RULES)
                && two.text.contains("\nsilences:\n  - { name: one, owner: \"ann \\\"#1\\\": x\", until: 2026-01-01T00:00:00Z }\n"),
            "{}",
            two.text
        );
        assert_eq!(without(&two, "two").unwrap().text, one.text);
        assert_eq!(names(&without(&two, "one").unwrap()), ["two"]);
        let none = without(&one, "one").unwrap();
        assert_eq!(names(&with(&none, &silence("three")).unwrap()), ["three"]);
        assert!(matches!(without(&none, "one"), Err(Failure::Usage(message)) if message.contains("it has none")));
        assert!(with(&one, &silence("one")).is_err(), "a name is one silence's");
    }

    #[test]
    fn sections_of_all_shapes() {
        let long = format!(
            "silences:\n- name: a\n  rule: a\n  until: 2026-01-01 # soon\n# between\n- name: b\n  customer: c\n  until: 2026-01-01\n\n# the rules\n{RULES}"
        );
        let edited = without(&text(&long), "a").unwrap();
        assert_eq!(names(&edited), ["b"]);
        assert!(edited.text.ends_with(&format!("\n\n# the rules\n{RULES}")), "{}", edited.text);
        assert_eq!(names(&with(&text(&long), &silence("c")).unwrap()), ["a", "b", "c"]);
        assert_eq!(names(&with(&text(&format!("{RULES}silences: []\n")), &silence("c")).unwrap()), ["c"]);
        let flow = text(&format!("{RULES}silences: [{{ name: a, rule: a, until: 2026-01-01 }}]\n"));
        assert!(with(&flow, &silence("c")).is_err() && without(&flow, "a").is_err(), "told, and not damaged");
    }

    #[test]
    fn a_file_without_the_section_keeps_what_is_in_force() {
        let in_force = with(&text(RULES), &silence("one")).unwrap();
        assert_eq!(kept(text(RULES), &in_force.parse().unwrap()).unwrap().text, in_force.text);
        let own = text(&format!("{RULES}silences: []\n"));
        assert_eq!(names(&kept(own, &in_force.parse().unwrap()).unwrap()), [""; 0]);
    }
}
