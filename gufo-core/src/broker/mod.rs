//! [`Broker`]: messages published to topics and delivered to subscriptions. The contract; backends are elsewhere.

mod delivery;
mod message;
mod subscription;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub use delivery::{Delivery, Settle, Settlement};
pub use message::{Durability, Message, Receipt};
pub use subscription::{StartAt, SubscribeOptions, Subscription, SubscriptionSource};

use crate::name::{Topic, TopicFilter};
use crate::{Error, Result};

/// Where messages are published and subscribed to.
///
/// A handle is connected when it is opened and works on one namespace. `Arc<B>` and `Box<B>` are brokers too.
///
/// # Contract
///
/// Each promise is a check of the broker suite.
///
/// Publishing
/// 1. A message arrives with equal body, key and headers, from an empty body to one of [`Capabilities::max_message`]
///    bytes; a larger one is `ResourceExhausted` and stored in no part.
/// 2. A [`Receipt`] means stored, against the fault its [`Durability`] names. Without [`Capabilities::receipt`] it means
///    handed to the backend.
/// 3. Publishing never runs a subscriber's code in the publisher's task, and during an outage ends with `Unavailable` or
///    succeeds later; it never succeeds without delivery.
/// 4. The id of a message is the same on every delivery, to every group.
///
/// Delivering
/// 5. Every subscription without a group receives every message; of one group, one member does.
/// 6. Messages published before a subscription began are delivered to it exactly when [`Capabilities::retain`] is
///    declared and [`SubscribeOptions::start`] asks for them.
/// 7. With [`Capabilities::key_order`] the messages of one key arrive in publishing order, redelivery included.
/// 8. At most [`SubscribeOptions::max_in_flight`] deliveries are unsettled at a time; what a slow subscriber does not
///    take waits at the broker.
/// 9. After the connection was lost and came back, a subscription goes on by itself, group included.
///
/// Settling, with [`Capabilities::ack`]
/// 10. What is not settled, since it was dropped or its subscriber is gone, is delivered again; never taken as done.
/// 11. A nacked message comes back not before its delay; a rejected one never does, and with
///     [`Capabilities::dead_letter`] it then stands in the dead-letter topic with its reason.
/// 12. The attempt number starts at 1 and grows by one per delivery of a message within a group.
/// 13. [`Delivery::extend`] keeps a message from being redelivered while work goes on.
///
/// Everywhere
/// 14. What [`Capabilities`] does not declare is `Unimplemented`, at once and without effect.
#[async_trait]
pub trait Broker: fmt::Debug + Send + Sync + 'static {
    /// Publishes `message` to `topic`.
    ///
    /// # Errors
    ///
    /// `ResourceExhausted` for a message over the limit, `Unavailable` when the backend cannot be reached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call has published once or not at all; repeating it with the same [`Message::id`] is safe only where the
    /// backend removes duplicates.
    async fn publish(&self, topic: &Topic, message: Message) -> Result<Receipt>;

    /// Publishes `messages` in order, with one result for each.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without [`Capabilities::batch`], which is the default; otherwise an error here means that nothing
    /// was tried.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have published any prefix.
    async fn publish_many(
        &self,
        topic: &Topic,
        messages: Vec<Message>,
    ) -> Result<Vec<Result<Receipt>>> {
        let _ = (topic, messages);
        Err(Error::unimplemented(
            "this broker cannot publish in batches",
        ))
    }

    /// Subscribes to every topic that `filter` matches.
    ///
    /// # Errors
    ///
    /// `Unimplemented` when an option needs a capability that is not declared, `Unavailable` when the backend cannot be
    /// reached.
    ///
    /// # Cancel safety
    ///
    /// A dropped call leaves no subscription that anybody could read from; a durable group may exist then.
    async fn subscribe(
        &self,
        filter: &TopicFilter,
        options: SubscribeOptions,
    ) -> Result<Subscription>;

    /// What this broker can do.
    fn capabilities(&self) -> Capabilities;
}

macro_rules! forward {
    ($($pointer:ident)*) => {$(
        #[async_trait]
        impl<B: Broker + ?Sized> Broker for $pointer<B> {
            async fn publish(&self, topic: &Topic, message: Message) -> Result<Receipt> {
                (**self).publish(topic, message).await
            }

            async fn publish_many(&self, topic: &Topic, messages: Vec<Message>) -> Result<Vec<Result<Receipt>>> {
                (**self).publish_many(topic, messages).await
            }

            async fn subscribe(&self, filter: &TopicFilter, options: SubscribeOptions) -> Result<Subscription> {
                (**self).subscribe(filter, options).await
            }

            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }
        }
    )*};
}
forward!(Arc Box);

/// What a broker can do; at most once to whoever listens by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Deliveries are settled: `ack`, `reject`, and redelivery of what is not settled.
    pub ack: bool,
    /// [`Delivery::nack`] with a delay.
    pub nack: bool,
    /// [`Delivery::extend`].
    pub extend: bool,
    /// Rejected messages, and those over the limit of attempts, go to a dead-letter topic.
    pub dead_letter: bool,
    /// [`SubscribeOptions::max_attempts`].
    pub retry_limit: bool,
    /// A receipt means stored.
    pub receipt: bool,
    /// Messages outlive the absence of subscribers.
    pub retain: bool,
    /// [`StartAt::Earliest`] and [`StartAt::Sequence`].
    pub replay: bool,
    /// [`SubscribeOptions::group`].
    pub group: bool,
    /// Messages of one key keep their order.
    pub key_order: bool,
    /// [`Broker::publish_many`].
    pub batch: bool,
    /// The largest message body in bytes; `None` for no limit of its own.
    pub max_message: Option<usize>,
}
