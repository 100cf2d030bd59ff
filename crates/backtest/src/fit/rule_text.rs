//! A risk model as a rule file: the rules of another file, with the model as their health and a rule that speaks when it is low.

use std::fmt::Write;

use bellwether_engine::feature::Feature;

use super::learn::{AMBER_FROM, GREEN_FROM, Learned};
use super::model::Input;
use super::quality::Quality;

/// The rule that is added.
pub const RULE: &str = "fitted-risk";

/// The rule speaks of health under this: of red customers those that are worst off. Its param `low` is there to be swept.
const LOW: u32 = 30;

/// Health from this on ends what the rule said.
const REGAINED: u32 = 60;

/// A feature that is known of every customer at any time: with it a component whose own features are absent has a value.
const ALWAYS_KNOWN: Feature = Feature::Logins7d;

/// Why a rule file cannot be given another health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its section `{0}` does not begin a line of its own, with its entries on the lines below: write it that way")]
pub struct FlowStyle(&'static str);

/// The rules of a file with the health of a model, that of a new version. What the file says of health is replaced; its unit tests, which are of
/// its old health, are left out.
///
/// # Errors
///
/// When the sections of the file are not told apart by lines.
pub fn rule_text(learned: &Learned, base: &str, version: u32) -> Result<String, FlowStyle> {
    let base = replace_section(base, "tests", "");
    let with_health = replace_section(&base, "health", &health(learned, version));
    let with_rule = add_rule(&with_health, learned)?;
    Ok(format!("{}\n{with_rule}", comment(learned)))
}

/// What a person wants to know of the model.
fn comment(learned: &Learned) -> String {
    let model = &learned.model;
    let mut text = format!(
        "# Health learned by `bellwether fit` from what was known at {}: the risk of a churn within {} days.\n\
         #\n\
         # {}\n# {}\n",
        learned.until,
        learned.horizon_days,
        judged("learned from", &learned.training),
        judged("judged on   ", &learned.test),
    );
    if let Some(validation) = &learned.cross_validation {
        let _ = writeln!(text, "# {}; indicative only, as there are few churns after the split", judged("cross-valid.", validation));
    }
    let _ = write!(
        text,
        "#\n# risk = 1 / (1 + exp(-({:.6} + the sum of weight * (value - mean) / deviation))), where a value is taken between low and high,\n\
         # and an absent one as the mean. Health is the same sum, the other way round, between the worst and the best customer\n\
         # that it can think of, on a scale. The ridge is {}. odds: a deviation more multiplies the odds of a churn by so much.\n#\n",
        model.intercept, learned.ridge,
    );
    let _ = writeln!(
        text,
        "# {:<32} {:>9} {:>6} {:>6} {:>12} {:>12} {:>12} {:>12}",
        "feature", "weight", "odds", "known", "mean", "deviation", "low", "high"
    );
    for input in &model.inputs {
        let known = format!("{:.0} %", input.known_share * 100.0);
        let numbers = [input.mean, input.deviation, input.low, input.high].map(number);
        let _ = writeln!(
            text,
            "# {:<32} {:>9.4} {:>6.2} {:>6} {:>12} {:>12} {:>12} {:>12}",
            input.feature.name(),
            input.weight,
            input.weight.exp(),
            known,
            numbers[0],
            numbers[1],
            numbers[2],
            numbers[3],
        );
    }
    text
}

fn judged(what: &str, quality: &Quality) -> String {
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    format!(
        "{what} {} rows, {} with a churn: AUC {}, Brier {} (prevalence alone {})",
        quality.rows,
        quality.churns,
        figure(quality.auc),
        figure(quality.brier),
        figure(quality.brier_of_prevalence)
    )
}

fn health(learned: &Learned, version: u32) -> String {
    let scale: Vec<String> = learned.scale.iter().map(|(mean, health)| point(*mean, *health)).collect();
    let mut text = format!(
        "health:\n  version: {version}\n  grades: {{ amber: {AMBER_FROM}, green: {GREEN_FROM} }}\n  \
         scale: [{}]   # red and green as a tenth and half of the rows were\n  components:\n",
        scale.join(", ")
    );
    for (input, weight) in learned.model.parts() {
        let _ = write!(text, "{}", component(input, weight));
    }
    text
}

fn component(input: &Input, weight: f64) -> String {
    let name = input.feature.name();
    let line = [input.low, input.high].map(|value| point(value, input.score(value))).join(", ");
    let mut text = format!("    - name: {name}\n      weight: {}\n      inputs:\n        {name}: [{line}]\n", number(weight));
    if !input.is_always_known() {
        let absent = input.score(input.mean);
        let line = [point(0.0, absent), point(1.0, absent)].join(", ");
        let _ = writeln!(text, "        {}: [{line}]   # what it counts as where it is absent", ALWAYS_KNOWN.name());
    }
    text
}

fn point(x: f64, y: f64) -> String {
    format!("[{}, {}]", number(x), number(y))
}

/// Six significant digits, as a number of YAML.
fn number(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { (5 - value.abs().log10().floor() as i32).clamp(0, 12) as usize };
    let text = format!("{value:.digits$}");
    let short = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Adds the rule.
fn add_rule(text: &str, learned: &Learned) -> Result<String, FlowStyle> {
    let Some((from, line)) = section_start(text, "signals") else {
        return Ok(format!("{text}\nsignals:\n{}", rule(learned.horizon_days, "  ")));
    };
    let value = line["signals:".len()..].trim();
    let is_empty_list = value == "[]";
    if !(value.is_empty() || value.starts_with('#') || is_empty_list) {
        return Err(FlowStyle("signals"));
    }
    let (before, after) = (&text[..from], &text[from + line.len()..]);
    let first = after.lines().find(|line| line.trim_start().starts_with("- "));
    let indentation = first.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]);
    let head = if is_empty_list { "signals:" } else { line };
    Ok(format!("{before}{head}\n{}{after}", rule(learned.horizon_days, indentation)))
}

