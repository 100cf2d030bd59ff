//! Who may do what: bearer tokens, known by their SHA-256 only and compared in constant time.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What a token is good for; one for another is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Queries.
    Read,
    /// Events.
    Write,
    /// Administration.
    Admin,
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenHash([u8; 32]);

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

impl TokenHash {
    /// Reads 64 hexadecimal digits.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// The tokens of each scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub(crate) read: Vec<TokenHash>,
    pub(crate) write: Vec<TokenHash>,
    pub(crate) admin: Vec<TokenHash>,
}

impl Tokens {
    /// Whether a scope is for those only who have a token. Administration always is.
    pub(crate) fn guard(&self, scope: Scope) -> bool {
        scope == Scope::Admin || !(self.read.is_empty() && self.write.is_empty())
    }

    /// Whether a token is good for a scope. How long that takes says nothing about the hashes.
    pub(crate) fn allow(&self, scope: Scope, token: &[u8]) -> bool {
        let hashes = match scope {
            Scope::Read => &self.read,
            Scope::Write => &self.write,
            Scope::Admin => &self.admin,
        };
        let given: [u8; 32] = Sha256::digest(token).into();
        let found = hashes.iter().fold(Choice::from(0), |found, hash| found | hash.0.ct_eq(&given));
        found.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_scope_alone() {
        let hash = |text: &str| TokenHash(Sha256::digest(text).into());
        // The test vector of FIPS 180-2.
        let abc = TokenHash::from_hex("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
        assert_eq!(abc, Some(hash("abc")));
        assert!(TokenHash::from_hex("abc").is_none() && TokenHash::from_hex(&"g".repeat(64)).is_none());
        let tokens = Tokens { read: vec![hash("other"), hash("read")], write: vec![hash("write")], admin: Vec::new() };
        assert!(tokens.allow(Scope::Read, b"read") && tokens.allow(Scope::Write, b"write"));
        assert!(!tokens.allow(Scope::Write, b"read") && !tokens.allow(Scope::Read, b"") && !tokens.allow(Scope::Admin, b"read"));
        assert!(tokens.guard(Scope::Read) && Tokens::default().guard(Scope::Admin) && !Tokens::default().guard(Scope::Write));
    }
}
