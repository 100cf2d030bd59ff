//! The page in headless Chromium: a person types the token, reads the signals, opens a customer, with nothing but the keyboard.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
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
    let pictures = std::env::var_os("PICTURES").map_or_else(|| run.path("pictures"), PathBuf::from);
    use_page("page.py", &run.console, pictures.as_os_str());
}

/// Has a script use the page at an address, with the token for reading.
pub fn use_page(script: &str, address: &str, argument: &OsStr) {
    let browser =
        BROWSERS.iter().find(|name| Command::new(name).arg("--version").output().is_ok()).expect("`make setup` installs Chromium");
    let mut command = Command::new(python(&["websocket-client==1.9.2"]));
    // Nothing is left beside the script.
    command.arg("-B").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console").join(script));
    command.arg(browser).arg(format!("http://{address}/")).arg(READ).arg(argument);
    succeeded(&command.output().expect("Python starts"));
}
