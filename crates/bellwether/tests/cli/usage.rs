//! Wrong usage ends with 2, and says what is wrong before anything is written.

use super::support::{Ran, Scratch, bellwether, company, login, run};

#[test]
fn an_unknown_option_is_told_with_the_nearest_one() {
    run(&["run", "--evnts", "x.jsonl"]).exits(2).tells(&["--evnts", "--events"]);
    run(&["replai"]).exits(2).tells(&["replai", "'replay'"]);
}

#[test]
fn every_missing_input_is_told_and_nothing_is_made() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.path("one.jsonl"), scratch.path("other.jsonl"));
    let data = scratch.path("data");
    run(&["run", "--once", "--events", &one, &other, "--data", &data]).exits(2).tells(&[&one, &other, "No such file"]);
    assert!(!scratch.has("data"));
    run(&["replay", "--events", &one, "--signals", "-"]).exits(2).tells(&[&one]);
    run(&["run", "--once", "--follow", &one, "--data", &data]).exits(2).tells(&["cannot follow", &one, "No such file"]);
    assert!(!scratch.has("data"));
}

#[test]
fn an_input_of_an_unknown_kind_is_refused() {
    let scratch = Scratch::new();
    let events = scratch.file("events.csv", "a,b\n");
    scratch.run_once(&events, &[]).exits(2).tells(&["events.csv", ".jsonl"]);
}

#[test]
fn values_out_of_range_are_refused() {
    for (option, value) in [
        ("--partitions", "0"),
        ("--memory", "5"),
        ("--memory", "1MiB"),
        ("--batch-records", "0"),
        ("--batch-reviews", "0"),
        ("--metrics", "here"),
    ] {
        run(&["run", "--events", company(), option, value]).exits(2).tells(&[option]);
    }
    run(&["replay", "--events", company(), "--signals", "-", "--until", "soon"]).exits(2).tells(&["2026-03-01"]);
    run(&["simulate", "--customers", "0", "--out", "x"]).exits(2);
}

#[test]
fn a_wrong_pseudonym_key_is_refused_and_never_told() {
    let key = "secret-secret-secret-secret-secr";
    let ran = Ran::of(bellwether(&["pseudonym", "alice"]).env("BELLWETHER_PSEUDONYM_KEY", key).output().unwrap());
    let ran = ran.exits(2).tells(&["BELLWETHER_PSEUDONYM_KEY", "32 hexadecimal digits"]);
    assert!(!ran.errors.contains("secret"));
}

#[test]
fn a_pseudonym_depends_on_the_key() {
    let public = run(&["pseudonym", "u7"]).exits(0).output;
    assert!(public.starts_with("u-") && public.len() == 19, "{public}");
    let key = "000102030405060708090a0b0c0d0e0f";
    let ran = Ran::of(bellwether(&["pseudonym", "u7"]).env("BELLWETHER_PSEUDONYM_KEY", key).output().unwrap()).exits(0);
    assert_ne!(ran.output, public);
}

#[test]
fn a_journal_keeps_its_key_and_its_number_of_partitions() {
    let scratch = Scratch::new();
    let events = scratch.file("events.jsonl", login(1, 1));
    scratch.run_once(&events, &["--partitions", "2"]).exits(0);
    scratch.run_once(&events, &["--partitions", "3"]).exits(2).tells(&["2 partitions, not 3"]);
    let (data, key) = (scratch.path("data"), "000102030405060708090a0b0c0d0e0f");
    let mut command = bellwether(&["run", "--once", "--metrics", "off", "--events", &events, "--data", &data]);
    Ran::of(command.env("BELLWETHER_PSEUDONYM_KEY", key).output().unwrap()).exits(2).tells(&["another pseudonym key"]);
}

#[test]
fn a_wrong_log_directive_is_refused() {
    let ran = Ran::of(bellwether(&["pseudonym", "u7"]).env("BELLWETHER_LOG", "bellwether=loud").output().unwrap());
    ran.exits(2).tells(&["BELLWETHER_LOG"]);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let mut child = bellwether(&["completions", "bash"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_forwarding_without_routes_or_with_an_unknown_one_is_refused() {
    let scratch = Scratch::new();
    let none = scratch.file("none.yaml", "metrics: 'off'\n");
    run(&["forward", "--config", &none]).exits(2).tells(&["no section `forward`"]);
    let routes = scratch
        .file("routes.yaml", "metrics: 'off'\nforward: { routes: [{ name: crm, url: 'http://127.0.0.1:1/', secret_file: nowhere }] }\n");
    run(&["forward", "--config", &routes, "--route", "cmr"]).exits(2).tells(&["no route `cmr`", "crm"]);
    run(&["forward", "--config", &routes]).exits(2).tells(&["secret_file of the route crm", "nowhere"]);
    let wrong = scratch.file("wrong.yaml", "forward: { routes: [{ nam: crm, url: x }] }\n");
    run(&["forward", "--config", &wrong]).exits(2).tells(&["did you mean `name`?", "url:"]);
}
