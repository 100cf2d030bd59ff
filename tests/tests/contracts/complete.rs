//! Nothing is promised that is not held against what the binary writes, and nothing is written as JSON without a promise.

use std::fs;
use std::path::Path;

use bellwether_tests::contracts::schema::printed;
use bellwether_tests::product::{binary, succeeded};

/// The text of all tests but these.
fn tests() -> String {
    fn add(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).expect("it can be listed") {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                add(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("contracts/complete.rs") {
                text.push_str(&fs::read_to_string(&path).expect("it is text"));
            }
        }
    }
    let mut text = String::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut text);
    text
}

#[test]
fn each_schema_is_held_against_what_is_written() {
    let tests = tests();
    // The first is how most are checked, the second how events are, and the third how the records of topics are.
    let uses = |name: &str| [format!("check(\"{name}\", "), format!("= schema(\"{name}\")"), format!("(\"{name}\", \"")];
    let schemas: Vec<String> = printed().keys().filter_map(|file| Some(file.strip_suffix(".schema.json")?.to_owned())).collect();
    assert!(schemas.len() > 15, "{schemas:?}");
    let unheld: Vec<&String> = schemas.iter().filter(|name| !uses(name).iter().any(|one| tests.contains(one))).collect();
    assert!(unheld.is_empty(), "no test holds real output against {unheld:?}");
    assert!(!uses("no-such-schema").iter().any(|one| tests.contains(one)));
}

/// Commands that write JSON when they are asked to, with the schema of what they write.
const COMMANDS: [(&str, &str); 6] = [
    ("backtest", "backtest"),
    ("dlq list", "dlq-list"),
    ("explain", "explain"),
    ("fit", "fit"),
    ("journal inspect", "journal-record"),
    ("snapshot list", "snapshot-list"),
];

/// The names of the commands below a command, as its help text lists them.
fn subcommands(command: &[String]) -> Vec<String> {
    let help = help(command);
    let listed = help.split_once("Commands:\n").map(|(_, rest)| rest.split("\n\n").next().unwrap_or_default()).unwrap_or_default();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

fn help(command: &[String]) -> String {
    let output = binary().args(command).arg("-h").output().expect("the binary runs");
    succeeded(&output);
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn each_command_with_json_has_a_schema() {
    let (mut pending, mut all, mut with_json) = (vec![Vec::new()], 0, Vec::new());
    while let Some(command) = pending.pop() {
        all += 1;
        if help(&command).contains("--json") {
            with_json.push(command.join(" "));
        }
        pending.extend(subcommands(&command).into_iter().map(|name| [&command[..], &[name]].concat()));
    }
    with_json.sort_unstable();
    assert!(all > 30, "only {all} commands were found");
    assert_eq!(with_json, COMMANDS.map(|(command, _)| command), "each needs a schema, and a line here");
    let printed = printed();
    for (_, schema) in COMMANDS {
        assert!(printed.contains_key(&format!("{schema}.schema.json")), "{schema}");
    }
}
