//! History is imported once, whatever kills the import, and decides as the files themselves do.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use bellwether_codec::event::encode_event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::{Random, company};
use bellwether_tests::product::{Product, succeeded};

use crate::support::{Ends, any_command, command, start, told};

const PARTITIONS: u16 = 3;
/// Lines of an epoch, which is a transaction.
const EPOCH: usize = 16_384;

/// The events of a company as two files, dealt out, with a broken line at the end of one. Returns how many events there are.
fn history(product: &Product, customers: u64, days: u64) -> (usize, [PathBuf; 2]) {
    let mut texts = [Vec::new(), Vec::new()];
    let events = company(5, customers, days);
    for (index, event) in events.iter().enumerate() {
        let text = &mut texts[usize::from(index % 3 == 0)];
        encode_event(event, text);
        text.push(b'\n');
    }
    texts[1].extend_from_slice(b"{broken\n");
    let paths = ["a.jsonl", "b.jsonl"].map(|name| product.directory.path().join(name));
    for (path, text) in paths.iter().zip(&texts) {
        fs::write(path, text).expect("the history can be written");
    }
    (events.len(), paths)
}

fn arguments(paths: &[PathBuf; 2]) -> [&str; 5] {
    let [a, b] = paths.each_ref().map(|path| path.to_str().expect("it is UTF-8"));
    ["journal", "import", "--events", a, b]
}

/// What a replay says, sorted.
fn replayed(product: &Product, of: &[&str], name: &str) -> Vec<String> {
    let file = product.directory.path().join(name);
    let signals = file.to_str().expect("it is UTF-8");
    succeeded(&product.bellwether(&[&["replay"], of, &["--signals", signals]].concat(), &[]));
    let mut lines: Vec<String> = fs::read_to_string(&file).expect("it is written").lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// The report of a backtest, less what was refused: that is no part of a journal.
fn backtested(product: &Product, of: &[&str], name: &str) -> serde_json::Value {
    let file = product.directory.path().join(name);
    let json = file.to_str().expect("it is UTF-8");
    succeeded(&product.bellwether(&[&["backtest"], of, &["--json", json]].concat(), &[]));
    let text = fs::read_to_string(&file).expect("it is written");
    let mut report: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    report["log"]["refused"].take();
    report
}

/// Values in the journal that are events.
fn journaled(product: &Product) -> usize {
    let is_event = |record: &bellwether_kafka::Received<'_>| record.headers().all(|(name, _)| name != "control");
    product.read("journal", PARTITIONS, is_event).into_iter().filter(|is_event| *is_event).count()
}

fn dead_letters(product: &Product) -> String {
    fs::read_to_string(product.data("setup").join("import-dead-letters.jsonl")).expect("the dead letters are written")
}

#[test]
fn an_import_that_is_killed_goes_on_and_decides_as_the_files_do() {
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "import", PARTITIONS);
    product.create();
    let (events, paths) = history(&product, 1_200, 100);
    assert!(events > 8 * EPOCH, "{events} events make several transactions");
    let [a, b] = paths.each_ref().map(|path| path.to_str().expect("it is UTF-8"));
    let seed = 29;
    let mut random = Random(seed);
    let mut ends = Ends::new(&product, "journal", PARTITIONS);
    let mut killed = 0;
    while killed < 3 {
        let mut import = start(&product, &arguments(&paths));
        let before = ends.sum();
        while ends.sum() == before && import.try_wait().is_ok_and(|ended| ended.is_none()) {
            sleep(Duration::from_millis(10));
        }
        sleep(Duration::from_millis(random.below(200)));
        import.kill().expect("it can be killed");
        assert!(!import.wait().expect("it has ended").success(), "seed {seed}: it was over before it was killed {killed} times");
        killed += 1;
    }
    let imported = journaled(&product);
    assert!(0 < imported && imported < events, "seed {seed}: {imported} of {events} when it was killed");
    let finished = command(&product, &arguments(&paths));
    assert!(
        told(&finished).contains(&format!("{events} events journaled").replacen(&events.to_string(), &grouped(events), 1)),
        "{}",
        told(&finished)
    );
    assert_eq!(journaled(&product), events, "seed {seed}");
    assert_eq!(dead_letters(&product).lines().count(), 1, "{}", dead_letters(&product));
    assert!(dead_letters(&product).contains("invalid_json"));
    assert!(told(&command(&product, &arguments(&paths))).contains("events journaled"), "once more, and nothing happens");
    assert_eq!(journaled(&product), events);

    let journal = format!("kafka://{}/{}", broker.bootstrap(), product.topic("journal"));
    let from_journal = replayed(&product, &["--journal", &journal], "journal-signals.jsonl");
    let from_files = replayed(&product, &["--events", a, b], "file-signals.jsonl");
    assert!(from_files.len() > 100 && from_journal == from_files, "{} and {} signals", from_journal.len(), from_files.len());

    let from_journal = backtested(&product, &["--journal", &journal], "journal-report.json");
    let from_files = backtested(&product, &["--events", a, b], "file-report.json");
    assert!(from_files["log"]["events"] == events && from_journal == from_files, "{from_journal:#}\nand\n{from_files:#}");

    // The live product takes the history up, and ends where the replay does.
    let mut running = product.start("live", "process", 1);
    let expected = product.replayed();
    crate::support::wait_until(&product, "live", &mut running, "all is decided", || product.published().len() >= expected.len());
    assert_eq!(running.stop(), Some(0));
    assert!(product.published() == expected);
}

#[test]
fn what_is_not_this_import_is_refused_and_untouched() {
    let product = Product::new(Broker::shared().bootstrap(), "import-refused", PARTITIONS);
    product.create();
    let (events, paths) = history(&product, 5, 20);
    let only: &Path = &paths[0];
    let refused = any_command(&product, &["journal", "import", "--events", "-"]);
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    command(&product, &arguments(&paths));
    let refused = any_command(&product, &["journal", "import", "--events", only.to_str().expect("it is UTF-8")]);
    assert!(refused.status.code() == Some(2) && told(&refused).contains("began with other files"), "{}", told(&refused));
    fs::write(&paths[0], "another beginning\n").expect("it can be written");
    let refused = any_command(&product, &arguments(&paths));
    assert!(refused.status.code() == Some(2) && told(&refused).contains("its beginning differs"), "{}", told(&refused));
    assert_eq!(journaled(&product), events);

    // Time goes on in a journal at work, so history comes too late.
    let (_, paths) = history(&product, 5, 20);
    let mut running = product.start("live", "ingest", 1);
    let ticks =
        || product.read("journal", PARTITIONS, |record| record.header("control") == Some(b"tick")).into_iter().filter(|tick| *tick).count();
    let before = ticks();
    crate::support::wait_until(&product, "live", &mut running, "time goes on", || ticks() > before + 3);
    assert_eq!(running.stop(), Some(0));
    let refused = any_command(&product, &arguments(&paths));
    assert!(
        refused.status.code() == Some(2) && told(&refused).contains("has records that this import has not written"),
        "{}",
        told(&refused)
    );
    assert_eq!(journaled(&product), events);
}

/// A count as people read it.
fn grouped(number: usize) -> String {
    let text = number.to_string();
    let (head, tail) = text.split_at(text.len() - 3);
    format!("{head},{tail}")
}
