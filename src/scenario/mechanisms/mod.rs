//! The mechanisms that a scenario may switch off or give priors to, by name.
//!
//! A new mechanism is one row of [`MECHANISMS`]: the JSON Schema, the check of `[mechanism.*]` and its errors follow.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

mod table;

pub use table::MECHANISMS;

use std::fmt::Write as _;

use super::{Prior, raw};
use crate::origin::Origin;

/// A mechanism as a scenario sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mechanism {
    /// Name in `[mechanism.<name>]`.
    pub name: &'static str,
    /// What it does, in one sentence for the user.
    pub help: &'static str,
    /// Whether `on = false` is allowed; the market cannot be simulated without the others.
    pub switchable: bool,
    /// Whether it is on when the scenario says nothing.
    pub usual: Usual,
    /// Its file in `simulate/mechanisms`; empty for what only placing uses.
    pub file: &'static str,
    pub parameters: &'static [Parameter],
}

/// Whether a mechanism is on when the scenario says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    Always,
    /// On in markets that have these data.
    WithData(&'static str),
    /// Off, for this reason.
    Off(&'static str),
}

/// A parameter of a mechanism that may be given a prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    pub name: &'static str,
    /// Symbol in the equations; empty for none.
    pub symbol: &'static str,
    /// Unit; empty for a pure number.
    pub unit: &'static str,
    /// Prior when the scenario gives none; `None` where there is none to fall back on, and the data must tell.
    pub prior: Option<Prior>,
    /// Where the default prior is from, and in which publication or on what grounds.
    pub origin: Origin,
    pub source: &'static str,
    /// Values it can take.
    pub support: Support,
    /// What it is, with its unit.
    pub help: &'static str,
}

/// The values that a parameter can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// 0 and above.
    Positive,
    /// 0 to 1.
    Fraction,
    /// Any number.
    Real,
}

/// A mechanism's parameter, by names.
pub fn find_parameter(mechanism: &str, parameter: &str) -> Option<&'static Parameter> {
    let mechanism = MECHANISMS.iter().find(|known| known.name == mechanism)?;
    mechanism.parameters.iter().find(|known| known.name == parameter)
}

/// The registry as the tables of `docs/model.md`.
pub fn parameter_tables() -> String {
    let mut out = String::new();
    out.push_str("| mechanism | what it does | file | on when the scenario says nothing |\n|---|---|---|---|\n");
    for mechanism in MECHANISMS {
        let usual = match (mechanism.usual, mechanism.switchable) {
            (Usual::Always, true) => "yes".to_owned(),
            (Usual::Always, false) => "yes; cannot be switched off".to_owned(),
            (Usual::WithData(needed), _) => format!("with {needed}"),
            (Usual::Off(why), _) => format!("no: {why}"),
        };
        let file = if mechanism.file.is_empty() { String::new() } else { format!("`{}.rs`", mechanism.file) };
        let _ = writeln!(out, "| `{}` | {} | {file} | {usual} |", mechanism.name, mechanism.help);
    }
    out.push_str("\n| parameter | symbol | meaning | unit | values | default prior | origin | source |\n");
    out.push_str("|---|---|---|---|---|---|---|---|\n");
    for mechanism in MECHANISMS {
        for parameter in mechanism.parameters {
            let values = match parameter.support {
                Support::Positive => "0 and above",
                Support::Fraction => "0 to 1",
                Support::Real => "any",
            };
            let prior = parameter.prior.map_or_else(|| "none".to_owned(), |prior| prior.to_string());
            let Parameter { name, symbol, unit, origin, source, help, .. } = parameter;
            let symbol = if symbol.is_empty() { String::new() } else { format!("`{symbol}`") };
            let _ = writeln!(
                out,
                "| `{}.{name}` | {symbol} | {help} | {unit} | {values} | {prior} | {origin} | {source} |",
                mechanism.name
            );
        }
    }
    out
}

/// Schema of `[mechanism]`: a table with one optional table for each mechanism.
pub(super) fn mechanisms_schema(generator: &mut SchemaGenerator) -> Schema {
    let prior = generator.subschema_for::<raw::Prior>();
    let table = |description: &str, properties: Map<String, Value>| {
        json!({
            "type": "object",
            "description": description,
            "properties": properties,
            "additionalProperties": false,
        })
    };
    let mut mechanisms = Map::new();
    for mechanism in MECHANISMS {
        let mut priors = Map::new();
        for parameter in mechanism.parameters {
            let mut schema = prior.clone();
            let values = match parameter.support {
                Support::Positive => "0 and above",
                Support::Fraction => "0 to 1",
                Support::Real => "any number",
            };
            schema.insert("description".into(), format!("{} Values: {values}.", parameter.help).into());
            priors.insert(parameter.name.into(), schema.to_value());
        }
        let mut properties = Map::new();
        if mechanism.switchable {
            properties.insert("on".into(), json!({ "type": "boolean", "description": "false switches it off." }));
        }
        properties.insert("prior".into(), table("Priors of its parameters.", priors));
        mechanisms.insert(mechanism.name.into(), table(mechanism.help, properties));
    }
    let mut schema = json_schema!({ "type": "object", "additionalProperties": false });
    schema.insert("properties".into(), mechanisms.into());
    schema
}
