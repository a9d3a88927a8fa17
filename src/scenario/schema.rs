//! The JSON Schema of scenario files: made from the raw types, committed as `docs/scenario.schema.json`, and walked by
//! `shape` to check a file's structure, so that what editors are told and what is accepted cannot differ.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::raw;

/// The JSON Schema (draft 2020-12) of scenario files, as `ikiz schema` prints it.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(schema()).expect("a JSON value can always be written");
    text.push('\n');
    text
}

/// The schema as a value.
pub(super) fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(generated);
    &SCHEMA
}

fn generated() -> Value {
    let mut schema = tidy(schemars::schema_for!(raw::Scenario).to_value());
    // What the schema is comes first for whoever opens it.
    if let Value::Object(map) = &mut schema {
        let mut ordered = Map::new();
        for key in ["$schema", "title", "description"] {
            ordered.extend(map.remove_entry(key));
        }
        ordered.extend(std::mem::take(map));
        *map = ordered;
    }
    schema
}

/// TOML has no null: an optional field is one that may be absent. Doc comments become one line, and a section's default
/// is that of its fields.
fn tidy(schema: Value) -> Value {
    match schema {
        Value::Array(items) => Value::Array(items.into_iter().map(tidy).collect()),
        Value::Object(map) => {
            let mut tidied = Map::new();
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("default", Value::Null | Value::Object(_) | Value::Array(_)) => {}
                    ("description", Value::String(text)) => {
                        tidied.insert(key, text.replace('\n', " ").into());
                    }
                    ("type", Value::Array(kinds)) => {
                        tidied.insert(key, kinds.into_iter().find(|kind| kind != "null").unwrap_or_default());
                    }
                    // `anyOf` is made for optional fields alone: a type or null.
                    ("anyOf", Value::Array(choices)) => {
                        let only = choices.into_iter().find(|choice| choice["type"] != "null").map(tidy);
                        if let Some(Value::Object(only)) = only {
                            tidied.extend(only);
                        }
                    }
                    (_, value) => {
                        tidied.insert(key, tidy(value));
                    }
                }
            }
            Value::Object(tidied)
        }
        plain => plain,
    }
}
