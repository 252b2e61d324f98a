//! What a format declares.

use crate::Format;

/// What a format claims to do. What it does not claim is checked to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// How the fields of a message are told apart; by name unless said otherwise.
    pub fields: Fields,
    /// What an empty body is; refused unless said otherwise.
    pub empty_body: EmptyBody,
    /// How the end of a message is known; marked unless said otherwise.
    pub end: End,
}

/// How the fields of a message are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fields {
    /// By name, with the kind of the value: unknown fields are skipped, `null` is known, and a number
    /// that does not fit is refused.
    Named,
    /// By number, without the kind of the value: unknown fields are skipped; a number that does not
    /// fit may be read as another one.
    Numbered,
    /// By position: a message with more fields than its reader knows is refused.
    Positional,
}

/// What an empty body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyBody {
    /// The message with every field at its default.
    Message,
    /// `InvalidArgument`.
    Refused,
}

/// How the end of a message is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// By the message itself: less of it, and anything after it, is refused.
    Marked,
    /// It is the end of the bytes: a part of a message may be a message.
    OfBytes,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            fields: Fields::Named,
            empty_body: EmptyBody::Refused,
            end: End::Marked,
        }
    }
}

impl Capabilities {
    /// What a built-in format declares; the default for one of an application's own.
    #[must_use]
    pub fn of(format: &Format) -> Self {
        match format {
            Format::Json => Self {
                empty_body: EmptyBody::Message,
                ..Self::default()
            },
            Format::Protobuf => Self {
                fields: Fields::Numbered,
                empty_body: EmptyBody::Message,
                end: End::OfBytes,
            },
            _ => Self::default(),
        }
    }
}
