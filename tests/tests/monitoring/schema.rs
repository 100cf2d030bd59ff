//! Dashboards against Grafana's own types (npm's `@grafana/schema`), by the TypeScript compiler: there is no other schema in that package.

use std::fs;
use std::process::{Command, Output};

use bellwether_tests::node::npm;
use tempfile::TempDir;

use crate::{files, read};

const PACKAGES: [&str; 2] = ["@grafana/schema@13.2.3", "typescript@5.9.3"];

/// What the compiler says of these dashboards, each given as JSON.
fn compiled(dashboards: &[String]) -> Output {
    let packages = npm(&PACKAGES);
    // Below the packages, so that they are found.
    let directory = TempDir::with_prefix_in("dashboards-", &packages).expect("the cache can be written");
    let literals = (0..).zip(dashboards).map(|(number, dashboard)| format!("export const dashboard{number}: Checked = {dashboard};\n"));
    let program: String = [include_str!("dashboard.ts").to_owned()].into_iter().chain(literals).collect();
    let file = directory.path().join("dashboards.mts");
    fs::write(&file, program).expect("it can be written");
    let compiler = packages.join("node_modules/typescript/bin/tsc");
    let mut command = Command::new("node");
    command.arg(&compiler).args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"]);
    command.args(["--module", "nodenext", "--moduleResolution", "nodenext"]).arg(&file);
    command.output().unwrap_or_else(|error| panic!("node ({error}): `make setup` installs it"))
}

fn shipped() -> Vec<String> {
    files("grafana/dashboards").iter().map(|path| read(path)).collect()
}

#[test]
fn dashboards_have_the_types_of_grafana() {
    let dashboards = shipped();
    assert_eq!(dashboards.len(), 3);
    let output = compiled(&dashboards);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_wrong_value_and_an_unknown_key_are_found() {
    for (right, wrong, word) in [
        ("\"colorMode\": \"value\"", "\"colorMode\": \"vlaue\"", "vlaue"),
        ("\"showLegend\": true", "\"showsLegend\": true", "showsLegend"),
        ("\"schemaVersion\"", "\"shemaVersion\"", "shemaVersion"),
    ] {
        let dashboards: Vec<String> = shipped().iter().map(|dashboard| dashboard.replace(right, wrong)).collect();
        assert_ne!(dashboards, shipped(), "{right} is there");
        let output = compiled(&dashboards);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && said.contains(word), "{said}");
    }
}
