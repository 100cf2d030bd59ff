//! The HTML of a report in headless Chromium: it shows its charts, complains about nothing, and asks nobody for anything.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::Company;

/// Names under which Chromium is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// In pixels.
const PHONE_WIDTH: u32 = 390;

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
    if let Some(pictures) = std::env::var_os("PICTURES") {
        let picture = Path::new(&pictures).join("report.png");
        run(&company.path("report.html"), &["--hide-scrollbars", "--window-size=1200,900", &format!("--screenshot={}", picture.display())]);
        assert!(picture.exists());
    }
}

#[test]
fn everything_that_a_report_may_have_is_drawn_and_printed() {
    let company = Company::new(300, 18, 5);
    fs::write(company.path("quiet.yaml"), "signals:\n  - { name: quiet, kind: at_risk, when: days_since_login >= 12, summary: quiet }\n")
        .expect("it can be written");
    let baseline = company.path("quiet.yaml").display().to_string();
    company.backtest_with(&["--baseline", &baseline, "--sweep", "no-login-30d.days=20..40:10"]);
    let (dom, complaints) = open(&company.path("report.html"));
    assert_eq!(complaints, Vec::<String>::new());
    let report = fs::read_to_string(company.path("report.json")).expect("it is there");
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    let log = &report["log"];
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    for fact in [text(&log["hash"]), text(&report["rules"]["hash"]), text(&log["from"])[..10].to_owned(), text(&log["to"])[..10].to_owned()]
    {
        assert!(dom.contains(&fact), "the header tells {fact}");
    }
    let [churns, eligible] = ["churns", "eligible_churns"].map(|name| log[name].as_u64().expect("a count"));
    for fact in [format!("{churns} ({eligible} past the warm-up)"), "90 days, at least 14 ahead".to_owned(), "300 (300 paid)".to_owned()] {
        assert!(dom.contains(&format!("<dd>{fact}</dd>")), "the header tells {fact}");
    }
    assert!(dom.contains("<h2>Sweep</h2>") && dom.contains(&format!("<h2>Against {baseline}</h2>")));
    assert!(
        dom.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"")
    );
    // Each figure has marks beside its axes; a chart without data has not.
    let figures: Vec<&str> = dom.split("<figure>").skip(1).filter_map(|rest| rest.split("</figure>").next()).collect();
    assert!(figures.len() >= 6, "{} figures", figures.len());
    for figure in figures {
        let marks = ["<rect", "<circle", "<polyline", "<path", "<polygon"].iter().map(|mark| figure.matches(mark).count()).sum::<usize>();
        let title = figure.split("</strong>").next().unwrap_or_default();
        assert!(marks > 5 && figure.matches("<text").count() > 5, "{title}: {marks} marks");
    }
    let pdf = company.path("report.pdf");
    run(&company.path("report.html"), &["--no-pdf-header-footer", &format!("--print-to-pdf={}", pdf.display())]);
    let pdf = fs::read(pdf).expect("it is printed");
    let pages = String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count();
    assert!(pdf.starts_with(b"%PDF") && pages > 1, "{pages} pages");
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

#[test]
fn nothing_but_tables_is_wider_than_a_phone() {
    let company = Company::new(300, 18, 5);
    company.backtest();
    let html = fs::read_to_string(company.path("report.html")).expect("it is there");
    assert!(width_on_a_phone(&company, &html) <= PHONE_WIDTH);
    let wide = html.replace("<main>", "<main><p style=\"width: 500px\">.</p>");
    assert!(width_on_a_phone(&company, &wide) > PHONE_WIDTH, "what is too wide is noticed");
}

/// How wide the content of a page is on a phone, in pixels. Windows of browsers are not as narrow, but frames are.
fn width_on_a_phone(company: &Company, html: &str) -> u32 {
    let path = company.path("phone.html");
    let page = html.replace('&', "&amp;").replace('"', "&quot;");
    let measure = "document.body.append(`width:${this.contentDocument.documentElement.scrollWidth}.`)";
    fs::write(&path, format!("<iframe onload='{measure}' width={PHONE_WIDTH} height=800 srcdoc=\"{page}\"></iframe>"))
        .expect("it can be written");
    let (dom, complaints) = open(&path);
    assert_eq!(complaints, Vec::<String>::new());
    let (_, width) = dom.rsplit_once("width:").expect("it is measured");
    width.split('.').next().and_then(|width| width.parse().ok()).expect("a number")
}

/// The document as the browser has it after loading, and what it wrote to its console.
fn open(path: &Path) -> (String, Vec<String>) {
    let output = run(path, &["--dump-dom"]);
    let told = String::from_utf8_lossy(&output.stderr);
    let complaints = told.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), complaints)
}

/// Has the browser load a file.
fn run(path: &Path, arguments: &[&str]) -> Output {
    let profile = tempfile::tempdir().expect("a temporary directory");
    let browser = BROWSERS.iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let mut command = Command::new(browser.expect("`make setup` installs Chromium"));
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"]).args(arguments);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", path.display()));
    let output = command.output().expect("the browser starts");
    assert!(output.status.success(), "{output:?}");
    output
}
