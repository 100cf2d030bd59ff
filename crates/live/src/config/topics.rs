//! Names of topics, and patterns of such names.

use bellwether_codec::yaml::{Node, Reader};
use regex::Regex;

/// Kafka's limit.
const NAME_MAX_BYTES: usize = 249;

/// Topics to read: one, or all whose names match.
#[derive(Clone, Debug)]
pub enum TopicPattern {
    /// The topic of that name.
    Name(String),
    /// All topics whose names match; the text begins with `^`, by which librdkafka knows a pattern.
    Pattern(Regex),
}

impl TopicPattern {
    /// The text to subscribe with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            TopicPattern::Name(name) => name,
            TopicPattern::Pattern(regex) => regex.as_str(),
        }
    }

    /// Whether a topic is one of these.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        match self {
            TopicPattern::Name(name) => name == topic,
            TopicPattern::Pattern(regex) => regex.is_match(topic),
        }
    }
}

/// Whether a text can be the name of a topic, a group or an id.
pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= NAME_MAX_BYTES && text != "." && text != ".." && text.bytes().all(is_letter)
}

/// Writes down a mistake unless a text can be a name.
pub(super) fn check_name(reader: &mut Reader<'_>, node: Option<&Node>, what: &str, name: &str) {
    if let Some(node) = node.filter(|_| !is_name(name) && !name.is_empty()) {
        let help = "such names have a-z, A-Z, 0-9, `.`, `_` and `-`, and at most 249 of them";
        reader.error_with_help(&node.place, format!("`{name}` cannot be the name of {what}"), help);
    }
}

/// A topic or pattern.
pub(super) fn read_pattern(reader: &mut Reader<'_>, node: &Node) -> Option<TopicPattern> {
    let text = reader.text(node, "the name of a topic")?;
    if !text.starts_with('^') {
        check_name(reader, Some(node), "a topic", text);
        return is_name(text).then(|| TopicPattern::Name(text.to_owned()));
    }
    if let Some(foreign) = foreign_syntax(text) {
        reader.error_with_help(&node.place, format!("`{text}`: not all who read this pattern understand `{foreign}`"), PATTERN_HELP);
        return None;
    }
    match Regex::new(text) {
        Ok(regex) => Some(TopicPattern::Pattern(regex)),
        Err(error) => {
            let error = error.to_string();
            let problem = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            reader.error(&node.place, format!("`{text}` is no regular expression: {problem}"));
            None
        }
    }
}

const PATTERN_HELP: &str =
    "patterns have `.`, `*`, `+`, `?`, `|`, `( )`, `[0-9]` and `{2,3}`, and a `\\` before a sign that stands for itself";

/// What the Kafka client, which reads POSIX extended expressions, would take for something else than we: then a topic would be waited for that nobody reads.
fn foreign_syntax(pattern: &str) -> Option<&str> {
    let suspicious = Regex::new(r"\\.|\(\?|[*+?}][*+?]").expect("it is one");
    let mut found = suspicious.find_iter(pattern).map(|found| found.as_str());
    found.find(|found| !found.starts_with('\\') || found.ends_with(char::is_alphanumeric))
}
