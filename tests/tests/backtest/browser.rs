//! The HTML of a report in headless Chromium: it shows its charts, complains about nothing, and asks nobody for anything.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::Company;

/// Names under which Chromium is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

#[test]
fn a_browser_shows_the_report_and_has_nothing_to_complain_about() {
    let company = Company::new(300, 18, 5);
    company.backtest();
    let html = fs::read_to_string(company.path("report.html")).expect("it is there");
    assert!(!html.contains("<script") && !html.contains("@import") && !html.contains("src="), "there is nothing to load");
    let (dom, complaints) = open(&company.path("report.html"));
    assert_eq!(complaints, Vec::<String>::new());
    assert_eq!(dom.matches("<svg").count(), html.matches("<svg").count());
    assert!(dom.matches("<svg").count() >= 5 + 10, "charts and stories");
    for text in ["Lead times", "Precision and recall of health", "Worst misses", "Worst false alarms", "usage-decline"] {
        assert!(dom.contains(text), "{text}");
    }
}

#[test]
fn a_request_would_be_told() {
    let company = Company::new(300, 18, 5);
    company.backtest();
    let html = fs::read_to_string(company.path("report.html")).expect("it is there");
    let path = company.path("loading.html");
    fs::write(&path, html.replace("<main>", "<main><img src=\"http://127.0.0.1:9/a.png\">")).expect("it can be written");
    let (_, complaints) = open(&path);
    assert!(complaints.iter().any(|complaint| complaint.contains("Content Security Policy")), "{complaints:?}");
}

/// The document as the browser has it after loading, and what it wrote to its console.
fn open(path: &Path) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().expect("a temporary directory");
    let browser = BROWSERS.iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let mut command = Command::new(browser.expect("`make setup` installs Chromium"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", path.display()));
    let output = command.output().expect("the browser starts");
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    let complaints = told.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
}
