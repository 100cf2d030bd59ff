//! A log with more customers than fit into memory is read in parts, and gives the same.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::pass::{Pass, PassOptions, observe_files};
use bellwether_backtest::replay::{ReplayOptions, Sink};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_tests::folding::default_rules;

use crate::support::Company;

#[test]
fn shares_of_the_customers_give_what_all_of_them_give() {
    let company = Company::new(200, 14, 6);
    let at_once = observe(&company, usize::MAX, false);
    assert_eq!(at_once.reads, 1);
    for (room, least_reads) in [(120, 3), (30, 9)] {
        let shared = observe(&company, room, false);
        assert!(shared.reads >= least_reads, "{} reads with room for {room}", shared.reads);
        assert_eq!((shared.log, shared.lines, shared.refused), (at_once.log, at_once.lines, at_once.refused));
        let [ours, theirs] = [&shared, &at_once].map(|pass| &pass.observed[0]);
        assert_eq!(ours.customers.len(), 200);
        assert!(ours.customers == theirs.customers && ours.left_out == theirs.left_out, "customers differ with room for {room}");
    }
    // Signals have one order, for which all states are needed at once.
    assert_eq!(observe(&company, 30, true).reads, 1);
}

fn observe(company: &Company, max_customers: usize, renders: bool) -> Pass {
    let inputs = ReplayOptions {
        inputs: vec![InputSpec::from(company.path("events.jsonl.zst").as_path())],
        decoder: Decoder::default(),
        rules: default_rules(),
        partitions: 4,
        ingest_clock: None,
        threads: NonZeroUsize::new(2).expect("it is not zero"),
    };
    let options = PassOptions {
        rule_sets: vec![default_rules()],
        hidden: Vec::new(),
        renders,
        features_every_ms: None,
        max_customers,
        until: None,
        stop: &AtomicBool::new(false),
    };
    observe_files(&inputs, &options, &mut Discard).expect("the pass ends well")
}

struct Discard;

impl Sink for Discard {
    fn append(&mut self, _rendered: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
