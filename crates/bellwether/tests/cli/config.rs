//! Configurations: every mistake at once, what is shown of them, and what becomes of samples.

use serde_json::Value;

use super::support::{Ran, Scratch, bellwether, run};

/// The shipped example, and the samples of its sources.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/examples/bellwether.yaml");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/examples/samples");

const KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// A configuration with secrets in every place where one may stand.
const SECRETS: &str = "\
pseudonym_key: ${KEY}
kafka:
  brokers: ${BROKERS:-localhost:9092}
  client: { security.protocol: SASL_SSL, sasl.username: '${LOGIN}', sasl.password: hunter2, ssl.key.pem: hunter3 }
  client_files: { ssl.key.password: /run/secrets/key }
  sources: [{ name: a, topics: [a] }]
console: { read_tokens_sha256: ['${HASH}'] }
forward: { routes: [{ name: a, url: '${HOOK}', secret: whsec_aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg==, headers: { authorization: hunter6, x-team: ours } }, { name: b, url: 'https://x.example/hunter7' }] }
";

/// Runs with some variables.
fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    Ran::of(bellwether(arguments).envs(variables.iter().copied()).output().expect("the binary starts"))
}

/// A copy of the example that needs no file of its machine.
fn example(scratch: &Scratch) -> String {
    let text = std::fs::read_to_string(EXAMPLE).expect("the example is there");
    let key = "pseudonym_key_file: /run/secrets/bellwether-pseudonym-key";
    assert!(text.contains(key));
    let users = scratch.file("users.csv", "user,customer\nann@example.org,c-1042\n");
    let lookup = format!("user_lookup:\n    file: {users}");
    scratch.file("bellwether.yaml", text.replace(key, &format!("pseudonym_key: {KEY}")).replace("user_lookup:", &lookup))
}

#[test]
fn the_example_has_no_mistakes() {
    let output = run(&["config", "check", EXAMPLE]).exits(0).output;
    assert!(
        output.contains("a Kafka run at localhost:9092 with 7 sources")
            && output.contains("3 routes of signals")
            && output.contains("no mistakes"),
        "{output}"
    );
}

