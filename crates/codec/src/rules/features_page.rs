//! The reference page of features and of the expression language, as Markdown.

use std::fmt::Write;

use bellwether_engine::event_field::{FieldType, fields};
use bellwether_engine::event_type::{EventType, Family};
use bellwether_engine::expression::ValueType;
use bellwether_engine::feature::{Change, Feature, FeatureInfo};
use bellwether_engine::own_feature::{MAX_DISTINCT_VALUES, MAX_OWN_FEATURES, MAX_OWN_WINDOW_DAYS};

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
    own_features(&mut page);
    page.push_str("\n## Event types\n\n`needs` names families or types. `data` fields are those of the event contract.\n\n| family | types |\n|---|---|\n");
    for family in Family::ALL {
        let types = EventType::ALL.iter().filter(|(_, _, of)| *of == family);
        let types: Vec<String> = types.map(|(_, name, _)| format!("`{name}`")).collect();
        let _ = writeln!(page, "| `{}` | {} |", family.name(), types.join(", "));
    }
    page
}

/// The section about features of the user's own, with the fields that there are.
fn own_features(page: &mut String) {
    let _ = write!(
        page,
        "{OWN}\nA rule file has at most {MAX_OWN_FEATURES} of them, a window is 1 to {MAX_OWN_WINDOW_DAYS} UTC days, today included, and `distinct` knows \
         {MAX_DISTINCT_VALUES} values of a customer.\n\n| events | fields |\n|---|---|\n"
    );
    let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
    for (kind, name, _) in EventType::ALL {
        let of_type = |found: FieldType| match found {
            FieldType::Text => "text",
            FieldType::Number => "number",
            FieldType::Flag => "true or false",
            FieldType::User => "user",
        };
        let told: Vec<String> = fields(kind).iter().map(|(name, found)| format!("`{name}` ({})", of_type(*found))).collect();
        match rows.iter_mut().find(|(_, known)| *known == told.join(", ")) {
            Some((names, _)) => names.push(name),
            None => rows.push((vec![name], told.join(", "))),
        }
    }
    for (names, fields) in rows.iter().filter(|(_, fields)| !fields.is_empty()) {
        let _ = writeln!(page, "| `{}` | {fields} |", names.join("`, `"));
    }
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
Absent means unknown, never zero. So is what is made from a collection, such as tickets or invoices, while one of them found no room in it.
How a feature changes, besides with the events that it is made of:

| changes | meaning |
|---|---|
| by events | Only an event changes it. |
| daily | It may also change at UTC midnight, as days leave its window. |
| weekly | It may also change at the customer's weekly check, a UTC midnight that differs by customer. |
| with the clock | It runs with time. The engine works out the instant at which a comparison with it turns. Health and stages cannot use it. |
";

const OWN: &str = r#"
## Features of your own

A rule file may define features of its own, which conditions, summaries and health profiles use like the others:

```yaml
features:
  - name: exports_28d
    event: usage                              # one type of event
    where: { feature: [export, report] }      # a text or several, a number, { min: 2, max: 9 }, true or false
    count: true                               # or sum: FIELD, distinct: FIELD, last: FIELD
    window: 28d
    unit: exports                             # shown only, as is `doc`
```

`count`, `sum` and `distinct` are 0 for a customer without such events; `last` is absent. Late events count as long as their day is in the window. A sum is
kept to the thousandth. A feature that a new rule set defines is absent for the customers that were there before until its window has passed, since
what came earlier is unknown; for later customers it is complete. It keeps what it knows as long as event, conditions, field and window stay
as they are, also under another name. With more than the values that `distinct` can hold it is absent.
"#;

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
- In `summary`, `{name}` is replaced by the value of a feature or param, and by `unknown` where it is absent; `{{` is a brace. The record of an
  end has the name of the rule and how long it was so in its place.
- In YAML an expression that begins with `!`, `"`, `[`, `{`, `&` or `*` stands in quotes: `when: "!onboarded"`.
"#;
