//! Rules for the manifests: who may depend on whom, and which lints each crate takes.

use toml::{Table, Value};

use crate::tree::{Offence, SourceFile};

/// What each crate under `crates/` may depend on of our own. The packages `tests` and `benches` may depend on any.
const ARROWS: &[(&str, &[&str])] = &[
    ("bellwether-engine", &[]),
    ("bellwether-store", &[]),
    ("bellwether-kafka", &[]),
    ("bellwether-codec", &["bellwether-engine"]),
    ("bellwether-backtest", &["bellwether-codec", "bellwether-engine"]),
    ("bellwether-forward", &["bellwether-codec", "bellwether-kafka", "bellwether-live"]),
    ("bellwether-live", &["bellwether-codec", "bellwether-engine", "bellwether-kafka", "bellwether-store"]),
    ("bellwether-console", &["bellwether-codec", "bellwether-engine", "bellwether-live", "bellwether-store"]),
    (
        "bellwether",
        &[
            "bellwether-backtest",
            "bellwether-codec",
            "bellwether-console",
            "bellwether-engine",
            "bellwether-engine",
            "bellwether-forward",
            "bellwether-kafka",
            "bellwether-live",
            "bellwether-store",
        ],
    ),
];

/// What the engine may use that is not ours: pure code only. Its tests may use more.
const ENGINE_LIBRARIES: &[&str] = &["smallvec", "serde", "siphasher", "xxhash-rust"];

pub fn against_the_design(files: &[SourceFile]) -> Vec<Offence> {
    let manifests = manifests(files).filter(|file| file.path.starts_with("crates/"));
    manifests.flat_map(|file| manifest_against_the_design(file).unwrap_or_else(|error| vec![Offence::at(&file.path, 1, error)])).collect()
}

fn manifest_against_the_design(file: &SourceFile) -> Result<Vec<Offence>, String> {
    let manifest = parse(file)?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str).ok_or("no package name")?;
    let (_, allowed) = ARROWS
        .iter()
        .find(|(of, _)| *of == name)
        .ok_or_else(|| format!("`{name}` is new: say what it may depend on, in tests/tests/tidy/arrows.rs"))?;
    let mut offences = Vec::new();
    for dependency in dependencies(&manifest) {
        let ours = dependency.name == "bellwether" || dependency.name.starts_with("bellwether-");
        let library = name != "bellwether-engine" || dependency.for_tests || ENGINE_LIBRARIES.contains(&dependency.name.as_str());
        if if ours { !allowed.contains(&dependency.name.as_str()) } else { !library } {
            let what = format!("`{name}` may not depend on `{}`", dependency.name);
            offences.push(Offence::at(&file.path, line_of(file, &dependency.key), what));
        }
    }
    Ok(offences)
}

struct Dependency {
    /// Its name in the manifest.
    key: String,
    /// The name of its package, which may be another.
    name: String,
    for_tests: bool,
}

/// All dependencies of a manifest, also of a build script, of tests, and of one platform.
fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(|targets| targets.values());
    let tables = std::iter::once(manifest).chain(platforms.filter_map(Value::as_table));
    let mut found = Vec::new();
    for table in tables {
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for (key, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
                found.push(Dependency { key: key.clone(), name: package.into(), for_tests: kind == "dev-dependencies" });
            }
        }
    }
    found
}

pub fn without_workspace_lints(files: &[SourceFile]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in manifests(files) {
        let manifest = parse(file).unwrap_or_default();
        let at = |keys: &[&str]| keys.iter().try_fold(manifest.clone().into(), |value: Value, key| value.get(key).cloned());
        if file.path == "Cargo.toml" {
            if at(&["workspace", "lints", "rust", "unsafe_code"]) != Some("forbid".into()) {
                offences.push(Offence::at(&file.path, 1, "`[workspace.lints.rust]` lacks `unsafe_code = \"forbid\"`"));
            }
        } else if at(&["lints", "workspace"]) != Some(true.into()) {
            offences.push(Offence::at(&file.path, 1, "`[lints]` lacks `workspace = true`"));
        }
    }
    offences
}

/// The engine's file replaces the common one, so what is said there must be said again; what it bans is what keeps the engine pure.
pub fn engine_clippy_settings(files: &[SourceFile]) -> Vec<Offence> {
    let settings = |path: &str| files.iter().find(|file| file.path == path).and_then(|file| parse(file).ok()).unwrap_or_default();
    let (common, engine_path) = (settings(".clippy.toml"), "crates/engine/clippy.toml");
    let engine = settings(engine_path);
    let differing = common.iter().filter(|(key, value)| engine.get(*key) != Some(*value));
    let differing = differing.map(|(key, _)| format!("`{key}` is not as in .clippy.toml"));
    let bans = ["disallowed-macros", "disallowed-methods", "disallowed-types"];
    let missing = bans.iter().filter(|ban| !engine.contains_key(**ban)).map(|ban| format!("`{ban}` is missing"));
    differing.chain(missing).map(|what| Offence::at(engine_path, 1, what)).collect()
}

