//! How many bytes the states at the end of a log take.

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;

use bellwether_backtest::replay::{ReplayOptions, Sink, replay};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::state::encode_customer;
use bellwether_engine::partition::Partition;

use crate::folding::default_rules;

/// The encoded size of each state at the end of a log under the default pack, ascending.
///
/// # Panics
///
/// When the log cannot be replayed, or has no customers.
#[must_use]
pub fn state_sizes(log: &Path) -> Vec<usize> {
    let options = ReplayOptions {
        inputs: vec![InputSpec::from(log)],
        decoder: Decoder::default(),
        rules: default_rules(),
        partitions: 4,
        ingest_clock: None,
        threads: NonZeroUsize::MIN,
    };
    let replayed = replay(&options, &mut Forget).expect("the log is replayed");
    let mut bytes = Vec::new();
    let size = |customer| {
        encode_customer(customer, &mut bytes).expect("within the cap");
        bytes.len()
    };
    let mut sizes: Vec<usize> = replayed.partitions.iter().flat_map(Partition::customers).map(size).collect();
    assert!(!sizes.is_empty(), "{} has customers", log.display());
    sizes.sort_unstable();
    sizes
}

/// Lets go of what is put out.
struct Forget;

impl Sink for Forget {
    fn append(&mut self, _rendered: &Rendered) -> io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
