//! What a state takes in memory, beside what it is counted for: nothing else in this process takes memory meanwhile.

use std::fs;

use bellwether_codec::state::{decode_customer, encode_customer};
use bellwether_engine::event::Event;
use bellwether_engine::time::Time;
use bellwether_live::options::decoded_bytes;
use bellwether_tests::company::company;
use bellwether_tests::folding::{Cuts, default_rules, fold};

/// How often each state is decoded, so that it is pages that are measured.
const COPIES: usize = 400;

/// Memory of this process that is resident, bytes.
fn resident_bytes() -> i64 {
    let statistics = fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = statistics.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
    line.trim().trim_end_matches("kB").trim().parse::<i64>().expect("a number") * 1024
}

/// The encoded states of a company's customers.
fn states(events: &[Event<'_>], until: Time) -> Vec<Vec<u8>> {
    let (partitions, _) = fold(events, &default_rules(), 1, until, Cuts::None);
    let encoded = partitions[0].customers().map(|customer| {
        let mut bytes = Vec::new();
        encode_customer(customer, &mut bytes).expect("it can be encoded");
        bytes
    });
    encoded.collect()
}

#[test]
fn a_decoded_state_takes_no_more_than_it_is_counted_for() {
    let log = company(42, 30, 200);
    // What is there at first costs less for each encoded byte than what grew.
    for share in [50, 4] {
        let events = &log[..log.len() / share];
        let states = states(events, events.last().expect("there are events").time);
        let encoded: usize = states.iter().map(Vec::len).sum();
        let counted: i64 = states.iter().map(|bytes| i64::from(decoded_bytes(bytes.len()))).sum();
        let before = resident_bytes();
        let decoded: Vec<_> =
            (0..COPIES).flat_map(|_| states.iter().map(|bytes| Box::new(decode_customer(bytes).expect("it was encoded")))).collect();
        let taken = (resident_bytes() - before) / COPIES as i64;
        let each = |bytes: i64| bytes / states.len() as i64;
        println!("{} bytes encoded, {} in memory, {} counted", encoded / states.len(), each(taken), each(counted));
        assert_eq!(decoded.len(), COPIES * states.len());
        assert!(taken * 10 <= counted * 11, "{} bytes are taken, {} counted", each(taken), each(counted));
        assert!(taken * 2 >= counted, "{} bytes are taken, {} counted", each(taken), each(counted));
    }
}
