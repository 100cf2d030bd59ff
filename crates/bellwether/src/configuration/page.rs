//! The reference page of the configuration, as Markdown, and the test that keeps it current.

use bellwether_codec::yaml::section_pages;

use super::ROOT;

const HEAD: &str = "\
# Configuration

This page is generated from the tables that reading goes by; a test keeps it current (`UPDATE_GOLDEN=1 cargo test --bin bellwether` rewrites it).

One YAML file; [an example](../examples/bellwether.yaml) has most of it. `bellwether config check FILE` tells every mistake with its place,
`config print FILE` shows it as understood, `config schema` is its JSON Schema for editors, and `config try` maps a sample of a source.

- A field that is unknown is an error, and the nearest name is told.
- `${NAME}` in a value stands for an environment variable, `${NAME:-default}` for a variable with a default, which also stands for an empty
  one, and `$$` for a dollar sign. A variable that is not set and has no default is an error.
- Durations are whole numbers with units, from long to short: `30d`, `12h`, `1d12h30m`, `90s`, `100ms`. Sizes are a whole number with a unit:
  `512MiB`, `2GiB`.
- Secrets are never printed: neither `pseudonym_key`, nor properties of the client whose names say that they are secrets, nor those that come
  from variables.
- A JSON Pointer (RFC 6901) names a value in JSON: `/user/id`, `/items/0/price`. In it `~1` stands for `/` and `~0` for `~`.
";

fn configuration_page() -> String {
    format!("{HEAD}{}", section_pages("The file", &ROOT))
}

#[test]
fn the_reference_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/reference/configuration.md");
    let page = configuration_page();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(page, golden, "UPDATE_GOLDEN=1 rewrites {path}");
}

#[test]
fn every_section_has_a_chapter_once() {
    let page = configuration_page();
    for section in [
        "console",
        "kafka",
        "kafka.journal",
        "kafka.topics",
        "kafka.breaker",
        "kafka.snapshots",
        "kafka.user_lookup",
        "kafka.sources[]",
        "kafka.sources[].mapping",
        "forward",
        "forward.routes[]",
        "forward.routes[].digest",
    ] {
        assert_eq!(page.matches(&format!("\n## `{section}`\n")).count(), 1, "{section}");
    }
    assert!(
        page.lines()
            .filter(|line| line.starts_with('|'))
            .all(|line| line.ends_with('|') && line.matches(" | ").count() == 3 || line.starts_with("|---"))
    );
}
