//! The console beside a real broker: each instance tells of its own partitions, and together they have every customer once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_codec::event::encode_event;
use bellwether_engine::event::Event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{INPUT_PARTITIONS, Product};
use serde_json::{Value, json};

use crate::page::use_page;
use crate::support::{ADMIN, READ, get, post, send, with_tokens};

const PARTITIONS: u16 = 4;
const CUSTOMERS: usize = 30;

/// Rebalances take their time, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(240);

#[test]
fn instances_tell_of_their_own_partitions() {
    let broker = Broker::shared();
    let mut product = Product::new(broker.bootstrap(), "console", PARTITIONS);
    "console:\n  address: 127.0.0.1:0\n".clone_into(&mut product.more_settings);
    product.create();
    product.produce(&company(11, CUSTOMERS as u64, 30));
    let one = product.start("one", "all", 1);
    let at_one = |path: &str| get(&format!("http://{}{path}", told(&product, "one", "the console is at http://", "/")), &[]);
    wait_for("every customer", || customers(&at_one("/v1/customers?limit=500").json()).len() == CUSTOMERS);
    // Before the first watermark there is no journal time, and no day to tell KPIs of.
    wait_for("KPIs of all partitions", || at_one("/v1/kpis").json()["is_complete"] == true);
    let ready = |instance: &str| get(&format!("http://{}/readyz", told(&product, instance, "metrics are at http://", "/")), &[]).status;
    assert_eq!(ready("one"), 200);
    let address = told(&product, "one", "the console is at http://", "/");
    assert_eq!(post(&format!("http://{address}/v1/events"), "application/json", b"{}").problem(501), "no-intake");
    let two = product.start("two", "process", 1);
    let at_two = |path: &str| get(&format!("http://{}{path}", told(&product, "two", "the console is at http://", "/")), &[]);
    wait_for("a share for each", || {
        let shares = [at_one("/v1/partitions"), at_two("/v1/partitions")].map(|answer| numbers(&answer.json()));
        shares.iter().all(|share| share.len() == usize::from(PARTITIONS) / 2) && shares[0].is_disjoint(&shares[1])
    });
    wait_for("every customer once", || {
        let [one, other] = [at_one("/v1/customers?limit=500"), at_two("/v1/customers?limit=500")].map(|answer| customers(&answer.json()));
        one.is_disjoint(&other) && one.len() + other.len() == CUSTOMERS
    });
    // What each lists is a part, and it says so.
    let lists = ["/v1/customers?limit=500", "/v1/signals"];
    wait_for("rankings of a part", || {
        [at_one("/v1/signals"), at_two("/v1/signals")].iter().all(|answer| answer.json()["is_complete"] == false)
    });
    assert!(lists.iter().flat_map(|path| [at_one(path), at_two(path)]).all(|answer| answer.json()["is_complete"] == false));
    let elsewhere = customers(&at_two("/v1/customers").json()).into_iter().next().expect("a customer");
    let asked = || at_one(&format!("/v1/customers/{elsewhere}"));
    assert_eq!(asked().problem(421), "other-instance");
    // It has told nobody where it is found, but its name is beside what it commits.
    wait_for("the name of the other one", || asked().json()["detail"].as_str().is_some_and(|detail| detail.contains("the instance two")));
    assert_eq!(asked().problem(421), "other-instance");
    assert_eq!(at_one("/v1/kpis").json()["is_complete"], false);
    assert_eq!((ready("one"), ready("two")), (200, 200));
    assert_eq!(two.stop(), Some(0));
    wait_for("what the other one had", || customers(&at_one("/v1/customers?limit=500").json()).len() == CUSTOMERS);
    wait_for("lists of everything", || lists.iter().all(|path| at_one(path).json()["is_complete"] == true));
    assert_eq!(one.stop(), Some(0));
}

