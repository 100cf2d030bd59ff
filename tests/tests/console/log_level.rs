//! What is logged is set while the run goes on, and set back.

use serde_json::json;
use tempfile::TempDir;

use crate::hostile::raw;
use crate::support::{ADMIN, Run, with_tokens};

/// What is logged at the level `debug` for each request that is none.
const TOLD: &str = "a connection ended early";

#[test]
fn the_level_is_set_and_set_back_without_a_restart() {
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let run = Run::start_logging(directory, &with_tokens(), &[], "warn");
    // One thread serves the listener, so what this request is told about stands in the log before anything that is asked later.
    let provoke = || assert!(raw(&run.console, b"GET  / HTTP/9\r\n\r\n").starts_with("HTTP/1.1 400"));
    let told = || run.log().lines().filter(|line| line.contains(TOLD)).map(str::to_owned).collect::<Vec<_>>();
    let set = |directives: &str| {
        let answer =
            run.post("/v1/admin/log-level", Some(ADMIN), "application/json", json!({ "directives": directives }).to_string().as_bytes());
        assert_eq!((answer.status, answer.json()), (200, json!({ "directives": directives })));
    };
    provoke();
    set("bellwether_console=debug");
    assert_eq!(told(), Vec::<String>::new(), "it begins with warnings alone");
    provoke();
    run.wait_for("a line of the level debug", || (!told().is_empty()).then_some(()));
    assert!(told()[0].contains("DEBUG"), "{:?}", told());
    set("warn");
    provoke();
    set("bellwether_console=debug");
    provoke();
    run.wait_for("a second line", || (told().len() > 1).then_some(()));
    assert_eq!(told().len(), 2, "what came between was not logged: {:?}", told());
    let refused = run.post("/v1/admin/log-level", Some(ADMIN), "application/json", br#"{"directives":"bellwether=loud"}"#);
    assert_eq!(refused.problem(400), "bad-request");
    provoke();
    run.wait_for("a third line: what is refused changes nothing", || (told().len() > 2).then_some(()));
}
