//! The console in the Helm chart: its port, its tokens and certificate from secrets, and who may reach it.

use std::fs;

use bellwether_tests::product::binary;
use serde_json::{Value, json};

use crate::chart::{command, of_kind, rendered};
use crate::support::{clean, refused};

fn values(console: Value) -> Value {
    let mut own = json!({ "enabled": true, "tokensSecret": "tokens" });
    own.as_object_mut().expect("an object").extend(console.as_object().expect("an object").clone());
    let kafka = json!({ "brokers": "a:9092", "sources": [{ "name": "events", "topics": ["events"] }] });
    json!({ "console": own, "configuration": { "console": { "events_topic": "events" }, "kafka": kafka } })
}

fn services(objects: &[Value]) -> Vec<(String, Vec<u64>)> {
    let all = objects.iter().filter(|object| object["kind"] == "Service");
    let ports =
        |service: &Value| service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| port["port"].as_u64()).collect();
    all.map(|service| (service["metadata"]["name"].as_str().expect("a name").to_owned(), ports(service))).collect()
}

#[test]
fn without_it_nothing_listens_there() {
    let objects = rendered(&json!({}));
    assert_eq!(services(&objects), [("release-bellwether".to_owned(), vec![9464])]);
    assert!(!serde_json::to_string(&objects).expect("JSON").contains("console"), "{objects:?}");
}

#[test]
fn it_has_a_port_secrets_and_a_service_and_the_namespace_may_reach_it() {
    let objects = rendered(&values(json!({ "port": 8443, "tlsSecret": "console-certificate", "adminToken": true })));
    let expected = [("release-bellwether".to_owned(), vec![9464, 8443]), ("release-bellwether-console".to_owned(), vec![8443])];
    assert_eq!(services(&objects), expected);
    let pod = &of_kind(&objects, "StatefulSet")["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["ports"][1], json!({ "name": "console", "containerPort": 8443 }));
    // Those before it read the same configuration.
    for container in pod["initContainers"].as_array().into_iter().chain(pod["containers"].as_array()).flatten() {
        let env: Vec<_> = container["env"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
        let expected = ["READ", "WRITE", "ADMIN"].map(|scope| format!("CONSOLE_{scope}_TOKEN_SHA256"));
        assert!(expected.iter().all(|name| env.contains(&name.as_str())) && env.contains(&"POD_NAME"), "{env:?}");
        let mounts = container["volumeMounts"].as_array().into_iter().flatten().filter_map(|mount| mount["mountPath"].as_str());
        assert!(mounts.into_iter().any(|path| path == "/run/secrets/console-tls"));
    }
    let volumes = pod["volumes"].as_array().into_iter().flatten();
    let secrets: Vec<_> = volumes.filter_map(|volume| volume["secret"]["secretName"].as_str()).collect();
    assert_eq!(secrets, ["console-certificate"]);
    let ingress = &of_kind(&objects, "NetworkPolicy")["spec"]["ingress"];
    assert_eq!(ingress[1], json!({ "ports": [{ "protocol": "TCP", "port": "console" }], "from": [{ "podSelector": {} }] }));

    let from = json!([{ "namespaceSelector": { "matchLabels": { "team": "crm" } } }]);
    let objects = rendered(&values(json!({ "from": from })));
    assert_eq!(of_kind(&objects, "NetworkPolicy")["spec"]["ingress"][1]["from"], from);
}

#[test]
fn the_configuration_that_is_rendered_is_right_and_has_no_hash_of_a_token() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let hash = "0123456789abcdef".repeat(4);
    let elsewhere = "https://one.example:9465";
    let mut own_url = values(json!({}));
    own_url["configuration"]["console"]["advertised_url"] = json!(elsewhere);
    for (values, url) in [
        (values(json!({})), "http://${POD_NAME}.release-bellwether.space.svc:9465"),
        (values(json!({ "tlsSecret": "tls", "adminToken": true, "port": 9999 })), "https://${POD_NAME}.release-bellwether.space.svc:9999"),
        (own_url, elsewhere),
    ] {
        let objects = rendered(&values);
        let text = of_kind(&objects, "ConfigMap")["data"]["bellwether.yaml"].as_str().expect("it is there");
        assert!(text.contains(&format!("advertised_url: {url}")) && text.contains("events_topic: events"), "{text}");
        let file = directory.path().join("bellwether.yaml");
        fs::write(&file, text).expect("it can be written");
        let mut check = binary();
        check.args(["config", "check"]).arg(&file).env("POD_NAME", "release-bellwether-0");
        for scope in ["READ", "WRITE", "ADMIN"] {
            check.env(format!("CONSOLE_{scope}_TOKEN_SHA256"), &hash);
        }
        clean(&mut check);
    }
}

#[test]
fn wrong_values_are_refused() {
    for (console, name) in [
        (json!({ "tokensSecret": "" }), "tokensSecret"),
        (json!({ "port": 9464 }), "port"),
        (json!({ "port": 443 }), "port"),
        (json!({ "tlsSecret": "Not A Name" }), "tlsSecret"),
        (json!({ "token": "abc" }), "token"),
    ] {
        let said = refused(&mut command(&values(console.clone())));
        assert!(said.contains(name), "{console}: {said}");
    }
}