#[test]
fn who_asks_the_wrong_instance_is_sent_to_the_owner() {
    let mut product = Product::new(Broker::shared().bootstrap(), "redirected", PARTITIONS);
    let events = company(11, CUSTOMERS as u64, 30);
    let mut start = |instance: &str, role: &str| {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free").port();
        let (address, tokens) = (format!("127.0.0.1:{port}"), with_tokens());
        product.more_settings = format!("console:\n  address: {address}\n  advertised_url: http://{address}/\n{tokens}");
        if instance == "one" {
            product.create();
            product.produce(&events);
        }
        (address, product.start(instance, role, 1))
    };
    let read = |url: &str| get(url, &[("authorization", &format!("Bearer {READ}"))]);
    let (first, one) = start("one", "all");
    let known = |address: &str| customers(&try_read(&format!("http://{address}/v1/customers?limit=500"))).into_iter().collect::<Vec<_>>();
    wait_for("every customer", || known(&first).len() == CUSTOMERS);
    let (second, two) = start("two", "process");
    wait_for("every customer once", || {
        let (one, other) = (known(&first), known(&second));
        !one.is_empty() && !other.is_empty() && one.len() + other.len() == CUSTOMERS
    });
    for (asked, owner) in [(&first, &second), (&second, &first)] {
        let customer = known(owner).into_iter().next().expect("a customer");
        for path in [format!("/v1/customers/{customer}"), format!("/v1/customers/{customer}/timeline")] {
            wait_for("a redirect", || read(&format!("http://{asked}{path}")).status == 307);
            let answer = read(&format!("http://{asked}{path}"));
            assert_eq!(answer.problem(307), "other-instance");
            assert_eq!(answer.headers["location"], format!("http://{owner}{path}"));
            assert_eq!(read(&format!("http://{owner}{path}")).json()["customer"], *customer);
        }
        // Nobody is told who has a customer without a token.
        assert_eq!(get(&format!("http://{asked}/v1/customers/{customer}"), &[]).problem(401), "token-missing");
    }
    let elsewhere = |address: &str| read(&format!("http://{address}/v1/partitions")).json()["elsewhere"].clone();
    wait_for("both to know both", || [&first, &second].iter().all(|address| elsewhere(address).as_array().map(Vec::len) == Some(2)));
    assert_eq!(elsewhere(&first)[0]["url"], format!("http://{second}"));
    assert_eq!(elsewhere(&second)[0]["owner"], "one");
    // Whatever the text of the path, it ends no header.
    for number in 0..20 {
        let path = format!("/v1/customers/x{number}%0d%0aset-cookie:%20a");
        let answer = read(&format!("http://{first}{path}"));
        assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
        assert!(answer.status == 404 || answer.headers["location"] == format!("http://{second}{path}"), "{answer:?}");
    }
    assert_eq!(two.stop(), Some(0));
    wait_for("what the other one had", || known(&first).len() == CUSTOMERS);
    let all = known(&first);
    assert!(all.iter().all(|customer| read(&format!("http://{first}/v1/customers/{customer}")).status == 200));
    for customer in &all {
        let timeline = read(&format!("http://{first}/v1/customers/{customer}/timeline")).json();
        assert_eq!((&timeline["has_events"], &timeline["is_cut"]), (&json!(true), &json!(false)), "{timeline}");
        let entries = timeline["entries"].as_array().expect("entries").iter().filter(|entry| entry["what"] == "event");
        let told: Vec<(Value, Value)> = entries.map(|entry| (entry["time"].clone(), entry["name"].clone())).collect();
        assert_eq!(told, happened(&events, customer), "{customer}");
    }
    use_page("page_beside_kafka.py", &first, OsStr::new(&all[0]));
    assert_eq!(one.stop(), Some(0));
}

