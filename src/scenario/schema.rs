//! The JSON Schema of scenario files: made from the raw types, committed as `docs/scenario.schema.json`, and walked by
//! `shape` to check a file's structure, so that what editors are told and what is accepted cannot differ.

use serde_json::Value;

use super::raw;

/// The JSON Schema (draft 2020-12) of scenario files, as `ikiz schema` prints it.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("a JSON value can always be written");
    text.push('\n');
    text
}

/// The schema as a value.
pub(super) fn schema() -> Value {
    let mut schema = schemars::schema_for!(raw::Scenario).to_value();
    forget_null(&mut schema);
    schema
}

/// TOML has no null: an optional field is one that may be absent.
fn forget_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(forget_null),
        Value::Object(map) => {
            if map.get("default") == Some(&Value::Null) {
                map.remove("default");
            }
            if let Some(Value::Object(default)) = map.get_mut("default") {
                default.retain(|_, value| !value.is_null());
            }
            if let Some(Value::Array(types)) = map.get("type")
                && let [only] = types.iter().filter(|kind| *kind != "null").collect::<Vec<_>>()[..]
            {
                let only = only.clone();
                map.insert("type".into(), only);
            }
            if let Some(Value::Array(choices)) = map.get("anyOf")
                && let [Value::Object(only)] =
                    choices.iter().filter(|choice| choice["type"] != "null").collect::<Vec<_>>()[..]
            {
                let only = only.clone();
                map.remove("anyOf");
                for (key, value) in only {
                    map.entry(key).or_insert(value);
                }
            }
            map.values_mut().for_each(forget_null);
        }
        _ => {}
    }
}
