//! The environment variables, all of them.

use std::env;
use std::ffi::OsString;

use bellwether_codec::pseudonym::Pseudonymiser;

use crate::failure::Failure;

/// What is written to the log.
pub const LOG: &str = "BELLWETHER_LOG";
/// How the log is written.
const LOG_FORMAT: &str = "BELLWETHER_LOG_FORMAT";
/// The key of user pseudonyms.
pub const PSEUDONYM_KEY: &str = "BELLWETHER_PSEUDONYM_KEY";
/// The convention of <https://no-color.org>.
const NO_COLOUR: &str = "NO_COLOR";

/// Every variable that is read, with its meaning.
const ALL: [(&str, &str); 4] = [
    (LOG, "what to log: error, warn (default), info, debug, trace"),
    (LOG_FORMAT, "how to log: text (default), or json, a line each"),
    (PSEUDONYM_KEY, "secret key of user pseudonyms: 32 hexadecimal digits"),
    (NO_COLOUR, "if set, there are no colours"),
];

/// The variables as a section of the help text.
pub fn help() -> String {
    let lines: String = ALL.iter().map(|(name, meaning)| format!("\n  {name:<25} {meaning}")).collect();
    let codes = "\n  0  done\n  1  findings: failed rule tests, refused input with --strict, an input that broke off, a damaged snapshot,\
                 \n     a --fail-if that holds or cannot be judged, a backtest that was stopped early, dead letters of `forward --once`\
                 \n  2  wrong usage, a mistake in a rule file or a configuration, or a journal, states or inputs that do not belong together:\
                 \n     the same command fails again until somebody has acted\
                 \n  3  the run failed, and may be tried again";
    format!("Environment variables:{lines}\n\nExit codes:{codes}")
}

/// The directives of the log.
pub fn log_directives() -> Result<Option<String>, Failure> {
    text(LOG, env::var_os(LOG))
}

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

/// How the log is to be written.
pub fn log_format() -> Result<LogFormat, Failure> {
    match text(LOG_FORMAT, env::var_os(LOG_FORMAT))?.as_deref() {
        None | Some("" | "text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err(Failure::Usage(format!("{LOG_FORMAT} is `{other}`, and must be `text` or `json`"))),
    }
}

/// Makes pseudonyms with the configured key, or else with the public one.
pub fn pseudonymiser() -> Result<Pseudonymiser, Failure> {
    match text(PSEUDONYM_KEY, env::var_os(PSEUDONYM_KEY))? {
        Some(key) => Pseudonymiser::from_hex(&key).map_err(|error| Failure::Usage(format!("{PSEUDONYM_KEY}: {error}"))),
        None => Ok(Pseudonymiser::default()),
    }
}

/// Whether the user wants no colours.
pub fn refuses_colours() -> bool {
    env::var_os(NO_COLOUR).is_some_and(|value| !value.is_empty())
}

fn text(name: &str, value: Option<OsString>) -> Result<Option<String>, Failure> {
    let not_text = |_| Failure::Usage(format!("{name} is not UTF-8"));
    value.map(|value| value.into_string().map_err(not_text)).transpose()
}
