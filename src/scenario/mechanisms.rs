//! The mechanisms that a scenario may switch off or give priors to, by name.
//!
//! A new mechanism is one row of [`MECHANISMS`]: the JSON Schema, the check of `[mechanism.*]` and its errors follow.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::raw;

/// A mechanism as a scenario sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mechanism {
    /// Name in `[mechanism.<name>]`.
    pub name: &'static str,
    /// What it does, in one sentence for the user.
    pub help: &'static str,
    /// Whether `on = false` is allowed; the market cannot be simulated without the others.
    pub switchable: bool,
    pub parameters: &'static [Parameter],
}

/// A parameter of a mechanism that may be given a prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
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

const fn parameter(name: &'static str, support: Support, help: &'static str) -> Parameter {
    Parameter { name, support, help }
}

/// All mechanisms.
pub const MECHANISMS: &[Mechanism] = &[
    Mechanism {
        name: "demand",
        help: "What customers need of the category.",
        switchable: false,
        parameters: &[parameter(
            "shock_sd",
            Support::Positive,
            "Standard deviation of the log of a territory's monthly demand shock.",
        )],
    },
    Mechanism {
        name: "feasts",
        help: "Feasts that move through the year, and the events of calendar.csv, change demand before, in and after them.",
        switchable: true,
        parameters: &[
            parameter("pre", Support::Real, "Log change of a day's demand in the 10 days before a feast."),
            parameter("feast", Support::Real, "Log change of a day's demand on a day of a feast."),
            parameter("post", Support::Real, "Log change of a day's demand in the 7 days after a feast."),
            parameter("fast", Support::Real, "Log change of a day's demand in Ramazan, the month of fasting."),
        ],
    },
    Mechanism {
        name: "goodwill",
        help: "Contacts build goodwill, which fades.",
        switchable: true,
        parameters: &[
            parameter("decay", Support::Fraction, "Share of goodwill left after a month."),
            parameter("effect_face_to_face", Support::Real, "Goodwill from a visit."),
            parameter("effect_phone", Support::Real, "Goodwill from a telephone call."),
            parameter("effect_sms", Support::Real, "Goodwill from a text message."),
            parameter("effect_email", Support::Real, "Goodwill from an e-mail."),
            parameter("effect_whatsapp", Support::Real, "Goodwill from a WhatsApp message."),
            parameter("effect_ivr", Support::Real, "Goodwill from a recorded call."),
            parameter("effect_digital", Support::Real, "Goodwill from an online advertisement."),
            parameter(
                "half_saturation",
                Support::Positive,
                "Contacts a month at which half of the greatest effect is reached.",
            ),
        ],
    },
    Mechanism {
        name: "choice",
        help: "Customers divide their demand between us and the competitors.",
        switchable: false,
        parameters: &[parameter(
            "share_of_wallet",
            Support::Fraction,
            "Our share of a served customer's category demand.",
        )],
    },
    Mechanism {
        name: "orders",
        help: "Demand becomes orders.",
        switchable: false,
        parameters: &[parameter("order_unit", Support::Positive, "Mean size of one order, in demand units.")],
    },
    Mechanism {
        name: "loading",
        help: "Stock sold ahead eats into the orders that follow.",
        switchable: true,
        parameters: &[parameter("depth", Support::Positive, "Months of demand sold ahead.")],
    },
    Mechanism {
        name: "reps",
        help: "Reps have a capacity for calls, less their travel.",
        switchable: true,
        parameters: &[parameter("travel", Support::Positive, "Strength of the loss of calls to travel.")],
    },
    Mechanism {
        name: "rep_turnover",
        help: "Reps leave, seats stay vacant, successors ramp up.",
        switchable: true,
        parameters: &[parameter("leave_hazard", Support::Fraction, "Probability that a rep leaves in a month.")],
    },
    Mechanism {
        name: "discovery",
        help: "Dark customers become known to us.",
        switchable: true,
        parameters: &[
            parameter("spontaneous", Support::Fraction, "Probability a month that a dark customer turns up by itself."),
            parameter(
                "prospecting_yield",
                Support::Positive,
                "Dark customers found by one prospecting call where all are dark.",
            ),
            parameter("referral", Support::Positive, "Strength of referral by served customers (the q of Bass)."),
        ],
    },
    Mechanism {
        name: "conversion",
        help: "Known customers begin to buy from us.",
        switchable: true,
        parameters: &[
            parameter("base_hazard", Support::Fraction, "Probability a month of a first order, without goodwill."),
            parameter("goodwill_effect", Support::Real, "Change of the log hazard by one unit of goodwill."),
        ],
    },
    Mechanism {
        name: "churn",
        help: "Served customers stop buying from us.",
        switchable: true,
        parameters: &[parameter("hazard", Support::Fraction, "Probability that a served customer lapses in a month.")],
    },
    Mechanism {
        name: "word_of_mouth",
        help: "Neighbours who buy from us change a customer's choice.",
        switchable: true,
        parameters: &[parameter(
            "strength",
            Support::Real,
            "Log odds of choosing us per unit of the neighbours' influence-weighted share; its sign is free.",
        )],
    },
    Mechanism {
        name: "dark",
        help: "How dark customers differ from known ones.",
        switchable: false,
        parameters: &[
            parameter("size_ratio", Support::Positive, "Mean demand of a dark customer over that of a known one."),
            parameter("size_cv", Support::Positive, "Coefficient of variation of dark customers' demand."),
        ],
    },
];

/// A mechanism's parameter, by names.
pub(super) fn find_parameter(mechanism: &str, parameter: &str) -> Option<&'static Parameter> {
    let mechanism = MECHANISMS.iter().find(|known| known.name == mechanism)?;
    mechanism.parameters.iter().find(|known| known.name == parameter)
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
