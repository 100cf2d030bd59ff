//! Sources: topics to read, and how their records become events.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bellwether_codec::event::Decoder;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::source::{Conversion, CustomerDirectory, DirectoryFileError, SourceDecoder, SourceFormat, Tombstones, read_mapping};
use bellwether_codec::yaml::{Node, Reader, Settings};

use super::tables::{SOURCE, USER_LOOKUP};
use super::topics::{TopicPattern, read_pattern};
use crate::kafka::SilentAfter;

/// Topics whose records are written in one way.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Its name, in metrics and logs.
    pub name: String,
    /// The topics; at least one.
    pub topics: Vec<TopicPattern>,
    /// How records are written.
    pub format: SourceFormat,
    /// What becomes of events of unknown types.
    pub unknown_types: UnknownTypes,
    /// What becomes of records without a value.
    pub tombstones: Tombstones,
    /// When it counts as silent.
    pub silent_after: SilentAfter,
}

/// What becomes of events of unknown types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownTypes {
    /// They are refused.
    #[default]
    Reject,
    /// They are left out, and counted.
    Skip,
}

/// Whose users there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLookupSettings {
    /// A file that tells it.
    pub file: Option<PathBuf>,
    /// Whether account events tell it.
    pub learn: bool,
    /// Users known at most.
    pub max_users: usize,
}

impl SourceSettings {
    /// Whether a topic is one of this source by its name, and whether by a pattern.
    #[must_use]
    pub fn names(&self, topic: &str) -> (bool, bool) {
        let by_name = self.topics.iter().any(|known| matches!(known, TopicPattern::Name(name) if name == topic));
        (by_name, self.topics.iter().any(|known| known.matches(topic)))
    }

    /// The decoder of its records.
    #[must_use]
    pub fn decoder(&self, pseudonymiser: Pseudonymiser, directory: Option<&Arc<CustomerDirectory>>) -> SourceDecoder {
        let decoder = Decoder::new(pseudonymiser).skip_unknown_types(self.unknown_types == UnknownTypes::Skip);
        let decoder = SourceDecoder::new(self.format.clone(), decoder).tombstones(self.tombstones);
        match directory {
            Some(directory) => decoder.directory(Arc::clone(directory)),
            None => decoder,
        }
    }

    /// Whether its mapping needs to know whose users there are.
    pub(super) fn looks_users_up(&self) -> bool {
        matches!(&self.format, SourceFormat::Mapped(mapping) if mapping.subject.conversion == Some(Conversion::CustomerOfUser))
    }
}

impl UserLookupSettings {
    /// The directory, with what the file tells.
    ///
    /// # Errors
    /// When the file cannot be read, or has mistakes.
    pub fn directory(&self, pseudonymiser: &Pseudonymiser) -> Result<CustomerDirectory, DirectoryFileError> {
        let directory = CustomerDirectory::new(self.max_users, self.learn);
        if let Some(file) = &self.file {
            directory.load(file, pseudonymiser)?;
        }
        Ok(directory)
    }
}

/// Reads the sources; those with mistakes are left out.
pub(super) fn read_sources(reader: &mut Reader<'_>, node: &Node) -> Vec<SourceSettings> {
    let items = reader.list(node, "sources");
    if items.is_empty() && matches!(&node.value, bellwether_codec::yaml::Value::List(_)) {
        reader.error(&node.place, "there must be at least one source");
    }
    let mut names: Vec<String> = Vec::new();
    let mut topics: Vec<String> = Vec::new();
    let mut sources = Vec::new();
    for item in items {
        let settings = reader.settings(item, &SOURCE);
        if let Some(node) = settings.get("name")
            && let Some(name) = node.as_text()
        {
            if names.iter().any(|known| known == name) {
                reader.error(&node.place, format!("there are two sources `{name}`"));
            }
            names.push(name.to_owned());
        }
        sources.extend(read_source(reader, &settings, &mut topics));
    }
    sources
}

