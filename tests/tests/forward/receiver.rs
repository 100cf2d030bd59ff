//! A receiver of webhooks: a real HTTP server that keeps what it is sent and answers as it is told.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The signing key of all routes that sign.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub at: Instant,
}

/// An answer: the status, Retry-After, and how long to think about it.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<&'static str>,
    pub think: Duration,
}

pub const OK: Answer = Answer { status: 200, retry_after: None, think: Duration::ZERO };

type Script = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// The server; it lives as long as the process.
pub struct Receiver {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// A server that answers each request by its number, from 0, and what it is.
    pub fn start(script: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("it can be set");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, script): (_, Arc<Script>) = (Arc::clone(&requests), Arc::new(script));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let handler = move |headers: HeaderMap, body: Bytes| respond(Arc::clone(&kept), Arc::clone(&script), headers, body);
                let routes = Router::new().fallback(handler);
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener is one");
                axum::serve(listener, routes).await.expect("it serves");
            });
        });
        Self { address, requests }
    }

    /// Where to post to.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What has come.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }
}

async fn respond(
    kept: Arc<Mutex<Vec<Request>>>,
    script: Arc<Script>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, &'static str) {
    let request = Request { headers, body: body.to_vec(), at: Instant::now() };
    let answer = {
        let mut kept = lock(&kept);
        kept.push(request.clone());
        script(kept.len() - 1, &request)
    };
    tokio::time::sleep(answer.think).await;
    let mut headers = HeaderMap::new();
    if let Some(wait) = answer.retry_after {
        headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from_static(wait));
    }
    (StatusCode::from_u16(answer.status).expect("it is a status"), headers, "the answer")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Request {
    /// A header as text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body is JSON")
    }

    /// Asserts that it is signed with the key, as Standard Webhooks has it.
    #[track_caller]
    pub fn assert_signed(&self) {
        let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("it is Base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signature = self.header("webhook-signature").strip_prefix("v1,").expect("its version is 1");
        let signature = STANDARD.decode(signature).expect("it is Base64");
        let signed = [format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes(), &self.body].concat();
        assert!(hmac::verify(&key, &signed, &signature).is_ok(), "the signature is not that of the message");
        let altered = [&signed[..], b" "].concat();
        assert!(hmac::verify(&key, &altered, &signature).is_err(), "a signature of anything");
    }
}
