//! The page in headless Chromium: a person types the token, reads the signals, opens a customer, with nothing but the keyboard.

use std::process::Command;

use bellwether_tests::product::succeeded;
use bellwether_tests::python::python;

use crate::support::{READ, Run};

/// Names under which Chromium is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

#[test]
fn a_person_finds_what_is_worth_doing_and_why() {
    let run = Run::of_company("  customer_url_template: https://crm.example/{customer}\n");
    run.wait_for_files();
    run.wait_for("a signal", || run.read("/v1/signals").json()["signals"].get(0).cloned());
    let browser =
        BROWSERS.iter().find(|name| Command::new(name).arg("--version").output().is_ok()).expect("`make setup` installs Chromium");
    let pictures = std::env::var_os("PICTURES").map_or_else(|| run.path("pictures"), Into::into);
    let mut command = Command::new(python(&["websocket-client==1.9.2"]));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/page.py"));
    command.arg(browser).arg(format!("http://{}/", run.console)).arg(READ).arg(pictures);
    succeeded(&command.output().expect("Python starts"));
}
