//! The plain listener.

use crate::support::{Run, get};

#[test]
fn metrics_and_probes_answer_and_have_no_customer_data() {
    let mut run = Run::of_company("");
    run.wait_for_files();
    let get = |path: &str| get(&format!("http://{}{path}", run.plain), &[]);
    assert_eq!((get("/livez").status, get("/livez").body), (200, "alive\n".to_owned()));
    assert_eq!((get("/readyz").status, get("/readyz").body), (200, "ready\n".to_owned()));
    let metrics = get("/metrics");
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert!(metrics.body.contains("bellwether_customers 120\n"), "{}", metrics.body);
    assert_eq!((get("/v1/customers").status, get("/").status), (404, 404));
    let page = run.read("/v1/customers?limit=5").json();
    for customer in page["customers"].as_array().expect("customers") {
        assert!(!metrics.body.contains(customer["customer"].as_str().expect("an id")));
    }
    assert!(run.stop().contains("stopped by a signal"));
}
