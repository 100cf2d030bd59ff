//! Those who mean no good, and those who are slow: tokens, bodies, paths, headers, hosts, secrets.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bellwether_tests::product::binary;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{ADMIN, HASHES, READ, Run, WRITE, event, get, with_tokens};

/// Sends bytes as they are, and reads until the other side closes.
pub fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    stream.write_all(bytes).expect("it is read");
    let mut answer = Vec::new();
    // A reset after an answer is an end, too.
    _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const GUARDED: [(&str, &str, &str); 10] = [
    ("GET", "/v1/customers", READ),
    ("GET", "/v1/customers/c-1", READ),
    ("GET", "/v1/customers/c-1/timeline", READ),
    ("GET", "/v1/signals", READ),
    ("GET", "/v1/kpis", READ),
    ("GET", "/v1/partitions", READ),
    ("POST", "/v1/events", WRITE),
    ("POST", "/v1/admin/pause", ADMIN),
    ("POST", "/v1/admin/resume", ADMIN),
    ("POST", "/v1/admin/log-level", ADMIN),
];

fn request(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n{more}\r\n")
}

#[test]
fn a_token_is_good_for_its_own_paths_only() {
    let run = Run::empty("");
    let upper = READ.to_uppercase();
    for (method, path, good) in GUARDED {
        let status = |more: &str| raw(&run.console, request(method, path, more).as_bytes())[9..12].to_owned();
        assert_eq!(status(""), "401", "{path}");
        for wrong in
            [READ, WRITE, ADMIN, "", "reader-4c1f7", "reader-4c1f7aa", &upper, HASHES[0]].into_iter().filter(|token| *token != good)
        {
            assert_eq!(status(&format!("authorization: Bearer {wrong}\r\n")), "401", "{path} with {wrong}");
        }
        assert_eq!(status(&format!("authorization: Basic {good}\r\n")), "401", "{path}");
        assert_eq!(status(&format!("authorization: Bearer {good}\r\nauthorization: Bearer {good}\r\n")), "401", "{path}");
        assert_eq!(status(&format!("authorization: Bearer\u{e9}{good}\r\n")), "401", "{path}");
        assert_ne!(status(&format!("authorization: bearer {good}\r\n")), "401", "{path}");
    }
    let answer = get(&format!("http://{}/v1/kpis", run.console), &[]);
    assert_eq!((answer.problem(401).as_str(), &answer.headers["www-authenticate"]), ("token-missing", &"Bearer".parse().expect("a value")));
}

#[test]
fn large_bodies_and_addresses_are_refused() {
    let run = Run::empty("  max_body: 4KiB\n");
    let answer = run.post("/v1/events", Some(WRITE), "application/json", &vec![b' '; 5_000]);
    assert_eq!(answer.problem(413), "too-large");
    let chunked = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {WRITE}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\
         connection: close\r\n\r\n2000\r\n{}\r\n0\r\n\r\n",
        " ".repeat(0x2000)
    );
    assert!(raw(&run.console, chunked.as_bytes()).starts_with("HTTP/1.1 413"));
    assert_eq!(run.read(&format!("/v1/customers/{}", "x".repeat(5_000))).problem(414), "uri-too-long");
    let headers = "a: b\r\n".repeat(200);
    assert!(raw(&run.console, request("GET", "/v1/kpis", &headers).as_bytes()).starts_with("HTTP/1.1 431"));
    let long = format!("a: {}\r\n", "b".repeat(100_000));
    assert!(raw(&run.console, request("GET", "/v1/kpis", &long).as_bytes()).starts_with("HTTP/1.1 431"));
    assert_eq!(run.read("/v1/partitions").status, 200, "others are still served");
}

#[test]
fn slow_clients_are_cut_off_and_do_not_keep_others_from_being_served() {
    let run = Run::empty("  request_timeout: 2s\n  max_connections: 20\n");
    let started = Instant::now();
    let mut slow: Vec<TcpStream> = (0..19)
        .map(|_| {
            let mut stream = TcpStream::connect(&run.console).expect("somebody listens");
            stream.write_all(b"GET /v1/kpis HTTP/1.1\r\nhost: x\r\na").expect("it is read");
            stream
        })
        .collect();
    assert_eq!(run.read("/v1/partitions").status, 200, "there is room beside them");
    for stream in &mut slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut rest = Vec::new();
        // What is cut off comes to an end, be it by a reset; a read that is still waiting is none.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
        }
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(started.elapsed() < Duration::from_secs(40), "they were cut off after {:?}", started.elapsed());
    let half = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {WRITE}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let answer = raw(&run.console, half.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("problem:timeout"), "{answer}");
}

