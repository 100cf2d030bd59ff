//! The topics as an AsyncAPI 3 document: who sends what to where, with keys, headers, and what subscribers may count on.

use bellwether_codec::contract;
use bellwether_codec::source::SourceFormat;
use bellwether_live::config::KafkaSettings;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::channels::{CHANNELS, Channel, FOREIGN, Message, Payload, TopicOf};
use crate::commands::topics::wanted;

/// Describes the topics of a configuration. The journal is nobody else's, and is left out.
pub fn document(kafka: &KafkaSettings) -> Value {
    // The schemas that AsyncAPI knows are of draft 7; these are the same types.
    let settings = SchemaSettings::draft07().for_serialize().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for channel in CHANNELS {
        for message in channel.messages {
            messages.insert(message.name.to_owned(), described_message(message, &mut generator));
        }
        for topic in topics_of(channel, kafka) {
            operations.insert(format!("{}_{}", channel.action, topic.name), operation(channel, &topic));
            channels.insert(topic.name.clone(), described_channel(channel, &topic, kafka));
        }
    }
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Bellwether",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The topics of Bellwether: what it reads, and what it writes for subscribers. Everything that it writes is written in \
                transactions, so readers with isolation.level=read_committed see each record exactly once. Fields are only added: ignore those that you do not know.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "kafka": {
            "host": kafka.brokers.split(',').next().unwrap_or_default().trim(),
            "protocol": "kafka",
            "description": "Apache Kafka, the first of the configured brokers.",
        } },
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": generator.take_definitions(true) },
    })
}

/// A topic in the document.
struct Topic {
    name: String,
    address: String,
    messages: Vec<&'static str>,
}

/// The topics that a row stands for: one for each pattern of input topics, and one for each output topic.
fn topics_of(channel: &Channel, kafka: &KafkaSettings) -> Vec<Topic> {
    let all = channel.messages.iter().map(|message| message.name);
    if let TopicOf::Output(topic) = channel.topic {
        return vec![Topic { name: channel.name.to_owned(), address: topic(&kafka.topics).clone(), messages: all.collect() }];
    }
    let mut topics = Vec::new();
    for source in &kafka.sources {
        let is_mapped = matches!(source.format, SourceFormat::Mapped(_));
        let messages: Vec<&str> = all.clone().filter(|name| (*name == FOREIGN) == is_mapped).collect();
        for (topic, number) in source.topics.iter().zip(1..) {
            let suffix = if number == 1 { String::new() } else { format!("_{number}") };
            let source = source.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
            let name = format!("{}_{source}{suffix}", channel.name);
            topics.push(Topic { name, address: topic.as_str().to_owned(), messages: messages.clone() });
        }
    }
    topics
}

fn described_channel(channel: &Channel, topic: &Topic, kafka: &KafkaSettings) -> Value {
    let messages: Map<String, Value> =
        topic.messages.iter().map(|message| ((*message).to_owned(), reference(&["components", "messages", message]))).collect();
    let mut described = json!({
        "address": topic.address,
        "title": channel.title,
        "description": channel.description,
        "messages": messages,
        "servers": [reference(&["servers", "kafka"])],
    });
    if let Some(wanted) = wanted::topics(kafka).into_iter().find(|wanted| wanted.name == topic.address) {
        let cleanup = wanted.settings.get("cleanup.policy").map(String::as_str).unwrap_or_default();
        described["bindings"] = json!({ "kafka": {
            "topic": topic.address,
            "partitions": wanted.partitions,
            "replicas": wanted.replication,
            "topicConfiguration": { "cleanup.policy": [cleanup] },
            "bindingVersion": "0.5.0",
        } });
    }
    described
}

fn operation(channel: &Channel, topic: &Topic) -> Value {
    let name = &topic.name;
    let messages: Vec<Value> = topic.messages.iter().map(|message| reference(&["channels", name, "messages", message])).collect();
    json!({
        "action": channel.action,
        "channel": reference(&["channels", name]),
        "summary": channel.title,
        "description": channel.guarantee,
        "messages": messages,
    })
}

fn described_message(message: &Message, generator: &mut SchemaGenerator) -> Value {
    let headers: Map<String, Value> = message
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), json!({ "type": "string", "description": header.description })))
        .collect();
    let required: Vec<&str> = message.headers.iter().filter(|header| header.is_required).map(|header| header.name).collect();
    let mut described = json!({
        "name": message.name,
        "title": message.title,
        "contentType": message.content_type,
        "bindings": { "kafka": { "key": { "type": "string", "description": message.key }, "bindingVersion": "0.5.0" } },
        "payload": payload(&message.payload, generator),
    });
    if !headers.is_empty() {
        described["headers"] = json!({ "type": "object", "required": required, "properties": headers });
    }
    described
}

fn payload(payload: &Payload, generator: &mut SchemaGenerator) -> Value {
    match payload {
        Payload::Contract(name) => {
            let contract = contract::ALL.iter().find(|contract| contract.name == *name);
            (contract.expect("the table names contracts that there are").describe)(generator).to_value()
        }
        Payload::Data => json!({ "type": "object", "description": "`data` of the schema Event, as its type wants it." }),
        Payload::Nothing => json!({ "type": "null", "description": "No value: a tombstone." }),
        Payload::Anything(description) => json!({ "description": description }),
    }
}

fn reference(path: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", path.join("/")) })
}
