//! The forwarding in the Helm chart: a workload of its own beside the instances, with its keys and a way to its receivers.

use std::fs;

use bellwether_tests::product::binary;
use serde_json::{Value, json};

use crate::chart::{command, of_kind, rendered};
use crate::support::{clean, refused};

/// Values with two routes, of which one is a digest.
fn values(forward: Value) -> Value {
    let mut own = json!({
        "enabled": true, "secrets": ["crm"],
        "env": [{ "name": "SLACK_URL", "valueFrom": { "secretKeyRef": { "name": "slack", "key": "url" } } }],
        "settings": { "time_zone": "Europe/Berlin", "routes": [
            { "name": "crm", "url": "https://crm.example/hook", "secret_file": "/run/secrets/crm/key" },
            { "name": "daily", "url": "${SLACK_URL}", "digest": { "at": "08:00" } },
        ] },
    });
    let more = forward.as_object().expect("an object").clone();
    own.as_object_mut().expect("an object").extend(more);
    json!({ "secrets": ["kafka"], "serviceMonitor": { "enabled": true }, "forward": own })
}

/// Objects of the forwarding, and of the instances.
fn parts(values: &Value) -> (Vec<Value>, Vec<Value>) {
    let is_forward = |object: &Value| object["metadata"]["name"].as_str().is_some_and(|name| name.ends_with("-forward"));
    rendered(values).into_iter().partition(is_forward)
}

#[test]
fn it_is_there_when_it_is_asked_for_and_leaves_the_instances_as_they_are() {
    let (forward, instances) = parts(&values(json!({})));
    let mut kinds: Vec<_> = forward.iter().filter_map(|object| object["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["ConfigMap", "NetworkPolicy", "Service", "ServiceMonitor", "StatefulSet"]);
    let mut without = values(json!({}));
    without["forward"] = json!({ "enabled": false });
    let (forward, alone) = parts(&without);
    assert_eq!(forward, Vec::<Value>::new());
    assert_eq!(alone, instances);
}

#[test]
fn it_keeps_its_disk_and_its_keys_and_has_no_rights() {
    let (forward, instances) = parts(&values(json!({ "routes": ["crm"] })));
    let set = &of_kind(&forward, "StatefulSet")["spec"];
    let pod = &set["template"]["spec"];
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    assert_eq!((&context["readOnlyRootFilesystem"], &context["allowPrivilegeEscalation"]), (&json!(true), &json!(false)));
    assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!((&pod["securityContext"]["runAsNonRoot"], &pod["automountServiceAccountToken"]), (&json!(true), &json!(false)));
    assert_eq!(container["args"], json!(["forward", "--config", "/etc/bellwether/bellwether.yaml", "--route", "crm"]));
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/livez");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["image"], of_kind(&instances, "StatefulSet")["spec"]["template"]["spec"]["containers"][0]["image"]);
    let mounts: Vec<_> =
        container["volumeMounts"].as_array().into_iter().flatten().filter_map(|mount| mount["mountPath"].as_str()).collect();
    assert_eq!(mounts, ["/var/lib/bellwether", "/etc/bellwether", "/run/secrets/kafka", "/run/secrets/crm"]);
    assert_eq!(set["volumeClaimTemplates"][0]["metadata"]["name"], "state");

    // Nobody takes one for the other: neither services nor policies.
    let selector = &of_kind(&forward, "Service")["spec"]["selector"];
    assert_eq!(&set["selector"]["matchLabels"], selector);
    assert_eq!(&of_kind(&forward, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"], selector);
    assert_eq!(&of_kind(&forward, "ServiceMonitor")["spec"]["selector"]["matchLabels"], selector);
    assert_ne!(selector, &of_kind(&instances, "Service")["spec"]["selector"]);
    let labels = &set["template"]["metadata"]["labels"];
    assert!(selector.as_object().into_iter().flatten().all(|(name, value)| labels[name] == *value));
    assert_ne!(labels["app.kubernetes.io/name"], of_kind(&instances, "Service")["spec"]["selector"]["app.kubernetes.io/name"]);
}

#[test]
fn receivers_and_brokers_may_be_reached_and_nothing_else() {
    let (forward, _) = parts(&values(json!({ "webhookPorts": [443, 8443], "webhooksTo": [{ "ipBlock": { "cidr": "10.1.0.0/16" } }] })));
    let egress = of_kind(&forward, "NetworkPolicy")["spec"]["egress"].as_array().expect("there are rules").clone();
    let ports =
        |rule: &Value| -> Vec<u64> { rule["ports"].as_array().into_iter().flatten().filter_map(|port| port["port"].as_u64()).collect() };
    assert_eq!(egress.iter().map(ports).collect::<Vec<_>>(), [vec![53, 53], vec![9092], vec![443, 8443]]);
    assert_eq!(egress[2]["to"], json!([{ "ipBlock": { "cidr": "10.1.0.0/16" } }]));
}

#[test]
fn the_configuration_that_is_rendered_is_right() {
    let (forward, _) = parts(&values(json!({})));
    let text = of_kind(&forward, "ConfigMap")["data"]["bellwether.yaml"].as_str().expect("it is there");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("bellwether.yaml");
    fs::write(&file, text).expect("it can be written");
    clean(binary().args(["config", "check"]).arg(&file).env("SLACK_URL", "https://slack.example/hook"));
}

#[test]
fn wrong_values_are_refused() {
    let route = |more: Value| {
        let mut route = json!({ "name": "crm", "url": "https://crm.example/hook" });
        route.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "settings": { "routes": [route] } })
    };
    let wrong = [
        (json!({ "settings": { "routes": [] } }), "routes"),
        (json!({ "replica": 1 }), "replica"),
        (json!({ "webhookPorts": [] }), "webhookPorts"),
        (route(json!({ "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" })), "secret"),
        (route(json!({ "url": "" })), "url"),
        // Two would send each digest twice.
        (json!({ "replicas": 2 }), "daily"),
    ];
    for (forward, name) in wrong {
        let said = refused(&mut command(&values(forward.clone())));
        assert!(said.contains(name), "{forward}: {said}");
    }
    rendered(&values(json!({ "replicas": 2, "routes": ["crm"] })));
}
