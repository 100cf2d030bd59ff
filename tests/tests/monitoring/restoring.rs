//! The alert about a restore that does not come to an end: the file system of the snapshots does not answer.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;

use crate::beside_kafka::{company_of_today, start};
use crate::dashboards::targets;
use crate::driven::{hasty_rules, wait_for_alert, wait_for_silence};
use crate::prometheus::{Prometheus, free_address};

const JOB: &str = "bellwether-restoring";

/// Takes a lease on each file: who opens one waits until it is given back, or until the kernel has had enough of it, which is after 45 seconds.
const TAKE_LEASES: &str = r#"
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
for path in sys.argv[1:]:
    fcntl.fcntl(os.open(path, os.O_RDWR), fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("taken", flush=True)
signal.pause()
"#;

/// Files that nobody can open while this is there, as on a server of files that does not answer.
struct Leases(Child);

impl Leases {
    fn take(files: &[PathBuf]) -> Self {
        let mut command = Command::new("python3");
        let mut child = command.args(["-c", TAKE_LEASES]).args(files).stdout(Stdio::piped()).spawn().expect("Python starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it has an output")).read_line(&mut line).expect("it tells when it is done");
        assert_eq!(line, "taken\n");
        Self(child)
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// All files in a directory and those below it.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("it is there").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn a_restore_that_does_not_end_fires_its_alert() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut product = Product::new(Broker::shared().bootstrap(), "restoring", 1);
    let snapshots = product.directory.path().join("snapshots");
    product.more_settings = format!("  snapshots: {{ to: {}, every: 1s, keep: 3 }}\n", snapshots.display());
    product.create();
    let events = company_of_today(71, 30, 100);
    product.produce(&events);
    let address = free_address();
    let instance = start(&product, "one", "all", &address);
    let prometheus = Prometheus::of_jobs(&[(JOB, &address)], &hasty_rules(directory.path()));
    prometheus.wait_for(&format!("sum(bellwether_events_total{{job=\"{JOB}\"}})"), |found| found == [events.len() as f64]);
    let happened = |what: &str| format!("sum(bellwether_state_events_total{{job=\"{JOB}\", event=\"{what}\"}})");
    prometheus.wait_for(&happened("snapshot_taken"), |found| found.iter().sum::<f64>() >= 3.0);
    wait_for_silence(&prometheus, JOB, "BellwetherRestoreStuck");
    assert_eq!(instance.stop(), Some(0));

    // Its disk is lost, and so is, for a while, where its snapshots are.
    fs::remove_dir_all(product.data("one")).expect("it was there");
    let mut tables = files_below(&snapshots);
    tables.retain(|path| path.extension().is_some_and(|extension| extension == "sst"));
    let leases = Leases::take(&tables);
    let instance = start(&product, "one", "all", &address);
    // What there is to fetch is known, and nothing of it comes.
    let told = |what: &str| format!("bellwether_restore_{what}_bytes{{job=\"{JOB}\", partition=\"0\"}}");
    prometheus.wait_for(&told("snapshot"), |found| found.len() == 1 && found[0] > 1_000.0);
    prometheus.wait_for(&told("fetched"), |found| found == [0.0]);
    let panel = targets().into_iter().find(|target| target.panel == "Restores: share that is fetched").expect("there is a panel");
    prometheus.wait_for(&panel.of(JOB, "EUR"), |found| found == [0.0]);
    wait_for_alert(&prometheus, JOB, "BellwetherRestoreStuck");
    assert_eq!(prometheus.query(&happened("restored")).map(|values| values.iter().sum::<f64>()), Ok(0.0), "it is not restored yet");
    drop(leases);
    prometheus.wait_for(&happened("restored"), |found| found == [1.0]);
    prometheus.wait_for(&format!("{} or {}", told("snapshot"), told("fetched")), <[f64]>::is_empty);
    wait_for_silence(&prometheus, JOB, "BellwetherRestoreStuck");
    assert_eq!(instance.stop(), Some(0));
}
