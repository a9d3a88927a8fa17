//! Where a figure comes from; it travels with every effect through to the report.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Estimated from the user's own files.
    YourData,
    /// A published estimate; the source is cited.
    Literature,
    /// Nobody has measured it: a wide prior.
    Assumption,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::YourData => "your data",
            Self::Literature => "literature",
            Self::Assumption => "assumption",
        })
    }
}