#[test]
fn paths_lead_nowhere_else() {
    let run = Run::empty("");
    let bearer = format!("authorization: Bearer {READ}\r\n");
    for path in [
        "/../etc/passwd",
        "/v1/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/console.js/../../Cargo.toml",
        "//etc/passwd",
        "/v1/customers/..%2f..%2fstate",
        "/v1/customers/%00",
        "/v1/customers/%ff",
        "/v1/customers/",
        "/v1/events/",
    ] {
        let answer = raw(&run.console, request("GET", path, &bearer).as_bytes());
        let status = &answer[9..12];
        assert!(matches!(status, "404" | "400"), "{path}: {answer}");
        assert!(answer.contains("application/problem+json") && !answer.contains("root:"), "{path}: {answer}");
    }
    assert_eq!(run.read("/v1/events").problem(405), "method");
    assert!(raw(&run.console, b"GET  / HTTP/9\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn nothing_of_a_request_becomes_a_header() {
    let run = Run::empty("");
    let path = "/v1/customers/x%0d%0aset-cookie:%20a=b%0d%0a%0d%0a?grade=x%0d%0ax-made-up:1";
    let answer = raw(&run.console, request("GET", path, &format!("authorization: Bearer {READ}\r\n")).as_bytes());
    let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(!head.contains("set-cookie") && !head.contains("x-made-up"), "{head}");
    for header in [
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
        "x-frame-options: DENY",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
}

#[test]
fn without_tokens_this_machine_alone_is_served() {
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let run = Run::start(directory, "  take_events: false\n", &[]);
    let host =
        |host: &str| raw(&run.console, format!("GET /v1/partitions HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes());
    for good in ["localhost", "127.0.0.1:9465", "[::1]:1"] {
        assert!(host(good).starts_with("HTTP/1.1 200"), "{good}");
    }
    for bad in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", ""] {
        assert!(host(bad).starts_with("HTTP/1.1 421"), "{bad}: {}", host(bad));
    }
    assert_eq!(run.post("/v1/events", None, "application/json", b"{}").problem(501), "no-intake");
    assert_eq!(run.post("/v1/admin/pause", None, "application/json", b"").problem(401), "token-missing");
    assert_eq!(run.post("/v1/admin/pause", Some(""), "application/json", b"").problem(401), "token-missing");
}

#[test]
fn an_address_that_others_reach_needs_tokens() {
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let file = directory.path().join("bellwether.yaml");
    let check = |section: &str, command: &str| {
        std::fs::write(&file, format!("console:\n{section}")).expect("it can be written");
        let output = binary().args(["config", command]).arg(&file).output().expect("the binary starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, told) = check("  address: 0.0.0.0:9465\n", "check");
    assert!(code == Some(2) && told.contains("read_tokens_sha256 and write_tokens_sha256"), "{told}");
    let (code, told) = check(&format!("  address: 0.0.0.0:9465\n{}", with_tokens()), "check");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = check("  adress: 127.0.0.1:1\n  max_body: 1GiB\n  customer_url_template: javascript:alert(1)\n", "check");
    assert!(code == Some(2) && told.contains("address") && told.contains("16MiB") && told.contains("https://"), "{told}");
    let (code, told) = check("  read_tokens_sha256: [plain-secret-token]\n", "check");
    assert!(code == Some(2) && !told.contains("plain-secret-token"), "{told}");
    let (code, told) = check(&with_tokens(), "print");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("***") && HASHES.iter().all(|hash| !told.contains(hash)), "{told}");
}

#[test]
fn the_log_has_neither_tokens_nor_hashes_however_much_is_logged() {
    let mut run = Run::empty("");
    run.read("/v1/partitions");
    run.send(&[event("c-1", 1, "login", 1, json!({}))]);
    run.post("/v1/admin/log-level", Some(ADMIN), "application/json", b"{\"directives\":\"trace\"}");
    run.post("/v1/admin/pause", Some("wrong-token-5512"), "application/json", b"");
    let log = run.stop();
    assert!(log.contains("somebody has set what is logged"), "the log was on: {log}");
    for secret in [READ, WRITE, ADMIN, "wrong-token-5512"].iter().chain(&HASHES) {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
