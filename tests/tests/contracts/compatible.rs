//! The schemas of this version against those of the last release: things are only added, so that nobody has to change anything. Version 0.1.0 is not
//! released yet; its baseline is what subscribers were first promised, and stays until a release puts its own beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bellwether_tests::contracts::schema::{kept, printed, read, schema};
use serde_json::{Value, json};

use super::compare::{Reliance, breaks};
use super::openapi::http_breaks;

/// The directory of the last release.
fn last_release() -> PathBuf {
    let number = |path: &PathBuf| -> Vec<u32> {
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        name.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{name} is no version"))).collect()
    };
    let releases = fs::read_dir(kept().join("released")).expect("there are releases");
    releases.map(|entry| entry.expect("it can be listed").path()).max_by_key(number).expect("there is one")
}

/// Who relies on the document of this name.
fn reliance(name: &str) -> Reliance {
    if name == "event.schema.json" { Reliance::Writes } else { Reliance::Reads }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

#[test]
fn nothing_was_taken_away_since_the_last_release() {
    let (released, current) = (read(&last_release()), printed());
    assert!(released.len() > 10);
    let mut found = Vec::new();
    for (name, older) in &released {
        match current.get(name) {
            None => found.push(format!("{name}: it was removed")),
            Some(newer) if name == "asyncapi.json" => found.extend(topics_break(&parse(older), &parse(newer))),
            Some(newer) if name == "openapi.json" => found.extend(http_breaks(&parse(older), &parse(newer))),
            Some(newer) => {
                let breaks = breaks(&parse(older), &parse(newer), reliance(name));
                found.extend(breaks.into_iter().map(|what| format!("{name}{what}")));
            }
        }
    }
    let advice = "subscribers of the last release would break: add fields, and leave what is there as it is";
    assert!(found.is_empty(), "{advice}\n{}", found.join("\n"));
}

/// What subscribers of topics would run into.
fn topics_break(older: &Value, newer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let by_name = |document: &Value, path: &str| -> BTreeMap<String, Value> {
        let fields = document.pointer(path).and_then(Value::as_object).cloned().unwrap_or_default();
        fields.into_iter().collect()
    };
    let (new_channels, new_messages) = (by_name(newer, "/channels"), by_name(newer, "/components/messages"));
    for (name, channel) in by_name(older, "/channels") {
        let Some(new) = new_channels.get(&name) else {
            found.push(format!("channel {name}: it was removed"));
            continue;
        };
        let unchanged = ["/address", "/bindings/kafka/topicConfiguration"];
        found.extend(
            unchanged
                .iter()
                .filter(|path| channel.pointer(path) != new.pointer(path))
                .map(|path| format!("channel {name}{path}: it is another")),
        );
    }
    for (name, message) in by_name(older, "/components/messages") {
        let Some(new) = new_messages.get(&name) else {
            found.push(format!("message {name}: it was removed"));
            continue;
        };
        for path in ["/contentType", "/bindings/kafka/key", "/payload/$ref"] {
            if message.pointer(path) != new.pointer(path) {
                found.push(format!("message {name}{path}: it is another"));
            }
        }
        // Producers write the headers of events; subscribers read the others.
        let reliance = if name == "binaryEvent" { Reliance::Writes } else { Reliance::Reads };
        found
            .extend(breaks(&message["headers"], &new["headers"], reliance).into_iter().map(|what| format!("message {name}/headers{what}")));
    }
    found
}

#[test]
fn what_is_only_added_is_taken() {
    let older = schema("signal");
    let mut newer = older.clone();
    newer["properties"]["partitionkey"] = json!({ "type": "string" });
    newer["$defs"]["SignalData"]["properties"]["certainty"] = json!({ "type": "number" });
    newer["$defs"]["SignalData"]["required"].as_array_mut().expect("a list").push(json!("certainty"));
    // What was not always there, or could be null, may be surer.
    newer["$defs"]["SignalData"]["properties"]["owner"]["type"] = json!("string");
    newer["$defs"]["SignalData"]["properties"]["severity"]["enum"] = json!(["warning", "critical"]);
    assert_eq!(breaks(&older, &newer, Reliance::Reads), Vec::<String>::new());

    let older = schema("event");
    let mut newer = older.clone();
    newer["properties"]["type"]["enum"].as_array_mut().expect("a list").push(json!("visit"));
    newer["properties"]["tenant"] = json!({ "type": "string" });
    assert_eq!(breaks(&older, &newer, Reliance::Writes), Vec::<String>::new());
}

/// A change, and what is to be told of it.
type Mutation = (&'static str, fn(&mut Value), &'static str);

#[track_caller]
fn assert_refused(name: &str, reliance: Reliance, mutations: &[Mutation]) {
    let older = schema(name);
    for (pointer, change, expected) in mutations {
        let mut newer = older.clone();
        change(newer.pointer_mut(pointer).unwrap_or_else(|| panic!("{name} has no {pointer}")));
        let found = breaks(&older, &newer, reliance);
        assert!(found.iter().any(|what| what.contains(expected)), "{name}{pointer}: `{expected}` is not told: {found:?}");
    }
}

#[test]
fn what_breaks_subscribers_is_refused() {
    let remove = |value: &mut Value| _ = value.as_object_mut().expect("an object").remove("rule");
    assert_refused(
        "signal",
        Reliance::Reads,
        &[
            ("/$defs/SignalData/properties", remove, "/data/rule: it was removed or renamed"),
            (
                "/$defs/SignalData/properties/mrr_minor/type",
                |kind| *kind = json!("string"),
                "/data/mrr_minor: its type was \"integer\", and is \"string\"",
            ),
            ("/$defs/SignalData/properties/mrr_minor/type", |kind| *kind = json!(["integer", "null"]), "/data/mrr_minor: its type was"),
            (
                "/$defs/SignalData/required",
                |required| required.as_array_mut().expect("a list").retain(|name| name != "rule"),
                "/data/rule: it was always there",
            ),
            (
                "/properties/type/enum",
                |choices| choices.as_array_mut().expect("a list").push(json!("x")),
                "/type: \"x\" is new, and nobody expects it",
            ),
            ("/properties/source/const", |constant| *constant = json!("/x"), "/source: \"/x\" is new"),
            ("/properties/id/pattern", |pattern| *pattern = json!(".*"), "/id: pattern was"),
            ("/properties/time", |time| _ = time.as_object_mut().expect("an object").remove("format"), "/time: format was"),
            (
                "/$defs/FeatureEvidence/properties/value/type",
                |kind| *kind = json!("string"),
                "/data/evidence/features/*/value: its type was",
            ),
            ("/$defs/SignalData/properties/health/maximum", |limit| *limit = json!(1000), "/data/health: maximum was"),
        ],
    );
    assert_refused(
        "backtest",
        Reliance::Reads,
        &[("/$defs/Verdict/oneOf", |verdicts| verdicts.as_array_mut().expect("a list").push(json!({ "const": "x" })), "is not among")],
    );
    assert_refused(
        "kpis",
        Reliance::Reads,
        &[("/$defs/ByCurrency/additionalProperties/type", |kind| *kind = json!("number"), "/plans/*/mrr_minor/*: its type was")],
    );
}

#[test]
fn what_breaks_producers_is_refused() {
    assert_refused(
        "event",
        Reliance::Writes,
        &[
            ("/required", |required| required.as_array_mut().expect("a list").push(json!("tenant")), "/tenant: it must be there"),
            (
                "/properties/type/enum",
                |types| types.as_array_mut().expect("a list").retain(|kind| kind != "login"),
                "/type: \"login\" is not taken any more",
            ),
            ("/properties/subject/type", |kind| *kind = json!("string"), "/subject: its type was"),
            ("/properties/source/maxLength", |limit| *limit = json!(10), "/source: maxLength was"),
            ("/allOf/0/then/properties/data", |data| data["required"] = json!(["method"]), "[\"login\"]/data/method: it must be there"),
            ("", |event| event["additionalProperties"] = json!(false), "/*: additionalProperties was null, and is false"),
            ("", |event| event["additionalProperties"] = json!({ "type": "string" }), "/*: additionalProperties was null"),
            ("", |event| event["minProperties"] = json!(9), "minProperties was null, and is 9"),
            ("", |event| event["not"] = json!({ "required": ["tenant"] }), "not was null"),
            (
                "/allOf",
                |conditions| conditions.as_array_mut().expect("a list").push(condition("login", &json!({ "required": ["user"] }))),
                "[\"login\"]: it had 1 conditions, and has 2",
            ),
            (
                "/allOf",
                |conditions| conditions.as_array_mut().expect("a list").push(json!({ "required": ["tenant"] })),
                "only one of both has {\"required\":[\"tenant\"]}",
            ),
        ],
    );
}

/// What the data of a type must be, as the schema of events says it.
fn condition(kind: &str, data: &Value) -> Value {
    json!({ "if": { "properties": { "type": { "enum": [kind] } } }, "then": { "properties": { "data": data } } })
}

#[test]
fn what_narrows_lists_and_types_is_refused() {
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let limited = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 9 });
    let any = json!({ "type": "array" });
    for (older, newer, reliance, expected) in [
        (&list, &limited, Reliance::Writes, vec![": minItems was null, and is 1", ": maxItems was null, and is 9"]),
        (&limited, &list, Reliance::Reads, vec![": minItems was 1, and is null", ": maxItems was 9, and is null"]),
        (&list, &limited, Reliance::Reads, vec![]),
        (&limited, &list, Reliance::Writes, vec![]),
        (&any, &list, Reliance::Writes, vec!["/*: items was null, and is {\"type\":\"string\"}"]),
        (&any, &list, Reliance::Reads, vec![]),
    ] {
        assert_eq!(breaks(older, newer, reliance), expected, "{older} and {newer} for who {reliance:?}");
    }
    // A type of which nothing was said, and of which something is said now.
    let free = json!({ "properties": { "type": { "enum": ["login", "visit"] } }, "allOf": [condition("login", &json!({}))] });
    let mut bound = free.clone();
    bound["allOf"].as_array_mut().expect("a list").push(condition("visit", &json!({ "required": ["page"] })));
    assert_eq!(breaks(&free, &bound, Reliance::Writes), ["[\"visit\"]: it had 0 conditions, and has 1"]);
    assert_eq!(breaks(&free, &bound, Reliance::Reads), Vec::<String>::new());
    assert_eq!(breaks(&bound, &free, Reliance::Reads), ["[\"visit\"]: it had 1 conditions, and has 0"]);
}

