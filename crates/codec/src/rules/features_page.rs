//! The reference page of features and of the expression language, as Markdown.

use std::fmt::Write;

use bellwether_engine::event_type::{EventType, Family};
use bellwether_engine::expression::ValueType;
use bellwether_engine::feature::{Change, Feature, FeatureInfo};

/// Title and meaning of each group, with its first feature; a group goes on until the next begins.
const GROUPS: [(&str, &str, Feature); 8] = [
    ("Activity", "Logins and use of the product.", Feature::Logins7d),
    ("Onboarding", "The way to the first value, and invitations.", Feature::TenureDays),
    ("Support", "Tickets and surveys.", Feature::TicketsOpen),
    ("Money", "Subscriptions, invoices, seats and quotas.", Feature::Mrr),
    ("Leaving", "The cancellation page and notices.", Feature::CancelSessions7d),
    ("Relation", "People, notes, incidents, goals and campaigns.", Feature::ContactChangedDays),
    (
        "Objects",
        "Of one invitation, invoice, ticket, incident or quota: only in a rule that names it by `object:`.",
        Feature::InvitationAgeDays,
    ),
    ("Derived", "What health, stages and at-risk rules make of the others.", Feature::Health),
];

/// The page: features by group, event types, and the expression language in short.
#[must_use]
pub fn features_page() -> String {
    let mut page = String::from(HEAD);
    for row in &Feature::ALL {
        if let Some((title, meaning, _)) = GROUPS.iter().find(|(_, _, first)| *first == row.feature) {
            let _ = write!(page, "\n## {title}\n\n{meaning}\n\n| name | type | unit | changes | meaning |\n|---|---|---|---|---|\n");
        }
        let FeatureInfo { name, unit, doc, .. } = row;
        let _ = writeln!(page, "| `{name}` | {} | {unit} | {} | {} |", value_type(row), changes(row), doc.replace('|', "\\|"));
    }
    page.push_str(LANGUAGE);
    page.push_str("\n## Event types\n\n`needs` names families or types. `data` fields are those of the event contract.\n\n| family | types |\n|---|---|\n");
    for family in Family::ALL {
        let types = EventType::ALL.iter().filter(|(_, _, of)| *of == family);
        let types: Vec<String> = types.map(|(_, name, _)| format!("`{name}`")).collect();
        let _ = writeln!(page, "| `{}` | {} |", family.name(), types.join(", "));
    }
    page
}

fn value_type(row: &FeatureInfo) -> String {
    match row.value_type {
        ValueType::Number => "number".to_owned(),
        ValueType::Boolean => "boolean".to_owned(),
        ValueType::Label(labels) => {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            format!("label: {}", labels.join(", "))
        }
    }
}

fn changes(row: &FeatureInfo) -> &'static str {
    match row.change {
        Change::Event => "by events",
        Change::Day => "daily",
        Change::Week => "weekly",
        Change::Clock => "with the clock",
    }
}

const HEAD: &str = "\
# Features

This page is generated from `crates/engine/src/feature.rs`; a test keeps it current (`UPDATE_GOLDEN=1 cargo test -p bellwether-codec --test rules` rewrites it).

Features are what the expressions of a rule file can name: numbers, booleans and labels, computed from a customer's events at journal time.
Absent means unknown, never zero. How a feature changes, besides with the events that it is made of:

| changes | meaning |
|---|---|
| by events | Only an event changes it. |
| daily | It may also change at UTC midnight, as days leave its window. |
| weekly | It may also change at the customer's weekly check, a UTC midnight that differs by customer. |
| with the clock | It runs with time. The engine works out the instant at which a comparison with it turns. Health and stages cannot use it. |
";

const LANGUAGE: &str = r#"
## Expressions

A small subset of CEL. Conditions (`when`, `until`, `severity`) are true or false.

```text
days_since_login >= days && mrr > 0
stage == "adoption" && (has(nps) ? nps < 7 : tickets_open > 2)
max(logins_28d, 1) / max(logins_prev_28d, 1) < 0.5
```

| what | how |
|---|---|
| numbers | `30`, `0.5`; all arithmetic is on 64-bit floating point, so `7 / 2` is `3.5` |
| truth | `true`, `false` |
| labels | `"red"` or `'red'`, only to compare a label feature with by `==` or `!=` |
| names | features, and the rule's own `params` |
| operators, loosest first | `? :`, then `\|\|`, then `&&`, then `== != < <= > >=`, then `+ -`, then `* /`, then `!` and unary `-` |
| functions | `max(a, b, ...)`, `min(a, b, ...)`, `abs(x)`, `has(feature)` |

- Comparisons are not chained: `1 < mrr && mrr < 9`.
- Arithmetic with an absent value is absent, and so is a division by zero. A comparison with an absent side is false, `!=` included.
- A boolean feature that is absent counts as false, and so does its direct `!`. `!` of anything else is plain negation: with `nps` absent,
  `!(nps > 6)` is true.
- `has(x)` is true where `x` is present. `max` and `min` skip what is absent. `a ? b : c` is `c` where `a` is absent.
- A feature that runs with the clock stands alone on one side of `<`, `<=`, `>` or `>=`: `days_since_login > days + 7`, not
  `days_since_login - 7 > days`.
- A rule of kind `at_risk` cannot use `at_risk`, `open_at_risk` and `days_since_at_risk`. Health cannot use health, and stages cannot use the stage.
- In `summary`, `{name}` is replaced by the value of a feature or param, and by `unknown` where it is absent; `{{` is a brace.
- In YAML an expression that begins with `!`, `"`, `[`, `{`, `&` or `*` stands in quotes: `when: "!onboarded"`.
"#;