fn read_source(reader: &mut Reader<'_>, settings: &Settings<'_>, seen: &mut Vec<String>) -> Option<SourceSettings> {
    let name = settings.get("name").and_then(|node| reader.name(node, "a source"));
    let topics = settings.get("topics").map(|node| read_topics(reader, node, seen));
    let format = read_format(reader, settings);
    let unknown_types = reader.choice_setting(settings, "unknown_types", &[("reject", UnknownTypes::Reject), ("skip", UnknownTypes::Skip)]);
    let tombstones = reader.choice_setting(settings, "tombstones", &[("skip", Tombstones::Skip), ("reject", Tombstones::Reject)]);
    let silent_after = read_silent_after(reader, settings);
    Some(SourceSettings { name: name?.to_owned(), topics: topics?, format: format?, unknown_types, tombstones, silent_after })
}

fn read_silent_after(reader: &mut Reader<'_>, settings: &Settings<'_>) -> SilentAfter {
    match settings.get("silent_after").map(|node| (node, node.as_text())) {
        None | Some((_, Some("auto"))) => SilentAfter::Auto,
        Some((_, Some("never"))) => SilentAfter::Never,
        Some((node, _)) => {
            let mistakes = reader.mistakes.len();
            let milliseconds = u64::try_from(reader.duration_setting(settings, "silent_after")).unwrap_or(0);
            if milliseconds == 0 && reader.mistakes.len() == mistakes {
                reader.error(&node.place, "silent_after must be more than nothing");
            }
            SilentAfter::Duration(Duration::from_millis(milliseconds))
        }
    }
}

fn read_topics(reader: &mut Reader<'_>, node: &Node, seen: &mut Vec<String>) -> Vec<TopicPattern> {
    let items = reader.list(node, "topics");
    if items.is_empty() && matches!(&node.value, bellwether_codec::yaml::Value::List(_)) {
        reader.error(&node.place, "a source needs at least one topic");
    }
    let mut topics = Vec::new();
    for item in items {
        let Some(topic) = read_pattern(reader, item) else { continue };
        if seen.iter().any(|known| known == topic.as_str()) {
            reader.error(&item.place, format!("`{}` is read by two sources, or twice", topic.as_str()));
        }
        seen.push(topic.as_str().to_owned());
        topics.push(topic);
    }
    topics
}

fn read_format(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Option<SourceFormat> {
    let formats = ["auto", "structured", "binary", "plain", "mapped"].map(|name| (name, name));
    let name = reader.choice_setting(settings, "format", &formats);
    let mapping = settings.get("mapping");
    if let Some(mapping) = mapping.filter(|_| !["mapped", ""].contains(&name)) {
        reader.error_with_help(&mapping.place, format!("a source of format `{name}` has no mapping"), "write `format: mapped`");
    }
    match name {
        "structured" => Some(SourceFormat::Structured),
        "binary" => Some(SourceFormat::Binary),
        "plain" => Some(SourceFormat::Plain),
        "auto" => Some(SourceFormat::Auto),
        "mapped" => match (mapping, settings.get("format")) {
            (Some(node), _) => Some(SourceFormat::Mapped(Box::new(read_mapping(reader, node)?))),
            (None, format) => {
                let place = format.map(|node| node.place.clone()).unwrap_or_default();
                reader.error(&place, "a source of format `mapped` needs a `mapping`");
                None
            }
        },
        _ => None,
    }
}

/// Reads whose users there are.
pub(super) fn read_user_lookup(reader: &mut Reader<'_>, node: &Node) -> UserLookupSettings {
    let settings = reader.settings(node, &USER_LOOKUP);
    let lookup = UserLookupSettings {
        file: reader.optional_text_setting(&settings, "file").map(PathBuf::from),
        learn: reader.boolean_setting(&settings, "learn"),
        max_users: reader.whole_setting(&settings, "max_users", 1..=100_000_000) as usize,
    };
    if lookup.file.is_none() && !lookup.learn {
        reader.error(&node.place, "a user lookup without a `file` that does not `learn` knows nobody");
    }
    lookup
}
