//! The JSON Schema of settings, for editors, from the tables that reading goes by.

use serde_json::{Map, Value, json};

use super::section::{Absent, Field, Form, Section};
use super::tree::parse;
use crate::yaml;

/// The schema of a file (JSON Schema, draft 2020-12). Variables in values are texts, so numbers and booleans may be such texts too.
#[must_use]
pub fn json_schema(title: &str, section: &'static Section) -> Value {
    let mut schema = section_schema(section);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = title.into();
    schema
}

fn section_schema(section: &'static Section) -> Value {
    let properties: Map<String, Value> = section.fields.iter().map(|field| (field.name.to_owned(), field_schema(field))).collect();
    let required: Vec<&str> =
        section.fields.iter().filter(|field| matches!(field.absent, Absent::Required)).map(|field| field.name).collect();
    let mut schema = json!({ "type": "object", "description": section.doc, "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

fn field_schema(field: &Field) -> Value {
    let mut schema = form_schema(&field.form);
    schema["description"] = field.doc.into();
    if let Absent::Default(default) = field.absent
        && let Ok(node) = parse(default, "default")
    {
        schema["default"] = match node.value {
            yaml::Value::Boolean(value) => value.into(),
            yaml::Value::Number(number) => number.into(),
            yaml::Value::Text(text) => text.into(),
            yaml::Value::List(_) => json!([]),
            yaml::Value::Mapping(_) => json!({}),
            yaml::Value::Nothing => Value::Null,
        };
    }
    schema
}

/// A text with a variable in it.
fn variable() -> Value {
    json!({ "type": "string", "pattern": "\\$\\{" })
}

fn form_schema(form: &Form) -> Value {
    match form {
        Form::Text | Form::Secret => json!({ "type": "string", "minLength": 1 }),
        Form::Pointer => json!({ "type": "string", "pattern": "^/" }),
        Form::Whole(least, most) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, variable()] })
        }
        Form::Number(least, most) => json!({ "anyOf": [{ "type": "number", "minimum": least, "maximum": most }, variable()] }),
        Form::Boolean => json!({ "anyOf": [{ "type": "boolean" }, variable()] }),
        Form::Duration => json!({ "type": "string", "pattern": "^(forever|([0-9]+(d|h|m|s|ms))+|.*\\$\\{.*)$" }),
        Form::Size => json!({ "type": "string", "pattern": "^([0-9]+ *([kKmMgGtT][iI]?)?[bB]|.*\\$\\{.*)$" }),
        Form::Choice(words) => json!({ "enum": words }),
        Form::Scalar => json!({ "type": ["string", "number", "boolean", "null"] }),
        Form::Property => json!({ "type": ["string", "number", "boolean"] }),
        Form::List(of) => json!({ "type": "array", "items": form_schema(of) }),
        Form::Named(of) => json!({ "type": "object", "additionalProperties": form_schema(of) }),
        Form::Section(section) => section_schema(section),
        Form::Either(one, other) => json!({ "anyOf": [form_schema(one), form_schema(other)] }),
    }
}
