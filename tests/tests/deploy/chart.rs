//! The Helm chart, linted and rendered by Helm's library, and what it renders before the schemas of Kubernetes and our own configuration.

use std::fs;
use std::process::Command;

use bellwether_tests::product::binary;
use serde_json::{Value, json};

use crate::support::{clean, output, refused, told, tool, top};

pub fn command(values: &Value) -> Command {
    let mut command = tool("python");
    command.arg(top("tests/deploy/chart.py")).arg(top("deploy/helm/bellwether")).arg(values.to_string());
    command
}

/// The objects that values make; each is valid.
#[track_caller]
pub fn rendered(values: &Value) -> Vec<Value> {
    let output = output(&mut command(values));
    assert!(output.status.success(), "{values}:\n{}", told(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// Values that use everything.
pub fn everything() -> Value {
    json!({
        "rules": "signals: []\n", "role": "process", "logFormat": "json", "pseudonymKeySecret": "pseudonym", "secrets": ["kafka"], "snapshotsClaim": "snapshots",
        "serviceMonitor": { "enabled": true, "labels": { "release": "prometheus" } },
        "persistence": { "storageClass": "fast" }, "priorityClassName": "high", "imagePullSecrets": [{ "name": "registry" }],
        "env": [{ "name": "KAFKA_BROKERS", "value": "a:9092" }], "podAnnotations": { "a": "b" }, "podLabels": { "c": "d" },
        "nodeSelector": { "disk": "ssd" }, "tolerations": [{ "key": "k", "operator": "Exists" }],
        "affinity": { "nodeAffinity": {} }, "topologySpreadConstraints": [],
        "networkPolicy": { "metricsFrom": [{ "podSelector": {} }], "kafkaTo": [{ "ipBlock": { "cidr": "10.0.0.0/8" } }] },
        "configuration": { "kafka": { "brokers": "${KAFKA_BROKERS:-a:9092}", "client_files": { "sasl.password": "/run/secrets/kafka/password" } } },
    })
}

#[test]
fn every_kind_is_rendered_and_valid() {
    let objects = rendered(&everything());
    let mut kinds: Vec<_> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    kinds.sort_unstable();
    let expected = ["ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor", "StatefulSet"];
    assert_eq!(kinds, expected);
    let environment = &of_kind(&objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["env"];
    let format = json!({ "name": "BELLWETHER_LOG_FORMAT", "value": "json" });
    assert!(environment.as_array().is_some_and(|variables| variables.contains(&format)), "{environment}");
}

#[test]
fn what_is_switched_off_is_not_there() {
    let off = json!({ "enabled": false });
    let values = json!({
        "networkPolicy": off, "podDisruptionBudget": off, "serviceAccount": { "create": false }, "createTopics": false, "rules": "",
    });
    let objects = rendered(&values);
    let kinds: Vec<_> = objects.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert_eq!(kinds, ["ConfigMap", "Service", "StatefulSet"]);
    assert_eq!(of_kind(&objects, "StatefulSet")["spec"]["template"]["spec"]["initContainers"], Value::Null);
}

#[test]
fn an_instance_keeps_its_name_its_disk_and_no_rights() {
    let objects = rendered(&json!({}));
    let set = &of_kind(&objects, "StatefulSet")["spec"];
    let pod = &set["template"]["spec"];
    let containers = pod["initContainers"].as_array().into_iter().chain(pod["containers"].as_array()).flatten();
    let mut count = 0;
    for container in containers {
        let context = &container["securityContext"];
        assert_eq!((&context["readOnlyRootFilesystem"], &context["allowPrivilegeEscalation"]), (&json!(true), &json!(false)));
        assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
        count += 1;
    }
    assert_eq!(count, 3);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(set["volumeClaimTemplates"][0]["metadata"]["name"], "state");
    assert_eq!(pod["containers"][0]["livenessProbe"]["httpGet"]["path"], "/livez");
    assert_eq!(pod["containers"][0]["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(set["selector"]["matchLabels"], of_kind(&objects, "Service")["spec"]["selector"]);
    assert_eq!(set["selector"], of_kind(&objects, "PodDisruptionBudget")["spec"]["selector"]);
}

#[test]
fn the_configuration_that_is_rendered_is_right() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (number, values) in [json!({}), everything()].iter().enumerate() {
        let objects = rendered(values);
        let text = of_kind(&objects, "ConfigMap")["data"]["bellwether.yaml"].as_str().expect("it is there");
        assert!(text.contains("static_membership: true"), "{text}");
        let file = directory.path().join(format!("{number}.yaml"));
        fs::write(&file, text).expect("it can be written");
        clean(binary().args(["config", "check"]).arg(&file));
    }
}

#[test]
fn wrong_values_are_refused() {
    let kafka = json!({ "brokers": "a:9092", "sources": [{ "name": "a", "topics": ["a"] }] });
    let wrong = [
        (json!({ "replica": 3 }), "replica"),
        (json!({ "replicas": "three" }), "replicas"),
        (json!({ "role": "both" }), "role"),
        (json!({ "logFormat": "xml" }), "logFormat"),
        (json!({ "persistence": { "size": "20" } }), "size"),
        (json!({ "configuration": { "data": "/elsewhere", "kafka": kafka } }), "configuration"),
        (json!({ "configuration": { "kafka": { "brokers": "" } } }), "brokers"),
    ];
    for (values, name) in wrong {
        let said = refused(&mut command(&values));
        assert!(said.contains(name), "{values}: {said}");
    }
}
