//! How many bytes the states of customers take when they are stored: the median and the largest. These do not depend on the machine.

use std::error::Error;
use std::num::NonZeroUsize;

use bellwether_backtest::replay::{ReplayOptions, replay};
use bellwether_benches::observing::Discard;
use bellwether_benches::{rules, sample_log};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::state::encode_customer;
use bellwether_engine::partition::Partition;

/// The sample logs, each read to its end.
const SAMPLES: [&str; 2] = ["crm6.jsonl.zst", "socialnet7.jsonl.zst"];

/// The states at the end of each sample log that is there.
pub fn at_the_end_of_logs() -> Result<(), Box<dyn Error>> {
    for sample in SAMPLES {
        let log = sample_log(sample);
        if !log.exists() {
            println!("encoded states of {sample}: the log is not there");
            continue;
        }
        let options = ReplayOptions {
            inputs: vec![InputSpec::from(log.as_path())],
            decoder: Decoder::default(),
            rules: rules(),
            partitions: 4,
            ingest_clock: None,
            threads: NonZeroUsize::MIN,
        };
        let replayed = replay(&options, &mut Discard)?;
        println!("{sample}, {} events", replayed.summary.events);
        print_sizes(&replayed.partitions);
    }
    Ok(())
}

/// Prints the sizes of all states of some partitions.
pub fn print_sizes(partitions: &[Partition]) {
    let mut bytes = Vec::new();
    let customers = partitions.iter().flat_map(Partition::customers);
    let mut sizes: Vec<usize> = customers.filter_map(|customer| encode_customer(customer, &mut bytes).ok().map(|()| bytes.len())).collect();
    sizes.sort_unstable();
    if let (Some(middle), Some(largest)) = (sizes.get(sizes.len() / 2), sizes.last()) {
        println!("  encoded states of {} customers: median {middle} bytes, largest {largest} (limit: median 800)", sizes.len());
    }
}
