//! [`Subscription`]: a stream of deliveries.

use std::fmt;

use async_trait::async_trait;

use super::Delivery;
use crate::Result;

/// What a backend does for a [`Subscription`]. Dropping it ends the subscription without waiting.
#[async_trait]
pub trait SubscriptionSource: fmt::Debug + Send + 'static {
    /// The next delivery; `None` when there will be no more. Dropping the future must lose none.
    ///
    /// # Errors
    ///
    /// What ends the subscription for good, such as `PermissionDenied`. An outage is waited out.
    async fn next(&mut self) -> Result<Option<Delivery>>;

    /// Ends the subscription and gives back what was fetched and not yet answered by `next`.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the broker could not be told.
    async fn close(&mut self) -> Result<()>;
}

/// The messages of a topic filter, one delivery after the other.
///
/// Dropping it ends the subscription without waiting; unsettled deliveries stay valid until the broker gives up on them.
#[derive(Debug)]
pub struct Subscription(Box<dyn SubscriptionSource>);

impl Subscription {
    /// Wraps what a backend reads from.
    #[must_use]
    pub fn new(source: impl SubscriptionSource) -> Self {
        Self(Box::new(source))
    }

    /// Waits for the next delivery; `None` when there will be no more.
    ///
    /// # Errors
    ///
    /// What ends the subscription for good, such as `PermissionDenied`. An outage is waited out.
    ///
    /// # Cancel safety
    ///
    /// Safe: no delivery is lost.
    pub async fn next(&mut self) -> Result<Option<Delivery>> {
        self.0.next().await
    }

    /// Ends the subscription: nothing is delivered any more, and what was fetched ahead goes back to the broker.
    ///
    /// Deliveries that were handed out are still to be settled.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the broker could not be told; it then notices by itself.
    ///
    /// # Cancel safety
    ///
    /// A dropped call has ended the subscription as dropping it does.
    pub async fn close(mut self) -> Result<()> {
        self.0.close().await
    }
}

/// How to subscribe; the defaults are a subscription of one's own, from now on, 64 deliveries ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscribeOptions {
    /// Subscribers of one group share the messages; `None`, the default, receives all of them.
    pub group: Option<String>,
    /// Whether the group keeps its position while it has no member; no by default, and it needs a group.
    pub durable: bool,
    /// Where a subscription or a new group begins; [`StartAt::Now`] by default.
    pub start: StartAt,
    /// The most deliveries handed out and not settled; 64 by default, at least 1.
    pub max_in_flight: usize,
    /// After this many attempts a message goes to the dead-letter topic; `None`, the default, is without end.
    pub max_attempts: Option<u32>,
}

impl SubscribeOptions {
    /// A member of `group`, which forgets its position when the last member leaves.
    #[must_use]
    pub fn group(group: impl Into<String>) -> Self {
        Self {
            group: Some(group.into()),
            ..Self::default()
        }
    }

    /// A member of `group`, which keeps its position.
    #[must_use]
    pub fn durable(group: impl Into<String>) -> Self {
        Self {
            durable: true,
            ..Self::group(group)
        }
    }
}

impl Default for SubscribeOptions {
    fn default() -> Self {
        Self {
            group: None,
            durable: false,
            start: StartAt::Now,
            max_in_flight: 64,
            max_attempts: None,
        }
    }
}

/// Where a subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StartAt {
    /// With the first message published after it.
    #[default]
    Now,
    /// With the oldest message kept.
    Earliest,
    /// With the message of this sequence number.
    Sequence(u64),
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;
    use crate::Code;
    use parking_lot::Mutex;
    use std::time::Duration;

    /// Hands out one message again and again until it is settled.
    #[derive(Debug, Clone, Default)]
    struct OneMessage(Arc<Mutex<Vec<Settlement>>>);

    #[async_trait]
    impl Settle for OneMessage {
        async fn settle(self: Box<Self>, settlement: Settlement) -> Result<()> {
            self.0.lock().push(settlement);
            Ok(())
        }

        async fn extend(&self, _: Duration) -> Result<()> {
            Err(Error::unimplemented("no extend"))
        }
    }

    #[async_trait]
    impl SubscriptionSource for OneMessage {
        async fn next(&mut self) -> Result<Option<Delivery>> {
            if !self.0.lock().is_empty() {
                return Ok(None);
            }
            Ok(Some(Delivery::new(
                Topic::parse("orders")?,
                Message::new("hoot"),
                self.clone(),
            )))
        }

        async fn close(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn dropping_a_delivery_settles_nothing() {
        let source = OneMessage::default();
        let mut subscription = Subscription::new(source.clone());

        drop(subscription.next().await.unwrap());

        assert!(source.0.lock().is_empty());
        assert!(subscription.next().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_delivery_is_settled_once_by_its_type() {
        let source = OneMessage::default();
        let mut subscription = Subscription::new(source.clone());
        let delivery = subscription.next().await.unwrap().unwrap();
        assert_eq!(
            delivery.extend(Duration::ZERO).await.unwrap_err().code(),
            Code::Unimplemented
        );

        delivery.reject("spoiled").await.unwrap();

        assert_eq!(
            *source.0.lock(),
            [Settlement::Reject {
                reason: "spoiled".into()
            }]
        );
        assert!(subscription.next().await.unwrap().is_none());
        subscription.close().await.unwrap();
    }
}