fn manifests(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.path == "Cargo.toml" || file.path.ends_with("/Cargo.toml"))
}

fn parse(file: &SourceFile) -> Result<Table, String> {
    file.text().unwrap_or_default().parse().map_err(|error: toml::de::Error| error.message().to_string())
}

/// The first line that gives `key` a value, or opens a table for it.
fn line_of(file: &SourceFile, key: &str) -> usize {
    let opens = |line: &str| line.trim_start_matches('"').strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '=', '.', '"']));
    let is_table = |line: &str| line.starts_with('[') && line.ends_with(&format!("dependencies.{key}]"));
    file.lines().find(|(_, line)| opens(line) || is_table(line)).map_or(1, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_finds;

    fn manifest(name: &str, rest: &str) -> String {
        format!("[package]\nname = \"{name}\"\n{rest}")
    }

    #[test]
    fn finds_an_arrow_that_the_design_does_not_have() {
        let backtest = manifest("bellwether-backtest", "[dependencies]\nbellwether-codec.workspace = true\nbellwether-store = \"0.1\"\n");
        let store = manifest(
            "bellwether-store",
            "[dependencies.rocksdb]\nversion = \"0.25\"\n[dependencies.bellwether-engine]\nversion = \"0.1\"\n",
        );
        let files =
            [("crates/backtest/Cargo.toml", backtest.as_str()), ("crates/store/Cargo.toml", &store), ("tests/Cargo.toml", &backtest)];
        let expected = [
            "crates/backtest/Cargo.toml:5: `bellwether-backtest` may not depend on `bellwether-store`",
            "crates/store/Cargo.toml:5: `bellwether-store` may not depend on `bellwether-engine`",
        ];
        assert_finds(against_the_design, &files, &expected);
    }

    #[test]
    fn finds_an_impure_library_in_the_engine_however_it_comes() {
        let engine = manifest(
            "bellwether-engine",
            "[dependencies]\nserde = \"1\"\nclock = { package = \"jiff\", version = \"0.2\" }\n[dev-dependencies]\nproptest = \"1\"\n\
            bellwether-codec = \"0.1\"\n[target.'cfg(unix)'.build-dependencies]\nlibc = \"0.2\"\n",
        );
        let expected = [
            "crates/engine/Cargo.toml:5: `bellwether-engine` may not depend on `jiff`",
            "crates/engine/Cargo.toml:8: `bellwether-engine` may not depend on `bellwether-codec`",
            "crates/engine/Cargo.toml:10: `bellwether-engine` may not depend on `libc`",
        ];
        assert_finds(against_the_design, &[("crates/engine/Cargo.toml", &engine)], &expected);
    }

    #[test]
    fn finds_a_crate_that_nobody_thought_about_and_a_broken_manifest() {
        let files = [("crates/common/Cargo.toml", "[package]\nname = \"bellwether-common\"\n"), ("crates/x/Cargo.toml", "[package\n")];
        assert_finds(against_the_design, &files, &["crates/common/Cargo.toml:1: `bellwether-common` is new", "crates/x/Cargo.toml:1: "]);
    }

    #[test]
    fn finds_manifests_without_the_lints() {
        let good =
            [("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"), ("tests/Cargo.toml", "[lints]\nworkspace = true\n")];
        assert_finds(without_workspace_lints, &good, &[]);
        let bad = [("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"warn\"\n"), ("tests/Cargo.toml", "[package]\nname = \"t\"\n")];
        assert_finds(without_workspace_lints, &bad, &["Cargo.toml:1: ", "tests/Cargo.toml:1: "]);
    }

    #[test]
    fn finds_an_engine_that_clippy_does_not_keep_pure() {
        let common = (".clippy.toml", "too-many-lines-threshold = 80\n");
        let bans = "disallowed-macros = []\ndisallowed-methods = []\ndisallowed-types = []\n";
        let good = format!("too-many-lines-threshold = 80\n{bans}");
        assert_finds(engine_clippy_settings, &[common, ("crates/engine/clippy.toml", &good)], &[]);
        assert_finds(engine_clippy_settings, &[common, ("crates/engine/clippy.toml", bans)], &["crates/engine/clippy.toml:1: `too-many"]);
        assert_finds(engine_clippy_settings, &[], &["crates/engine/clippy.toml:1: "; 3]);
    }
}
