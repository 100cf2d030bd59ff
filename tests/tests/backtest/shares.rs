//! A log with more customers than fit into memory is read in parts, and gives the same.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bellwether_backtest::journal::{Journal, Visit};
use bellwether_backtest::pass::{Pass, PassOptions, observe_files, observe_journal};
use bellwether_backtest::replay::{ReplayOptions, Sink};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_tests::folding::default_rules;
use bellwether_tests::journal_of_run::JournalOfRun;
use bellwether_tests::product::{binary, succeeded};
use serde_json::json;

use crate::support::Company;

#[test]
fn shares_of_the_customers_give_what_all_of_them_give() {
    let company = Company::new(200, 14, 6);
    let at_once = observe(&company, usize::MAX, false);
    assert_eq!(at_once.reads, 1);
    for (room, least_reads) in [(120, 3), (30, 9)] {
        let shared = observe(&company, room, false);
        assert!(shared.reads >= least_reads, "{} reads with room for {room}", shared.reads);
        assert_eq!(shared.observed[0].customers.len(), 200);
        assert_same(&shared, &at_once);
    }
    // Signals have one order, for which all states are needed at once.
    assert_eq!(observe(&company, 30, true).reads, 1);
}

#[test]
fn shares_of_a_journal_give_what_all_of_its_customers_give() {
    let company = Company::new(200, 14, 6);
    let erased = &observe(&company, usize::MAX, false).observed[0].customers[17].id.clone();
    let time = "2025-03-01T00:00:00Z";
    let erasure =
        json!({ "specversion": "1.0", "id": "e-1", "source": "/crm", "type": "customer.erased", "subject": erased, "time": time });
    fs::write(company.path("erasure.jsonl"), format!("{erasure}\n")).expect("written");
    let mut run = binary();
    run.args(["run", "--once", "--metrics", "off", "--partitions", "3", "--data"]).arg(company.path("data"));
    for events in ["events.jsonl.zst", "erasure.jsonl"] {
        run.arg("--events").arg(company.path(events));
    }
    succeeded(&run.arg("--signals").arg(company.path("signals.jsonl")).output().expect("the binary starts"));

    let journal = JournalOfRun::open(&company.path("data"));
    let of_journal = |max_customers, renders| {
        observe_journal(&journal, &Decoder::default(), &options(max_customers, renders, &AtomicBool::new(false)), &mut Discard)
            .expect("the pass ends well")
    };
    let at_once = of_journal(usize::MAX, false);
    assert_eq!((at_once.reads, at_once.observed[0].customers.len()), (1, 199));
    assert!(at_once.observed[0].customers.iter().all(|customer| customer.id != *erased));
    for (room, least_reads) in [(40, 3), (12, 9)] {
        let shared = of_journal(room, false);
        assert!(shared.reads >= least_reads, "{} reads with room for {room}", shared.reads);
        assert_same(&shared, &at_once);
    }
    assert_eq!(of_journal(30, true).reads, 1);

    // Who stops it gets what the shares before have given, whole.
    let stopped_at = |reads, max_customers| {
        let stop = AtomicBool::new(false);
        let first = FirstPartition { journal: &journal, reads_left: AtomicU32::new(reads), stop: &stop };
        let pass = observe_journal(&first, &Decoder::default(), &options(max_customers, false, &stop), &mut Discard);
        pass.expect("the pass ends well")
    };
    let (whole, part) = (stopped_at(u32::MAX, usize::MAX), stopped_at(6, 30));
    assert!(!whole.log.is_partial && part.log.is_partial);
    let [whole, part] = [&whole, &part].map(|pass| &pass.observed[0].customers);
    assert!(!part.is_empty() && part.len() < whole.len(), "{} of {}", part.len(), whole.len());
    assert!(part.iter().all(|customer| whole.contains(customer)));
}

/// The first partition of a journal, which asks to stop when it has been read so often.
struct FirstPartition<'j> {
    journal: &'j JournalOfRun,
    reads_left: AtomicU32,
    stop: &'j AtomicBool,
}

impl Journal for FirstPartition<'_> {
    fn partitions(&self) -> u16 {
        1
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        if self.reads_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.journal.read(partition, visit)
    }
}

fn assert_same(shared: &Pass, at_once: &Pass) {
    assert_eq!((shared.log, shared.lines, shared.refused), (at_once.log, at_once.lines, at_once.refused));
    let [ours, theirs] = [shared, at_once].map(|pass| &pass.observed[0]);
    assert!(ours.customers == theirs.customers && ours.left_out == theirs.left_out, "customers differ after {} reads", shared.reads);
}

fn options(max_customers: usize, renders: bool, stop: &AtomicBool) -> PassOptions<'_> {
    PassOptions { rule_sets: vec![default_rules()], hidden: Vec::new(), renders, features_every_ms: None, max_customers, until: None, stop }
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
    observe_files(&inputs, &options(max_customers, renders, &AtomicBool::new(false)), &mut Discard).expect("the pass ends well")
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
