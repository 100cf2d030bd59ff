//! Sources: which input topics there are, and how each is decoded.

use std::sync::Arc;

use bellwether_codec::source::SourceDecoder;
use regex::Regex;

use super::arrivals::SilentAfter;

/// A source of events.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// Its topics: names, or patterns that begin with `^`.
    pub topics: Vec<String>,
    /// How its records become events.
    pub decoder: SourceDecoder,
    /// When it counts as silent.
    pub silent_after: SilentAfter,
}

/// All sources, asked by topic.
#[derive(Clone, Debug)]
pub struct Sources {
    sources: Arc<[Source]>,
    patterns: Arc<[(Regex, usize)]>,
}

impl Sources {
    /// Sources in the order in which they claim topics.
    ///
    /// # Errors
    ///
    /// When a pattern is no regular expression.
    pub fn new(sources: Vec<Source>) -> Result<Self, regex::Error> {
        let mut patterns = Vec::new();
        for (index, source) in sources.iter().enumerate() {
            for topic in source.topics.iter().filter(|topic| topic.starts_with('^')) {
                patterns.push((Regex::new(topic)?, index));
            }
        }
        Ok(Self { sources: sources.into(), patterns: patterns.into() })
    }

    /// All topics and patterns, to subscribe to.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        self.sources.iter().flat_map(|source| source.topics.clone()).collect()
    }

    /// The source of a topic, by its index: the one that names it, or else the first whose pattern fits.
    #[must_use]
    pub fn index_of(&self, topic: &str) -> Option<usize> {
        let named = self.sources.iter().position(|source| source.topics.iter().any(|known| known == topic));
        named.or_else(|| self.patterns.iter().find(|(pattern, _)| pattern.is_match(topic)).map(|(_, index)| *index))
    }

    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.name.as_str())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The source of an index.
    pub(crate) fn get(&self, index: usize) -> &Source {
        &self.sources[index]
    }
}

#[cfg(test)]
mod tests {
    use bellwether_codec::event::Decoder;
    use bellwether_codec::source::SourceFormat;

    use super::*;

    #[test]
    fn a_name_goes_before_a_pattern() {
        let source = |name: &str, topics: &[&str]| Source {
            name: name.to_owned(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            decoder: SourceDecoder::new(SourceFormat::Auto, Decoder::default()),
            silent_after: SilentAfter::Auto,
        };
        let sources =
            Sources::new(vec![source("all", &["^auth\\..*"]), source("one", &["auth.login", "tickets"])]).expect("they are right");
        assert_eq!(
            ["auth.login", "auth.logout", "tickets", "other"].map(|topic| sources.index_of(topic)),
            [Some(1), Some(0), Some(1), None]
        );
        assert!(Sources::new(vec![source("bad", &["^("])]).is_err());
    }
}
