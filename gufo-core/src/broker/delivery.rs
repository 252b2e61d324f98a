//! [`Delivery`]: a message together with the duty to settle it.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::Message;
use crate::Result;
use crate::name::Topic;

/// What a backend does for a [`Delivery`].
///
/// Dropping it unsettled must lead to redelivery by the broker's own rule, never to an ack.
#[async_trait]
pub trait Settle: fmt::Debug + Send + Sync + 'static {
    /// Settles the delivery.
    ///
    /// # Errors
    ///
    /// `Unimplemented` for what is not declared; `FailedPrecondition` when the message was given to somebody else meanwhile.
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<()>;

    /// Gives the subscriber `time` from now on to settle.
    ///
    /// # Errors
    ///
    /// As for [`settle`](Self::settle).
    async fn extend(&self, time: Duration) -> Result<()>;
}

/// How a [`Delivery`] ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settlement {
    /// Done.
    Ack,
    /// Deliver again, not before the delay.
    Nack {
        /// From now on.
        delay: Duration,
    },
    /// Never deliver again.
    Reject {
        /// Kept with the message in the dead-letter topic.
        reason: String,
    },
}

/// A message handed to one subscriber, who settles it once: [`ack`](Self::ack), [`nack`](Self::nack) or
/// [`reject`](Self::reject). Dropping it settles nothing: the broker delivers the message again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The topic it was published to.
    pub topic: Topic,
    /// The message; its id is set.
    pub message: Message,
    /// How often this group has been given the message, this time included; 1 at first.
    pub attempt: u32,
    /// Its place in the topic, where the broker counts.
    pub sequence: Option<u64>,
    settle: Box<dyn Settle>,
}

impl Delivery {
    /// A first attempt without a sequence number.
    #[must_use]
    pub fn new(topic: Topic, message: Message, settle: impl Settle) -> Self {
        Self {
            topic,
            message,
            attempt: 1,
            sequence: None,
            settle: Box::new(settle),
        }
    }

    /// Done: the message is not delivered to this group again.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without [`Capabilities::ack`](super::Capabilities::ack); `FailedPrecondition` when it took too long
    /// and the message is somebody else's; `Unavailable` during an outage. After an error expect a redelivery.
    ///
    /// # Cancel safety
    ///
    /// Whether a dropped call has settled is unknown: expect a redelivery.
    pub async fn ack(self) -> Result<()> {
        self.settle.settle(Settlement::Ack).await
    }

    /// Not now: deliver again after `delay`.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack), by [`Capabilities::nack`](super::Capabilities::nack).
    ///
    /// # Cancel safety
    ///
    /// See [`ack`](Self::ack).
    pub async fn nack(self, delay: Duration) -> Result<()> {
        self.settle.settle(Settlement::Nack { delay }).await
    }

    /// Never again: the message goes to the dead-letter topic with `reason`, where there is one.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack).
    ///
    /// # Cancel safety
    ///
    /// See [`ack`](Self::ack).
    pub async fn reject(self, reason: impl Into<String> + Send) -> Result<()> {
        self.settle
            .settle(Settlement::Reject {
                reason: reason.into(),
            })
            .await
    }

    /// Still working: no redelivery for `time` from now on.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack), by [`Capabilities::extend`](super::Capabilities::extend).
    ///
    /// # Cancel safety
    ///
    /// Safe.
    pub async fn extend(&self, time: Duration) -> Result<()> {
        self.settle.extend(time).await
    }
}
