//! The ways to reach a customer.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A contact channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A visit.
    FaceToFace,
    /// A telephone call by a person.
    Phone,
    /// A text message.
    Sms,
    /// An e-mail.
    Email,
    /// A WhatsApp message.
    Whatsapp,
    /// A recorded voice call.
    Ivr,
    /// An online advertisement.
    Digital,
}

impl Channel {
    /// Number of channels.
    pub const COUNT: usize = 7;

    /// All channels, in index order.
    pub const ALL: [Self; Self::COUNT] =
        [Self::FaceToFace, Self::Phone, Self::Sms, Self::Email, Self::Whatsapp, Self::Ivr, Self::Digital];

    /// Position in [`Channel::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::FaceToFace => "face_to_face",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Whatsapp => "whatsapp",
            Self::Ivr => "ivr",
            Self::Digital => "digital",
        }
    }

    /// Channels that the law allows only with the customer's consent.
    pub fn needs_consent(self) -> bool {
        matches!(self, Self::Sms | Self::Email | Self::Whatsapp | Self::Ivr)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|channel| channel.name() == text).ok_or(UnknownChannel)
    }
}

/// The text names no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a channel")]
pub struct UnknownChannel;