#[test]
fn every_sample_of_the_example_becomes_an_event() {
    let scratch = Scratch::new();
    let config = example(&scratch);
    for (source, kind, customer, data) in [
        ("accounts", "user.activated", "c-1042", r#"{"user":"USER"}"#),
        ("cancellations", "cancellation.viewed", "c-1042", r#"{"user":"USER"}"#),
        ("logins", "login", "1042", r#"{"user":"USER"}"#),
        ("billing", "payment.failed", "cus_1", r#"{"invoice":"in_9","amount_minor":1999,"currency":"EUR","attempt":2}"#),
        (
            "extra-invoices",
            "invoice.issued",
            "c-7",
            r#"{"invoice":"R-2026-77","amount_minor":123450,"currency":"EUR","due":"2026-03-15T00:00:00Z"}"#,
        ),
        ("tickets", "ticket.opened", "c-1042", r#"{"ticket":"35436","channel":"web","priority":"urgent"}"#),
        ("usage", "usage", "c-1042", r#"{"feature":"report exported","user":"USER","count":3}"#),
    ] {
        let sample = format!("{SAMPLES}/{source}.json");
        let arguments = ["config", "try", "--config", &config, "--source", source, "--key", "c-7", "--header", "x-delivery-id=d1", &sample];
        let output = run(&arguments).exits(0).output;
        assert!(output.starts_with("{\n  \"specversion\": \"1.0\",\n  \"id\": "), "{output}");
        let event: Value = serde_json::from_str(&output).expect("the event is JSON");
        let user = run_with(&["pseudonym", "ann@example.org"], &[("BELLWETHER_PSEUDONYM_KEY", KEY)]).exits(0).output;
        let data: Value = serde_json::from_str(&data.replace("USER", user.trim())).expect("the data is JSON");
        assert_eq!((&event["type"], &event["subject"], &event["data"]), (&kind.into(), &customer.into(), &data), "{source}");
        assert!(event["time"].as_str().is_some_and(|time| time.starts_with("2026-03-01T08:15:00")), "{output}");
    }
}

#[test]
fn a_sample_that_makes_no_event_says_why() {
    let scratch = Scratch::new();
    let config = example(&scratch);
    let tried = |source: &str, sample: &str| {
        let sample = scratch.file("sample.json", sample);
        run(&["config", "try", "--config", &config, "--source", source, &sample])
    };
    let ran = tried("tickets", r#"{"ticket":{"status":"new","updated_at":"yesterday"}}"#).exits(1);
    assert!(ran.tells(&["refused: missing_field: subject is missing (from /ticket/organization/external_id)"]).output.is_empty());
    tried("logins", "{").exits(1).tells(&["refused: invalid_json"]);
    tried("usage", r#"{"event":"x","properties":{"email":"bob@example.org"}}"#).exits(1).tells(&["refused: unknown_customer: subject:"]);
    let ran = tried("logins", r#"{"client":{"kind":"service"}}"#).exits(0).tells(&["skipped"]);
    assert!(ran.output.is_empty());
    tried("login", "{}").exits(2).tells(&["no source `login`", "logins"]);
    let missing = scratch.path("none.json");
    run(&["config", "try", "--config", &config, "--source", "logins", &missing]).exits(2).tells(&["none.json", "No such file"]);
    let plain = scratch.file("plain.yaml", "data: here\n");
    run(&["config", "try", "--config", &plain, "--source", "logins", &missing]).exits(2).tells(&["no section kafka"]);
}

#[test]
fn a_sample_can_be_tried_without_the_secrets() {
    let sample = format!("{SAMPLES}/logins.json");
    let ran = run(&["config", "try", "--config", EXAMPLE, "--source", "logins", &sample]).exits(0);
    let public = run(&["pseudonym", "ann@example.org"]).exits(0).output;
    assert!(ran.tells(&["note: pseudonym_key_file", "public key"]).output.contains(public.trim()));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let scratch = Scratch::new();
    let config = scratch.file(
        "bellwether.yaml",
        "memory: 5\nmetriks: off\nkafka:\n  brokers: ${NOWHERE}\n  journal: { partitions: 0, tick_interval: 60 }\n  sources:\n    - { name: a, topics: [], formt: auto }\n",
    );
    run(&["config", "check", &config]).exits(2).tells(&[
        "bellwether.yaml:1:9: expected memory, found the number 5",
        "bellwether.yaml:2:1: unknown field of the configuration `metriks`",
        "did you mean `metrics`?",
        "bellwether.yaml:4:12: the environment variable `NOWHERE` is not set",
        "bellwether.yaml:5:26: partitions is 0, and must be from 1 to 1024",
        "bellwether.yaml:5:44: tick_interval: `60`: a duration needs a unit",
        "bellwether.yaml:7:26: a source needs at least one topic",
        "bellwether.yaml:7:30: unknown field of the source `formt`",
        "7 mistakes in ",
    ]);
    run(&["config", "check", &scratch.path("none.yaml")]).exits(2).tells(&["none.yaml", "No such file"]);
}

#[test]
fn secrets_are_never_shown() {
    let scratch = Scratch::new();
    let config = scratch.file("bellwether.yaml", SECRETS);
    let hash = "5".repeat(64);
    let variables = [("KEY", KEY), ("LOGIN", "hunter4"), ("HOOK", "https://x.example/hunter8"), ("HASH", &hash)];
    let printed = run_with(&["config", "print", &config], &variables).exits(0).output;
    assert!(
        printed.contains("pseudonym_key: '***'") || printed.contains("pseudonym_key: \"***\"") || printed.contains("pseudonym_key: ***"),
        "{printed}"
    );
    assert_eq!(printed.matches("***").count(), 9, "{printed}");
    assert!(printed.contains("ours") && !printed.contains("whsec_"), "{printed}");
    assert!(printed.contains("SASL_SSL") && printed.contains("/run/secrets/key"), "{printed}");
    let wrong = scratch.file("wrong.yaml", SECRETS.replace("hunter2", "[hunter2]").replace("topics: [a]", "topics: a"));
    let short = [("KEY", "hunter5"), ("LOGIN", "hunter4"), ("HOOK", "hunter8"), ("HASH", "hunter9")];
    let short = run_with(&["config", "check", &wrong], &short).exits(2);
    let short =
        short.tells(&["32 hexadecimal digits", "wrong.yaml:1:16", "wrong.yaml:4:", "wrong.yaml:6:", "wrong.yaml:7:", "wrong.yaml:8:"]);
    for shown in [printed, short.errors] {
        assert!(!shown.contains("hunter") && !shown.contains(KEY) && !shown.contains(&hash), "{shown}");
    }
}

#[test]
fn secrets_in_lines_of_their_own_are_quoted_in_no_error() {
    let scratch = Scratch::new();
    let config = scratch.file(
        "bellwether.yaml",
        "\
pseudonim: hunter1
metrics: [here]
console:
  read_tokens_sha256:
    - hunter2
  write_tokens_sha256: hunter3
kafka:
  brokers: b:1
  client:
    sasl.password:
      [hunter4]
    ssl.key.password: >
      ${NOWHERE} hunter5
      hunter5
    sasl.pasword:
      - hunter6
  sources: [{ name: a, topics: [a] }]
forward:
  routes:
    - name: a
      url:
        hunter7
      secrt: hunter8
    - https://x.example/hunter9
",
    );
    let data = scratch.path("data");
    for arguments in [vec!["config", "check", &config], vec!["run", "--config", &config, "--data", &data]] {
        let ran = run(&arguments).exits(2);
        let told = ran.tells(&[
            "bellwether.yaml:1:1: unknown field",
            "bellwether.yaml:2:10: expected metrics, found a list\n    2 | metrics: [here]",
            "bellwether.yaml:5:7: read_tokens_sha256",
            "bellwether.yaml:6:24: expected a list of hashes of tokens",
            "bellwether.yaml:11:7: expected a text",
            "`NOWHERE` is not set",
            "bellwether.yaml:16:7: expected a text",
            "bellwether.yaml:22:9: url",
            "did you mean `secret`?",
            "bellwether.yaml:24:7: expected a route",
        ]);
        assert!(!told.errors.contains("hunter"), "{}", told.errors);
    }
    let torn = scratch.file("torn.yaml", "console:\n  read_tokens_sha256:\n    - \"hunter1\n    - x\n");
    let torn = run(&["config", "check", &torn]).exits(2).tells(&["not YAML"]);
    assert!(!torn.errors.contains("hunter"), "{}", torn.errors);
}

#[test]
fn what_is_printed_is_complete_and_can_be_read_again() {
    let scratch = Scratch::new();
    let config = scratch
        .file("bellwether.yaml", "kafka:\n  brokers: ${BROKERS}\n  instance: a\n  sources: [{ name: a, topics: [a, \"^b\\\\..*$\"] }]\n");
    let printed = run_with(&["config", "print", &config], &[("BROKERS", "one:9092,two:9092")]).exits(0).output;
    for text in [
        "memory: 1GiB",
        "brokers: one:9092,two:9092",
        "instance: a",
        "topic: bellwether.journal",
        "partitions: 12",
        "dead_letters: bellwether.dead-letters",
        "journal_retention: forever",
        "consecutive: 200",
        "format: auto",
        "tombstones: skip",
    ] {
        assert!(printed.contains(text), "no `{text}` in:\n{printed}");
    }
    let again = scratch.file("again.yaml", &printed);
    assert_eq!(run(&["config", "print", &again]).exits(0).output, printed);
    let empty = scratch.file("empty.yaml", "");
    assert!(run(&["config", "print", &empty]).exits(0).output.contains("data: ./bellwether-data"));
    let host = run(&["config", "print", EXAMPLE]).exits(0).output;
    assert!(host.lines().any(|line| line.starts_with("  instance: ") && line.len() > "  instance: ".len()), "{host}");
}

#[test]
fn the_schema_knows_every_field_of_the_example() {
    let schema: Value = serde_json::from_str(&run(&["config", "schema"]).exits(0).output).expect("the schema is JSON");
    assert_eq!(schema["additionalProperties"], false);
    let kafka = &schema["properties"]["kafka"]["properties"];
    assert_eq!(kafka["journal"]["properties"]["partitions"]["default"], 12);
    let source = &kafka["sources"]["items"];
    assert_eq!(source["required"], serde_json::json!(["name", "topics"]));
    assert!(source["properties"]["mapping"]["properties"]["subject"]["anyOf"].is_array());
}
