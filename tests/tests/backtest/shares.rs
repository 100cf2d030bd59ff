//! A log with more customers than fit into memory is read in parts, and gives the same.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bellwether_backtest::error::ReplayError;
use bellwether_backtest::journal::{Journal, Visit};
use bellwether_backtest::pass::{Pass, PassOptions, observe_files, observe_journal};
use bellwether_backtest::replay::{ReplayOptions, Sink};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_engine::time::Time;
use bellwether_tests::folding::default_rules;
use bellwether_tests::journal_of_run::JournalOfRun;
use bellwether_tests::product::{binary, succeeded};
use serde_json::json;

use crate::support::Company;

/// Parts of a spilled log.
const PARTS: u64 = 256;

#[test]
fn a_spilled_log_gives_what_all_of_its_customers_give() {
    let company = Company::new(200, 14, 6);
    let at_once = observe(&company, usize::MAX, false);
    assert_eq!((at_once.reads, at_once.spilled_bytes), (1, 0));
    let erased = &at_once.observed[0].customers[17].id;
    let time = "2025-03-01T00:00:00Z";
    let last = ["{}".to_owned(), erasure(erased, time), erasure("straggler", time)].join("\n");
    fs::write(company.path("more.jsonl"), last).expect("written");
    let middle = Some(Time((at_once.log.start.0 + at_once.log.end.0) / 2));
    for until in [None, middle] {
        let stop = AtomicBool::new(false);
        let all = |max_customers| observe_with(&company, &PassOptions { until, ..options(max_customers, false, &stop) }, &mut Discard);
        let at_once = all(usize::MAX).expect("the pass ends well");
        assert_eq!(at_once.refused, 1);
        // Of the parts, the one with the fewest customers has none, and that with the most has more than there is room for.
        for room in [120, 30, 2] {
            let spilled = all(room).expect("the pass ends well");
            assert!(spilled.spilled_bytes > 10_000, "{} bytes", spilled.spilled_bytes);
            assert_eq!(spilled.reads > 1, room == 2, "{} reads with room for {room}", spilled.reads);
            assert_same(&spilled, &at_once);
        }
    }
    // Signals have one order, for which all states are needed at once.
    assert_eq!(observe(&company, 30, true).spilled_bytes, 0);
}

#[test]
fn who_stops_while_a_log_is_spilled_or_folded_gets_some_of_its_customers() {
    let company = Company::new(200, 14, 6);
    let whole = observe(&company, usize::MAX, false);
    let mut sizes = Vec::new();
    for stop_at in [Step::Spilling(whole.lines / 2), Step::Folding(20), Step::Folding(200)] {
        let stop = AtomicBool::new(false);
        let mut sink = Stopper { stop_at, stop: &stop };
        let pass = observe_with(&company, &options(30, false, &stop), &mut sink).expect("the pass ends well");
        assert!(pass.log.is_partial && stop.into_inner(), "{stop_at:?}");
        sizes.push(pass.observed[0].customers.len());
    }
    assert!(sizes[0] < 10 && sizes[0] < sizes[1] && sizes[1] < sizes[2] && sizes[2] < whole.observed[0].customers.len(), "{sizes:?}");
}

#[test]
fn a_log_that_cannot_be_spilled_says_where_and_what_to_do() {
    let company = Company::new(60, 2, 6);
    let stop = AtomicBool::new(false);
    let nowhere = company.path("nowhere");
    let error =
        observe_with(&company, &PassOptions { scratch: &nowhere, ..options(10, false, &stop) }, &mut Discard).expect_err("it fails");
    let told = error.to_string();
    assert!(told.contains(&nowhere.display().to_string()) && told.contains("--scratch") && told.contains("--memory"), "{told}");
}

#[test]
fn a_command_tells_of_the_detour_and_of_a_disk_that_fills_on_it() {
    // There is room for 2,621 states.
    let company = Company::new(3_000, 1, 5);
    let (events, disk) = (company.path("events.jsonl.zst"), company.path("small"));
    fs::create_dir(&disk).expect("it can be made");
    let backtest = |mut command: Command| {
        let output = command.args(["backtest", "--memory", "64MiB", "--events"]).arg(&events).arg("--scratch").arg(&disk).output();
        output.map(|output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())).expect("it starts")
    };
    let (code, told) = backtest(binary());
    assert_eq!((code, told.contains("the log was spilled to ")), (Some(0), true), "{told}");
    assert_eq!(fs::read_dir(&disk).expect("it is there").count(), 0, "nothing is left");

    let mut on_small_disk = Command::new("unshare");
    on_small_disk.args(["--map-root-user", "--mount", "sh", "-c", r#"mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@""#]);
    on_small_disk.arg(&disk).arg(binary().get_program());
    let (code, told) = backtest(on_small_disk);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains(&format!("cannot be spilled to {}: No space left", disk.display())), "{told}");
}

fn erasure(customer: &str, time: &str) -> String {
    json!({ "specversion": "1.0", "id": format!("e-{customer}"), "source": "/crm", "type": "customer.erased", "subject": customer, "time": time })
        .to_string()
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// After so many lines: more than those after which there is no room for all customers.
    Spilling(u64),
    /// After so many parts.
    Folding(u64),
}

/// Whoever follows the progress, and stops it.
struct Stopper<'s> {
    stop_at: Step,
    stop: &'s AtomicBool,
}

impl Sink for Stopper<'_> {
    fn append(&mut self, _rendered: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// What is folded has as many steps as there are parts; what is read, as there are bytes.
    fn progress(&mut self, done: u64, all: u64, lines: u64) {
        let is_folded = all == PARTS;
        let is_due = match self.stop_at {
            Step::Spilling(after) => !is_folded && lines > after,
            Step::Folding(parts) => is_folded && done >= parts,
        };
        if is_due {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn shares_of_a_journal_give_what_all_of_its_customers_give() {
    let company = Company::new(200, 14, 6);
    let erased = &observe(&company, usize::MAX, false).observed[0].customers[17].id.clone();
    fs::write(company.path("erasure.jsonl"), erasure(erased, "2025-03-01T00:00:00Z")).expect("written");
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
    PassOptions {
        rule_sets: vec![default_rules()],
        hidden: Vec::new(),
        renders,
        features_every_ms: None,
        max_customers,
        scratch: Path::new("/tmp"),
        until: None,
        stop,
    }
}

fn observe(company: &Company, max_customers: usize, renders: bool) -> Pass {
    observe_with(company, &options(max_customers, renders, &AtomicBool::new(false)), &mut Discard).expect("the pass ends well")
}

fn observe_with(company: &Company, options: &PassOptions<'_>, sink: &mut impl Sink) -> Result<Pass, ReplayError> {
    let files = ["events.jsonl.zst", "more.jsonl"].map(|name| company.path(name));
    let inputs = ReplayOptions {
        inputs: files.iter().filter(|path| path.exists()).map(|path| InputSpec::from(path.as_path())).collect(),
        decoder: Decoder::default(),
        rules: default_rules(),
        partitions: 4,
        ingest_clock: None,
        threads: NonZeroUsize::new(2).expect("it is not zero"),
    };
    observe_files(&inputs, options, sink)
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
