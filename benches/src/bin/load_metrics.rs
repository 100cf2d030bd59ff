//! How long `GET /metrics` takes beside a million customers, and how large the answer is: `load_metrics [CUSTOMERS]...`. It fails when an answer at rest takes
//! longer than the limit, or when the numbers of series differ.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use bellwether_benches::scraping::{scrape, scrapes, series, size, spread};
use bellwether_tests::product::binary;

/// Requests that count, while events come and after.
const REQUESTS: usize = 200;

/// The longest that an answer may take while no events come.
const LIMIT: Duration = Duration::from_millis(50);

/// Customers of the two runs that are compared, when nothing else is said.
const CUSTOMERS: [u64; 2] = [1_000, 1_000_000];

/// Events of a customer: it comes, pays and logs in.
const EVENTS_EACH: u64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<u64> = std::env::args().skip(1).map(|count| count.parse()).collect::<Result<_, _>>()?;
    let mut series = BTreeMap::new();
    for customers in if asked.is_empty() { CUSTOMERS.to_vec() } else { asked } {
        series.insert(customers, measure(customers)?);
    }
    if series.values().collect::<BTreeSet<_>>().len() > 1 {
        return Err(format!("the number of series depends on that of customers: {series:?}").into());
    }
    Ok(())
}

/// Returns how many series there are.
fn measure(customers: u64) -> Result<usize, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let mut command = binary();
    command.args(["run", "--events", "-", "--metrics", "127.0.0.1:0", "--data"]).arg(directory.path().join("data"));
    let mut run = Killed(command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?);
    let mut errors = BufReader::new(run.0.stderr.take().ok_or("it has an output")?);
    let mut line = String::new();
    errors.read_line(&mut line)?;
    let address = line.trim().strip_prefix("metrics are at http://").and_then(|rest| rest.strip_suffix("/metrics"));
    let address = address.ok_or("it tells its address")?.to_owned();
    let input = run.0.stdin.take().ok_or("it has an input")?;
    let feeder = thread::spawn(move || feed(input, customers));
    let mut during = Vec::new();
    let all = format!("bellwether_events_total {}\n", customers * EVENTS_EACH);
    loop {
        let (took, answer) = scrape(&address)?;
        during.push(took);
        if answer.contains(&all) && answer.contains(&format!("bellwether_customers {customers}\n")) {
            break;
        }
        sleep(Duration::from_millis(50));
    }
    let _input = feeder.join().map_err(|_| "the events could not be written")??;
    let (after, answer) = scrapes(&address, REQUESTS)?;
    println!("GET /metrics, {customers} customers: {}", size(&answer));
    let longest = after.iter().max().copied().unwrap_or_default();
    println!("  at rest: {}; while events come: {} (limit {} ms)", spread(after), spread(during), LIMIT.as_millis());
    if longest > LIMIT {
        return Err(format!("beside {customers} customers an answer took {longest:?}, longer than {LIMIT:?}").into());
    }
    Ok(series(&answer))
}

/// Writes the events, and gives back the input, which stays open.
fn feed(input: std::process::ChildStdin, customers: u64) -> std::io::Result<std::process::ChildStdin> {
    let mut input = BufWriter::with_capacity(1 << 20, input);
    let kinds = [
        ("account.created", r#"{"segment":"smb"}"#),
        ("subscription.started", r#"{"subscription":"s","plan":"team","mrr_minor":1000,"currency":"EUR","seats":3}"#),
        ("login", r#"{"user":"u"}"#),
    ];
    for (hour, (kind, data)) in kinds.into_iter().enumerate() {
        for customer in 0..customers {
            let second = customer * 3_600 / customers;
            let (minute, second) = (second / 60, second % 60);
            writeln!(
                input,
                r#"{{"specversion":"1.0","id":"{hour}-{customer}","source":"/load","type":"{kind}","subject":"c-{customer}","time":"2025-05-01T{hour:02}:{minute:02}:{second:02}Z","data":{data}}}"#
            )?;
        }
    }
    input.into_inner().map_err(std::io::IntoInnerError::into_error)
}

/// A run that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}
