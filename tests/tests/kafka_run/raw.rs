//! What a company's systems send: its events up to now, some of them twice, and records that are none.

use bellwether_codec::event::encode_event;
use bellwether_engine::event::Event;
use bellwether_engine::time::DAY_MS;
use bellwether_tests::company::{Random, company};
use bellwether_tests::feed::Raw;

/// Days that the events are spread over.
const DAYS: u64 = 60;

/// Events of one customer, about.
const EVENTS_OF_A_CUSTOMER: usize = 70;

/// Of so many events one is sent twice; of so many, a bad record follows.
const TWICE_ONE_IN: u64 = 100;
const BAD_ONE_IN: u64 = 150;

/// Raw records in the order of their time, and what has to become of them.
pub struct Inputs {
    pub records: Vec<Raw>,
    /// Ids of the events, sorted, each as often as it comes.
    pub ids: Vec<String>,
    /// Values of the bad records, sorted.
    pub bad: Vec<Vec<u8>>,
}

/// About so many records of a seeded company. Its last event is of now: inputs that are read to their end are of now too.
pub fn inputs(seed: u64, count: usize) -> Inputs {
    let mut random = Random(seed ^ 2);
    let events = company(seed, (count / EVENTS_OF_A_CUSTOMER + 1) as u64, DAYS);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let latest = events.last().expect("there are events").time;
    let shift_ms = i64::try_from(now.as_millis()).expect("it is long before the end of time") - latest.0;
    let mut inputs = Inputs { records: Vec::with_capacity(count), ids: Vec::with_capacity(count), bad: Vec::new() };
    for mut event in events.into_iter().take(count) {
        event.time = event.time.plus_ms(shift_ms);
        let times = if random.one_in(TWICE_ONE_IN) { 2 } else { 1 };
        for _ in 0..times {
            inputs.records.push(raw(&event));
            inputs.ids.push(event.id.to_string());
        }
        if random.one_in(BAD_ONE_IN) {
            let value = bad(&mut random, &mut event, inputs.bad.len());
            inputs.records.push(Raw { value: value.clone(), timestamp_ms: raw(&event).timestamp_ms });
            inputs.bad.push(value);
        }
    }
    inputs.ids.sort_unstable();
    inputs.bad.sort_unstable();
    inputs
}

fn raw(event: &Event<'_>) -> Raw {
    let mut value = Vec::new();
    encode_event(event, &mut value);
    Raw { value, timestamp_ms: event.time.0 }
}

/// A record that is refused, different from all others.
fn bad(random: &mut Random, event: &mut Event<'_>, number: usize) -> Vec<u8> {
    match random.below(3) {
        0 => format!("no JSON {number}").into_bytes(),
        1 => format!("{{\"id\":\"{number}\",\"source\":\"/test\",\"type\":\"login\"}}").into_bytes(),
        _ => {
            let (id, time) = (event.id.clone(), event.time);
            event.id = format!("future-{number}").into();
            event.time = time.plus_ms(2 * DAY_MS);
            let value = raw(event).value;
            (event.id, event.time) = (id, time);
            value
        }
    }
}
