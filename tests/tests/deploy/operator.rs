//! ServiceMonitors before the Prometheus operator's own definition of them: its types find a key that there is not, its schema a value that is wrong.

use std::fs;
use std::process::{Command, Output};

use bellwether_tests::node::npm;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chart::rendered;
use crate::support::{output, told};

/// Types and schemas that are generated from the operator's custom resource definitions, and the compiler that knows types.
const PACKAGES: [&str; 2] = ["@kubernetes-models/prometheus-operator@6.0.0", "typescript@5.9.3"];

const MODULE: &str = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";

/// What the compiler says of the objects, and what the schema says.
fn checked(monitors: &[Value]) -> [Output; 2] {
    let packages = npm(&PACKAGES);
    // Below the packages, so that they are found.
    let directory = TempDir::with_prefix_in("monitors-", &packages).expect("the cache can be written");
    let monitors = serde_json::to_string_pretty(monitors).expect("it is JSON");
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path
    };
    let typed = write(
        "typed.mts",
        format!("import type {{ IServiceMonitor }} from \"{MODULE}\";\nexport const all: IServiceMonitor[] = {monitors};\n"),
    );
    let run = write(
        "run.mjs",
        format!("import {{ ServiceMonitor }} from \"{MODULE}\";\nfor (const one of {monitors}) new ServiceMonitor(one).validate();\n"),
    );
    let mut compile = Command::new("node");
    compile.arg(packages.join("node_modules/typescript/bin/tsc")).args(["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022"]);
    compile.args(["--module", "nodenext", "--moduleResolution", "nodenext"]).arg(typed);
    [output(&mut compile), output(Command::new("node").arg(run))]
}

/// The ServiceMonitors of an instance, and of what forwards its signals.
fn monitors() -> Vec<Value> {
    let mut objects = rendered(&json!({
        "serviceMonitor": { "enabled": true, "labels": { "release": "prometheus" } },
        "forward": { "enabled": true, "settings": { "routes": [{ "name": "all", "url": "https://crm.example/hook" }] } },
    }));
    objects.retain(|object| object["kind"] == "ServiceMonitor");
    objects
}

#[test]
fn service_monitors_are_what_the_operator_defines() {
    let monitors = monitors();
    assert_eq!(monitors.len(), 2);
    for output in checked(&monitors) {
        assert!(output.status.success(), "{}", told(&output));
    }
}

#[test]
fn what_is_wrong_in_a_service_monitor_is_found() {
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut monitors = monitors();
        change(&mut monitors[0]);
        checked(&monitors)
    };
    let [compiled, _] = changed(&|monitor| monitor["spec"]["endpoints"][0]["intervall"] = json!("30s"));
    assert!(!compiled.status.success() && told(&compiled).contains("intervall"), "{}", told(&compiled));
    let [_, validated] = changed(&|monitor| monitor["spec"]["endpoints"][0]["interval"] = json!("30 seconds"));
    assert!(!validated.status.success() && told(&validated).contains("interval must match"), "{}", told(&validated));
    let [_, validated] = changed(&|monitor| _ = monitor["spec"].as_object_mut().expect("a spec").remove("selector"));
    assert!(!validated.status.success() && told(&validated).contains("selector"), "{}", told(&validated));
}
