//! Names that say that their values must not be shown.

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
}