#[test]
fn what_breaks_readers_of_topics_is_refused() {
    let older = schema("asyncapi");
    assert_eq!(topics_break(&older, &older), Vec::<String>::new());
    let mutations: [Mutation; 5] = [
        ("/channels/health/address", |address| *address = json!("x"), "channel health/address"),
        ("/channels/health/bindings/kafka/topicConfiguration", |policy| *policy = json!({}), "channel health/bindings"),
        (
            "/components/messages/signal/headers/properties",
            |headers| _ = headers.as_object_mut().expect("an object").remove("ce_id"),
            "ce_id: it was removed",
        ),
        (
            "/components/messages/binaryEvent/headers/required",
            |required| required.as_array_mut().expect("a list").push(json!("ce_tenant")),
            "ce_tenant: it must be there",
        ),
        (
            "/components/messages",
            |messages| _ = messages.as_object_mut().expect("an object").remove("customerErased"),
            "message customerErased: it was removed",
        ),
    ];
    for (pointer, change, expected) in mutations {
        let mut newer = older.clone();
        change(newer.pointer_mut(pointer).unwrap_or_else(|| panic!("there is no {pointer}")));
        let found = topics_break(&older, &newer);
        assert!(found.iter().any(|what| what.contains(expected)), "{pointer}: `{expected}` is not told: {found:?}");
    }
}
