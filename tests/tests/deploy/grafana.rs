//! What Grafana is provisioned with: the paths in it are those that the compose file mounts, and the data source is the Prometheus beside it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{output, tool, top};

/// A file of YAML below `deploy`.
fn read(path: &str) -> Value {
    let mut command = tool("python");
    command.args(["-c", "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"]).arg(top("deploy").join(path));
    serde_json::from_slice(&output(&mut command).stdout).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}"))
}

/// Directories of the repository by where the container of a service has them.
fn mounts(service: &Value) -> Vec<(String, PathBuf)> {
    let volumes = service["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mounted = volumes.filter(|volume| volume.starts_with("./")).map(|volume| volume.split(':').collect::<Vec<_>>());
    mounted.map(|parts| (parts[1].to_owned(), top("deploy").join(parts[0]))).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn dashboards_are_where_grafana_looks_for_them() {
    let compose = read("compose.yaml");
    let mounts = mounts(&compose["services"]["grafana"]);
    let mounted = |path: &str| mounts.iter().find(|(at, _)| at == path).map(|(_, from)| from.clone());
    let provisioning = mounted("/etc/grafana/provisioning").expect("what is provisioned is mounted where Grafana reads it");
    // Grafana knows these two directories by their names.
    assert_eq!(names(&provisioning), ["dashboards", "datasources"]);
    let mut providers = 0;
    for file in names(&provisioning.join("dashboards")) {
        let read = read(&format!("grafana/provisioning/dashboards/{file}"));
        assert_eq!(read["apiVersion"], 1);
        for provider in read["providers"].as_array().expect("a list") {
            assert_eq!(text(provider, "type"), "file");
            let path = text(&provider["options"], "path");
            let from = mounted(path).unwrap_or_else(|| panic!("{path} is not mounted: {mounts:?}"));
            assert_eq!(names(&from), ["customer-health.json", "pipeline.json", "signals.json"]);
            providers += 1;
        }
    }
    assert_eq!(providers, 1);
}

#[test]
fn the_data_source_is_the_prometheus_of_the_compose_file() {
    let compose = read("compose.yaml");
    let files = names(&top("deploy/grafana/provisioning/datasources"));
    assert_eq!(files.len(), 1);
    let sources = read(&format!("grafana/provisioning/datasources/{}", files[0]));
    let sources = sources["datasources"].as_array().expect("a list");
    assert_eq!(sources.len(), 1);
    assert_eq!((text(&sources[0], "type"), text(&sources[0], "access"), &sources[0]["isDefault"]), ("prometheus", "proxy", &true.into()));
    let (service, port) = text(&sources[0], "url").strip_prefix("http://").and_then(|rest| rest.split_once(':')).expect("HOST:PORT");
    let ports: Vec<&str> = compose["services"][service]["ports"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(ports.iter().any(|published| published.rsplit(':').next() == Some(port)), "{service} has {ports:?}, not {port}");
}
