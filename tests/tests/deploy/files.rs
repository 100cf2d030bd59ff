//! The image, the compose file and the units of systemd, before their own linters.

use std::fs;
use std::path::Path;
use std::process::Command;

use bellwether_tests::product::binary;

use crate::support::{clean, refused, tool, top};

/// The exposure that `systemd-analyze security` may find, in tenths: 0 is none, and 100 all.
const MAX_EXPOSURE: &str = "15";

/// Writes a file with one part replaced, and asserts that the part was there.
fn spoiled(directory: &Path, path: &str, from: &str, to: &str) -> std::path::PathBuf {
    let text = fs::read_to_string(top(path)).expect("it is there");
    assert!(text.contains(from), "{path} has no `{from}`");
    let spoiled = directory.join(Path::new(path).file_name().expect("a file has a name"));
    fs::write(&spoiled, text.replacen(from, to, 1)).expect("it can be written");
    spoiled
}

#[test]
fn the_dockerfile_is_clean() {
    clean(tool("hadolint").arg(top("deploy/Dockerfile")));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let root = spoiled(directory.path(), "deploy/Dockerfile", "rust:1.95-slim-bookworm", "rust");
    assert!(refused(tool("hadolint").arg(root)).contains("DL3006"), "an image without a version is told");
}

#[test]
fn the_image_is_built_with_the_rust_of_the_workspace() {
    let manifest = fs::read_to_string(top("Cargo.toml")).expect("it is there");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"')).expect("it says one");
    let dockerfile = fs::read_to_string(top("deploy/Dockerfile")).expect("it is there");
    assert!(dockerfile.contains(&format!("FROM rust:{version}-slim-bookworm AS build")), "not {version}");
}

#[test]
fn the_compose_file_meets_its_schema() {
    let check = |path: &Path| {
        let mut command = tool("check-jsonschema");
        command.args(["--builtin-schema", "vendor.compose-spec"]).arg(path);
        command
    };
    clean(&mut check(&top("deploy/compose.yaml")));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let misspelt = spoiled(directory.path(), "deploy/compose.yaml", "healthcheck:", "health_check:");
    assert!(refused(&mut check(&misspelt)).contains("health_check"));
}

#[test]
fn yaml_is_tidy() {
    let rules =
        "{extends: default, rules: {line-length: disable, document-start: disable, comments: disable, braces: {max-spaces-inside: 1}}}";
    let files = [
        "compose.yaml",
        "compose/bellwether.yaml",
        "compose/forward.yaml",
        "compose/prometheus.yaml",
        "helm/bellwether/Chart.yaml",
        "helm/bellwether/values.yaml",
    ];
    clean(tool("yamllint").args(["--strict", "--config-data", rules]).args(files.map(|file| top("deploy").join(file))));
}

#[test]
fn the_configurations_of_the_compose_file_are_right() {
    clean(binary().args(["config", "check"]).arg(top("deploy/compose/bellwether.yaml")));
    let forward = |key: &str| {
        let mut command = binary();
        command.args(["config", "check"]).arg(top("deploy/compose/forward.yaml"));
        command.env("WEBHOOK_URL", "http://receiver:8080/hook").env("WEBHOOK_SECRET", key);
        command
    };
    clean(&mut forward("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    assert!(refused(&mut forward("")).contains("secret"), "without a key it does not start");
    let prometheus = top("deploy/compose/prometheus.yaml");
    clean(Command::new("promtool").args(["check", "config", "--syntax-only"]).arg(prometheus));
}

#[test]
fn the_units_of_one_machine_listen_at_addresses_of_their_own() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("bellwether.yaml");
    fs::write(&file, "console: {}\n").expect("it can be written");
    let printed = binary().args(["config", "print"]).arg(&file).output().expect("the binary runs").stdout;
    let printed = String::from_utf8(printed).expect("it is UTF-8");
    let of_the_run = ["metrics: ", "address: "].map(|name| {
        let value = printed.lines().find_map(|line| line.trim().strip_prefix(name));
        value.unwrap_or_else(|| panic!("no {name} in\n{printed}")).trim_matches(['"', '\'']).to_owned()
    });
    let unit = fs::read_to_string(top("deploy/systemd/bellwether-forward.service")).expect("it is there");
    let of_the_forwarding = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")?.split_once("--metrics ")).expect("it says one").1;
    assert!(!of_the_run.iter().any(|address| address == of_the_forwarding), "{of_the_forwarding} is one of {of_the_run:?}");
    let prometheus = fs::read_to_string(top("deploy/prometheus/prometheus.yaml")).expect("it is there");
    assert!(prometheus.contains(&format!("[\"{of_the_forwarding}\"]")), "{of_the_forwarding} is not where Prometheus looks");
}

#[test]
fn the_units_are_understood_and_hardened() {
    for name in ["bellwether.service", "bellwether-forward.service"] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let product = binary().get_program().to_str().expect("it is UTF-8").to_owned();
        let text = fs::read_to_string(top("deploy/systemd").join(name)).expect("it is there");
        let unit = directory.path().join(name);
        // `verify` wants the program to be there.
        fs::write(&unit, text.replace("/usr/local/bin/bellwether", &product)).expect("it can be written");
        let analyze = |verb: &[&str], unit: &Path| {
            let mut command = Command::new("systemd-analyze");
            command.args(verb).arg(unit);
            command
        };
        clean(&mut analyze(&["verify", "--man=no"], &unit));
        let security = ["security", "--offline=true", "--no-pager", "--threshold", MAX_EXPOSURE];
        clean(&mut analyze(&security, &unit));
        let as_root = ["NoNewPrivileges=yes", "DynamicUser=yes", "User=bellwether"].iter().fold(text, |text, line| text.replace(line, ""));
        fs::write(&unit, as_root).expect("it can be written");
        refused(&mut analyze(&security, &unit));
    }
}