/// When what happened to a customer, in the order of a timeline.
fn happened(events: &[Event<'_>], customer: &str) -> Vec<(Value, Value)> {
    let of_customer = events.iter().filter(|event| event.customer == customer).map(|event| {
        let mut text = Vec::new();
        encode_event(event, &mut text);
        let event: Value = serde_json::from_slice(&text).expect("JSON");
        (event["time"].clone(), event["type"].clone())
    });
    let mut happened: Vec<_> = of_customer.collect();
    happened.sort_by(|one, other| (one.0.as_str(), one.1.as_str()).cmp(&(other.0.as_str(), other.1.as_str())));
    happened
}

/// What is at an address; nothing while nobody listens there yet.
fn try_read(url: &str) -> Value {
    let is_open = url.split('/').nth(2).is_some_and(|address| TcpStream::connect(address).is_ok());
    if is_open { get(url, &[("authorization", &format!("Bearer {READ}"))]).json() } else { Value::Null }
}

#[test]
fn an_instance_is_ready_once_it_is_where_everything_is_published_and_until_it_is_to_stop() {
    let mut broker = Broker::start();
    let mut product = Product::new(broker.bootstrap(), "readiness", PARTITIONS);
    product.more_settings = format!("console:\n  address: 127.0.0.1:0\n{}", with_tokens());
    product.create();
    product.produce(&company(11, CUSTOMERS as u64, 30));
    let ready = |instance: &str| {
        let answer = get(&format!("http://{}/readyz", told(&product, instance, "metrics are at http://", "/")), &[]);
        (answer.status, answer.body)
    };
    let of = |instance: &str, path: &str| {
        let url = format!("http://{}{path}", told(&product, instance, "the console is at http://", "/"));
        get(&url, &[("authorization", &format!("Bearer {READ}"))])
    };
    let known = |instance: &str| customers(&of(instance, "/v1/customers?limit=500").json()).len();
    let admin = |instance: &str, path: &str| {
        let url = format!("http://{}/v1/admin/{path}", told(&product, instance, "the console is at http://", "/"));
        send(&url, Some(&format!("Bearer {ADMIN}")), "application/json", b"").status
    };
    let before = product.start("before", "all", 1);
    wait_for("every customer", || known("before") == CUSTOMERS);
    assert_eq!(ready("before"), (200, "ready\n".to_owned()));
    assert_eq!(before.stop(), Some(0));

    // Another disk, and brokers that do not answer.
    broker.suspend();
    let mut after = product.start("after", "all", 1);
    assert_eq!(ready("after"), (503, "starting\n".to_owned()));
    assert_eq!(of("after", "/v1/customers").problem(503), "not-ready");
    // What is published already is to be folded again, and does not begin before it is resumed.
    assert_eq!(admin("after", "pause?role=process"), 200);
    broker.resume();
    let restoring = || {
        let partitions = of("after", "/v1/partitions").json()["partitions"].as_array().cloned().unwrap_or_default();
        partitions.iter().filter(|partition| partition["state"] == "restoring").count()
    };
    wait_for("partitions to restore", || restoring() == usize::from(PARTITIONS));
    assert_eq!(ready("after"), (503, "restoring; paused: process\n".to_owned()));
    assert_eq!(admin("after", "resume"), 200);
    wait_for("all partitions", || ready("after") == (200, "ready\n".to_owned()));
    assert_eq!(known("after"), CUSTOMERS);

    // Without brokers it cannot leave its groups in good order, which takes a while.
    broker.kill();
    after.signal("TERM");
    wait_for("the word to stop to be heard", || ready("after").0 == 503);
    assert_eq!(ready("after"), (503, "draining\n".to_owned()));
    let mut ended = None;
    wait_for("its end", || {
        ended = after.ended();
        ended.is_some()
    });
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
}

/// While another member of the group does not answer, nobody knows whose the partitions are: what is owned is not even known to be nothing.
#[test]
fn an_instance_is_ready_once_it_knows_which_partitions_are_its_own_if_any() {
    let mut product = Product::new(Broker::shared().bootstrap(), "unassigned", 1);
    product.more_settings = "console:\n  address: 127.0.0.1:0\n".to_owned();
    product.create();
    let ready = |instance: &str| {
        let answer = get(&format!("http://{}/readyz", told(&product, instance, "metrics are at http://", "/")), &[]);
        (answer.status, answer.body)
    };
    let partitions = |instance: &str| {
        let answer = get(&format!("http://{}/v1/partitions", told(&product, instance, "the console is at http://", "/")), &[]);
        answer.json()["partitions"].as_array().map(Vec::len)
    };
    let patient = product.configuration("patient");
    let text = fs::read_to_string(&patient).expect("it was written");
    assert!(text.contains("session.timeout.ms: 6000"));
    fs::write(&patient, text.replace("session.timeout.ms: 6000", "session.timeout.ms: 240000")).expect("it can be written");
    let first = product.start_with(&patient, "patient", "all", 1);
    wait_for("the only partition", || ready("patient").0 == 200 && partitions("patient") == Some(1));

    first.signal("STOP");
    let second = product.start("second", "process", 1);
    wait_for("its store to be open", || partitions("second").is_some());
    assert_eq!((ready("second"), partitions("second")), ((503, "unassigned\n".to_owned()), Some(0)));
    first.signal("CONT");
    wait_for("its share, which is nothing", || ready("second") == (200, "ready\n".to_owned()));
    wait_for("one owner", || ["patient", "second"].map(|name| partitions(name).unwrap_or_default()).iter().sum::<usize>() == 1);
    wait_for("both", || ["patient", "second"].iter().all(|name| ready(name).0 == 200));
    assert_eq!([first.stop(), second.stop()], [Some(0); 2]);
}

#[test]
fn a_paused_instance_reads_nothing_and_keeps_its_partitions() {
    let mut product = Product::new(Broker::shared().bootstrap(), "paused", PARTITIONS);
    product.more_settings = format!("console:\n  address: 127.0.0.1:0\n{}", with_tokens());
    product.create();
    let one = product.start("one", "all", 1);
    let console = told(&product, "one", "the console is at http://", "/");
    let plain = told(&product, "one", "metrics are at http://", "/");
    let read = |path: &str| get(&format!("http://{console}{path}"), &[("authorization", &format!("Bearer {READ}"))]);
    let admin = |path: &str| send(&format!("http://{console}/v1/admin/{path}"), Some(&format!("Bearer {ADMIN}")), "application/json", b"");
    let metric = |name: &str| {
        let text = get(&format!("http://{plain}/metrics"), &[]).body;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
    };
    let known = || customers(&read("/v1/customers?limit=500").json()).len();
    let half = CUSTOMERS / 2;
    let mut producer = product.producer();
    producer.produce(&company(11, half as u64, 30));
    wait_for("the first customers", || known() == half);
    wait_for("all partitions", || numbers(&read("/v1/partitions").json()).len() == usize::from(PARTITIONS));
    let rebalanced = metric("bellwether_rebalanced_partitions_total{change=\"revoked\",role=\"process\"}");

    assert_eq!(admin("pause?role=process").json()["paused"], json!(["process"]));
    assert_eq!(get(&format!("http://{plain}/readyz"), &[]).body, "ready; paused: process\n");
    assert_eq!(metric("bellwether_paused{role=\"process\"}"), Some(1.0));
    assert_eq!(read("/v1/partitions").json()["paused"], json!(["process"]));
    let journaled = || metric("bellwether_events_total").unwrap_or_default();
    let before = journaled();
    producer.produce(&company(12, CUSTOMERS as u64, 30));
    wait_for("ingest to go on", || journaled() > before);
    wait_for("the lag of processing to grow", || metric("bellwether_journal_lag_records{partition=\"0\"}").unwrap_or_default() > 100.0);
    assert_eq!(known(), half, "nothing is folded");

    assert_eq!(admin("resume").json()["paused"], json!([]));
    wait_for("the others", || known() == CUSTOMERS);
    assert_eq!(admin("pause?role=ingest").json()["paused"], json!(["ingest"]));
    let before = journaled();
    producer.produce(&company(13, 2 * CUSTOMERS as u64, 30));
    wait_for("the lag of ingest to grow", || {
        (0..INPUT_PARTITIONS).all(|partition| {
            let name = format!("bellwether_input_lag_records{{partition=\"{partition}\",topic=\"paused.events\"}}");
            metric(&name).unwrap_or_default() > 100.0
        })
    });
    assert_eq!((journaled(), known()), (before, CUSTOMERS), "nothing is taken in");
    assert_eq!(admin("pause?role=nobody").problem(400), "bad-request");
    assert_eq!(admin("resume?role=ingest").json()["is_paused"], false);
    wait_for("all", || known() == 2 * CUSTOMERS);
    assert_eq!(metric("bellwether_rebalanced_partitions_total{change=\"revoked\",role=\"process\"}"), rebalanced, "it kept its partitions");
    assert_eq!(one.stop(), Some(0));
    assert_eq!(product.published(), product.replayed());
}

fn customers(page: &Value) -> BTreeSet<String> {
    let customers = page["customers"].as_array().map(Vec::as_slice).unwrap_or_default();
    customers.iter().map(|customer| customer["customer"].as_str().expect("an id").to_owned()).collect()
}

/// The partitions of an instance that may be read.
fn numbers(state: &Value) -> BTreeSet<u64> {
    let partitions = state["partitions"].as_array().map(Vec::as_slice).unwrap_or_default();
    partitions.iter().filter(|one| one["state"] == "ready").map(|one| one["number"].as_u64().expect("a number")).collect()
}

/// What an instance has told between two texts, as soon as it has.
pub fn told(product: &Product, instance: &str, before: &str, after: &str) -> String {
    let mut found = String::new();
    wait_for(before, || {
        let log = fs::read_to_string(product.log(instance)).unwrap_or_default();
        let part = log.split_once(before).and_then(|(_, rest)| rest.split_once(after));
        found = part.map(|(part, _)| part.to_owned()).unwrap_or_default();
        !found.is_empty()
    });
    found
}

pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        thread::sleep(Duration::from_millis(100));
    }
}