fn rule(days: f64, indentation: &str) -> String {
    let lines = [
        format!("- name: {RULE}"),
        "  kind: at_risk".to_owned(),
        format!("  params: {{ low: {LOW}, regained: {REGAINED} }}"),
        "  when: health < low".to_owned(),
        "  until: health >= regained".to_owned(),
        // Health falls for a day or two before each renewal, too.
        "  for: 7d".to_owned(),
        "  cooldown: 28d".to_owned(),
        format!("  summary: \"Health is {{health}} of 100: among the customers most likely to leave within {days} days\""),
    ];
    lines.iter().map(|line| format!("{indentation}{line}\n")).collect()
}

/// Puts a section in the place of the one of its name, or at the end.
fn replace_section(text: &str, name: &str, section: &str) -> String {
    let Some((from, line)) = section_start(text, name) else { return format!("{}\n\n{section}", text.trim_end()) };
    let mut end = from + line.len();
    // The section goes to the last line that is indented, or an item of a list, before the next section.
    let mut offset = from;
    for (number, line) in text[from..].split_inclusive('\n').enumerate() {
        let is_inner = number == 0 || line.starts_with([' ', '-']);
        let is_between = line.trim().is_empty() || line.starts_with('#');
        if !is_inner && !is_between {
            break;
        }
        offset += line.len();
        if is_inner && !line.trim().is_empty() {
            end = offset;
        }
    }
    format!("{}{section}{}", &text[..from], &text[end.min(text.len())..])
}

/// Where a section begins, with its first line.
fn section_start<'t>(text: &'t str, name: &str) -> Option<(usize, &'t str)> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')) {
            return Some((offset, line.trim_end_matches('\n')));
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_up_to_the_next() {
        let text = "a: 1\nhealth:\n  b: 2\n\n  # inner\n- c\n\n# of signals\nsignals:\n  - x\n";
        assert_eq!(replace_section(text, "health", "health: new\n"), "a: 1\nhealth: new\n\n# of signals\nsignals:\n  - x\n");
        assert_eq!(replace_section(text, "signals", ""), "a: 1\nhealth:\n  b: 2\n\n  # inner\n- c\n\n# of signals\n");
        assert_eq!(replace_section("a: 1\n", "health", "health: new\n"), "a: 1\n\nhealth: new\n");
    }

    #[test]
    fn numbers_have_six_digits() {
        let shown = [0.0, -0.0, 1.0, 0.123_456_78, 123_456.7, 12.5, 1e-5, 98_765_432.1].map(number);
        assert_eq!(shown, ["0", "0", "1", "0.123457", "123457", "12.5", "0.00001", "98765432"]);
    }
}
