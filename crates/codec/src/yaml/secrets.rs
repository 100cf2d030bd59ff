//! What must not be shown: values whose names say so, in printed settings and in the lines that errors quote.

use super::errors::{FileError, FileErrors};

/// What stands for a secret.
pub const MASK: &str = "***";

/// Words in the names of secrets.
const WORDS: [&str; 11] =
    ["password", "secret", "_key", "-key", "key.pem", "keystore", "token", "credential", "oauthbearer.config", "authorization", "cookie"];

/// What names a file or a place, and not what is in it.
const HARMLESS_ENDS: [&str; 4] = ["_file", "location", ".url", "endpoint"];

/// Whether a name says that its value is a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word)) && !HARMLESS_ENDS.iter().any(|end| name.ends_with(end))
}

/// The same errors, without the secrets in the lines that they quote.
#[must_use]
pub fn without_secrets(errors: FileErrors) -> FileErrors {
    let masked = |error: FileError| {
        let names = error.snippet.lines().next().unwrap_or_default().split(['{', ',', '|']).filter_map(|part| part.split_once(':'));
        let is_secret = names.into_iter().any(|(name, _)| is_secret_name(name.trim().trim_matches(['"', '\''])));
        let snippet = if is_secret { format!("{:>5} | (a line with a secret)", error.line) } else { error.snippet };
        FileError { snippet, ..error }
    };
    FileErrors(errors.0.into_iter().map(masked).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "pseudonym_key",
            "ssl.keystore.password",
            "Password",
            "Authorization",
            "x-api-key",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["pseudonym_key_file", "ssl.key.location", "security.protocol", "key", "sasl.username", "sasl.oauthbearer.token.endpoint.url"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn lines_with_secrets_are_not_quoted() {
        for (line, is_hidden) in [
            ("  client: { security.protocol: SASL, sasl.password: hunter2 }", true),
            ("pseudonym_key: [hunter2]", true),
            ("\"sasl.password\": hunter2", true),
            ("brokers: localhost:9092", false),
        ] {
            let (file, message) = ("a.yaml".to_owned(), "wrong".to_owned());
            let error = FileError { file, line: 3, column: 1, message, help: None, snippet: format!("    3 | {line}\n      | ^^^^") };
            let shown = without_secrets(FileErrors(vec![error])).to_string();
            assert_eq!(!shown.contains(line), is_hidden, "{shown}");
        }
    }
}
