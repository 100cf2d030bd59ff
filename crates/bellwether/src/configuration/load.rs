//! Reads the text of a configuration: variables first, then section by section, and every mistake at once.

use std::path::PathBuf;

use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::source::SourceFormat;
use bellwether_codec::yaml::{FileErrors, Node, Reader, SecretLines, Settings, Value, expand_variables, parse, render, tags};
use bellwether_console::settings::read_console;
use bellwether_forward::config::read_forward;
use bellwether_live::config::read_kafka;

use super::{Configuration, PseudonymKey, ROOT};
use crate::metrics_server::MetricsAddress;
use crate::sizes::{parse_memory, parse_size};

/// The values of a text, and the configuration that they make.
pub fn load(name: &str, text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<(Node, Configuration), FileErrors> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut root = parse(text, "configuration").map_err(|mistake| SecretLines::All.hide(render(name, text, vec![mistake])))?;
    if matches!(root.value, Value::Nothing) {
        // An empty file is right: everything has its default.
        root = Node::empty_mapping();
    }
    let secrets = SecretLines::mark(text, &mut root, &ROOT);
    let mut reader = Reader::new(text);
    tags(text, "configurations", &root, &mut reader.mistakes);
    expand_variables(text, &mut root, variable, &mut reader.mistakes);
    // Without its variables, a value is wrong for a reason that is told already.
    if !reader.mistakes.is_empty() {
        let mut of_values = Reader::new(text);
        read(&mut of_values, &root);
        let told: Vec<usize> = reader.mistakes.iter().map(|mistake| mistake.place.start).collect();
        let others = of_values.mistakes.into_iter().filter(|mistake| !told.iter().any(|at| mistake.place.contains(at)));
        reader.mistakes.extend(others);
        return Err(secrets.hide(render(name, text, reader.mistakes)));
    }
    let configuration = read(&mut reader, &root);
    if reader.mistakes.is_empty() { Ok((root, configuration)) } else { Err(secrets.hide(render(name, text, reader.mistakes))) }
}

fn read(reader: &mut Reader<'_>, root: &Node) -> Configuration {
    let settings = reader.settings(root, &ROOT);
    let configuration = Configuration {
        data: PathBuf::from(reader.text_setting(&settings, "data")),
        memory_bytes: parsed(reader, &settings, "memory", parse_memory).unwrap_or_default(),
        metrics: parsed(reader, &settings, "metrics", |text| text.parse()).unwrap_or(MetricsAddress::Off),
        pseudonym_key: pseudonym_key(reader, &settings),
        console: settings.get("console").map(|node| read_console(reader, node, parse_size)),
        kafka: settings.get("kafka").map(|node| read_kafka(reader, node)),
        forward: settings.get("forward").map(|node| read_forward(reader, node)),
    };
    check_events_topic(reader, &settings, &configuration);
    configuration
}

/// What is posted is read again, and as it was checked: by a source that takes CloudEvents.
fn check_events_topic(reader: &mut Reader<'_>, settings: &Settings<'_>, configuration: &Configuration) {
    let Some(topic) = configuration.console.as_ref().and_then(|console| console.events_topic.as_ref()) else { return };
    let Some(node) = settings.get("console").and_then(|console| console.entry("events_topic")) else { return };
    let Some(kafka) = &configuration.kafka else {
        reader.error(&node.place, "events_topic is for a run beside Kafka: there is no section `kafka`");
        return;
    };
    let is_read =
        kafka.source_of(topic).map(|source| matches!(source.format, SourceFormat::Auto | SourceFormat::Plain | SourceFormat::Structured));
    let help = "name one of the topics of a source whose format is `auto`, `plain` or `structured`";
    match is_read {
        Some(true) => {}
        Some(false) => {
            reader.error_with_help(&node.place, format!("the source that reads `{topic}` does not take CloudEvents as JSON"), help)
        }
        None => reader.error_with_help(&node.place, format!("no source reads `{topic}`, so what is posted would go nowhere"), help),
    }
}

/// A text that something else is made of.
fn parsed<T>(reader: &mut Reader<'_>, settings: &Settings<'_>, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
    let count = reader.mistakes.len();
    let text = reader.text_setting(settings, name);
    let value = parse(&text);
    if let (Err(problem), Some(node)) = (&value, settings.get(name))
        && reader.mistakes.len() == count
    {
        reader.error(&node.place, format!("{name}: {problem}"));
    }
    value.ok()
}

fn pseudonym_key(reader: &mut Reader<'_>, settings: &Settings<'_>) -> PseudonymKey {
    let key = reader.secret_setting(settings, "pseudonym_key");
    let file = reader.optional_text_setting(settings, "pseudonym_key_file");
    match (key, file) {
        (None, None) => PseudonymKey::Environment,
        (None, Some(file)) => PseudonymKey::File(file.into()),
        (Some((_, place)), Some(_)) => {
            reader.error(&place, "there is either `pseudonym_key` or `pseudonym_key_file`");
            PseudonymKey::Environment
        }
        (Some((key, place)), None) => match Pseudonymiser::from_hex(&key) {
            Ok(pseudonymiser) => PseudonymKey::Given(pseudonymiser),
            Err(error) => {
                reader.error(&place, format!("pseudonym_key: {error}"));
                PseudonymKey::Environment
            }
        },
    }
}
