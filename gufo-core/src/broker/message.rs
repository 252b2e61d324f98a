//! [`Message`]: what is published, and the [`Receipt`] for it.

use bytes::Bytes;

use crate::Metadata;

/// What is published: a body with headers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Message {
    /// Identifies the message on every delivery; the broker gives one when it is `None`.
    pub id: Option<String>,
    /// Messages of one key keep their order, where [`Capabilities::key_order`](super::Capabilities::key_order) says so.
    pub key: Option<String>,
    /// Headers, trace context and content type among them.
    pub headers: Metadata,
    /// The payload.
    pub body: Bytes,
}

impl Message {
    /// A message with this body and no key or headers.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// Sets the key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the id, for brokers that remove duplicates.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// That a message was taken, and what that means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The id under which it is delivered.
    pub id: String,
    /// Its place in the topic, where the broker counts.
    pub sequence: Option<u64>,
    /// The worst fault the message survives.
    pub durability: Durability,
}

impl Receipt {
    /// A receipt without a sequence number.
    #[must_use]
    pub fn new(id: impl Into<String>, durability: Durability) -> Self {
        Self {
            id: id.into(),
            sequence: None,
            durability,
        }
    }
}

/// The worst fault that a message with a [`Receipt`] survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// None: handed over, delivered to whoever listens.
    HandedOver,
    /// The loss of a subscriber or connection: held in the broker's memory.
    Memory,
    /// The end of the broker's process: written to its operating system.
    Process,
    /// The loss of power at one machine: written through to its disk.
    Disk,
    /// The loss of one machine: stored on a majority.
    Replicated,
}
