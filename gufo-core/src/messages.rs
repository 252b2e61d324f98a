//! Messages: a stream of payloads, in either direction.

use std::{
    fmt,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use bytes::BytesMut;
use futures_core::Stream;

use crate::{Metadata, Payload, Reply, Status};

/// A source of messages that ends in trailers or in a status.
///
/// # Contract
/// 1. After `Ready(None)` the stream ended well and [`trailers`](MessageStream::trailers) are
///    complete; after `Ready(Some(Err(_)))` it is over as well.
/// 2. A stream that was aborted by its sender ends in an error, never in `Ready(None)`.
/// 3. Dropping it tells the sender that nobody reads any more.
pub trait MessageStream: Send {
    /// The next message.
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>>;

    /// The next message, encoded behind what is in `out` where that saves a buffer of its own.
    /// Whoever wraps a stream passes this on; whoever does not loses nothing but time.
    ///
    /// `out` is as it was unless the message is [there](Written::Here).
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        let _ = out;
        self.poll_next(cx)
            .map(|item| item.map(|message| message.map(Written::Apart)))
    }

    /// Metadata that followed the last message.
    fn trailers(self: Pin<&mut Self>) -> Metadata {
        Metadata::new()
    }
}

/// Where [`MessageStream::poll_write`] left a message.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is no third place")]
pub enum Written {
    /// Behind what was in the buffer.
    Here,
    /// Apart from the buffer.
    Apart(Payload),
}

/// A boxed [`MessageStream`].
pub struct Messages(Repr);

enum Repr {
    Empty,
    One(Payload),
    Stream(Pin<Box<dyn MessageStream>>),
}

impl Messages {
    /// A stream of messages.
    #[must_use]
    pub fn new(stream: impl MessageStream + 'static) -> Self {
        Self(Repr::Stream(Box::pin(stream)))
    }

    /// Messages of an ordinary stream, without trailers.
    #[must_use]
    pub fn from_stream(
        stream: impl Stream<Item = Result<Payload, Status>> + Send + 'static,
    ) -> Self {
        Self::new(Plain {
            stream: Box::pin(stream),
        })
    }

    /// Exactly one message, which costs no box.
    #[must_use]
    pub const fn one(message: Payload) -> Self {
        Self(Repr::One(message))
    }

    /// No message.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Repr::Empty)
    }

    /// Waits for the one message of a call whose sender does not stream.
    ///
    /// # Errors
    /// `InvalidArgument` when there is none or more than one.
    pub async fn single(mut self) -> Result<Payload, Status> {
        let Some(message) = self.next().await.transpose()? else {
            return Err(Status::invalid_argument(
                "the call ended without a message where one was expected",
            ));
        };
        match self.next().await.transpose()? {
            None => Ok(message),
            Some(_) => Err(Status::invalid_argument(
                "the call has more than the one message expected",
            )),
        }
    }

    /// Adds trailers to those of the stream.
    #[must_use]
    pub fn with_trailers(self, trailers: Metadata) -> Self {
        if trailers.is_empty() {
            self
        } else {
            Self::new(Trailed {
                messages: self,
                trailers,
                ended: false,
            })
        }
    }

    /// The next message.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Payload, Status>> {
        std::future::poll_fn(|cx| self.poll_next_message(cx)).await
    }

    /// The next message; see [`MessageStream::poll_next`].
    pub fn poll_next_message(
        &mut self,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        match &mut self.0 {
            Repr::Stream(stream) => stream.as_mut().poll_next(cx),
            Repr::Empty => Poll::Ready(None),
            Repr::One(_) => match std::mem::replace(&mut self.0, Repr::Empty) {
                Repr::One(message) => Poll::Ready(Some(Ok(message))),
                _ => Poll::Ready(None),
            },
        }
    }

    /// The next message, in a buffer; see [`MessageStream::poll_write`].
    pub fn poll_write_message(
        &mut self,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        match &mut self.0 {
            Repr::Stream(stream) => stream.as_mut().poll_write(cx, out),
            Repr::Empty | Repr::One(_) => self
                .poll_next_message(cx)
                .map(|item| item.map(|message| message.map(Written::Apart))),
        }
    }

    /// Metadata that followed the last message; empty before the end.
    pub fn trailers(&mut self) -> Metadata {
        match &mut self.0 {
            Repr::Stream(stream) => stream.as_mut().trailers(),
            Repr::Empty | Repr::One(_) => Metadata::new(),
        }
    }
}

impl Stream for Messages {
    type Item = Result<Payload, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_next_message(cx)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Repr::Empty => "Messages(none)",
            Repr::One(_) => "Messages(one)",
            Repr::Stream(_) => "Messages(stream)",
        })
    }
}

struct Plain<S> {
    stream: Pin<Box<S>>,
}

impl<S: Stream<Item = Result<Payload, Status>> + Send> MessageStream for Plain<S> {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        self.get_mut().stream.as_mut().poll_next(cx)
    }
}

struct Trailed {
    messages: Messages,
    trailers: Metadata,
    ended: bool,
}

impl MessageStream for Trailed {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let item = std::task::ready!(this.messages.poll_next_message(cx));
        this.ended = item.is_none();
        Poll::Ready(item)
    }

    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        let this = self.get_mut();
        let item = std::task::ready!(this.messages.poll_write_message(cx, out));
        this.ended = item.is_none();
        Poll::Ready(item)
    }

    fn trailers(self: Pin<&mut Self>) -> Metadata {
        let this = self.get_mut();
        if !this.ended {
            return Metadata::new();
        }
        let mut trailers = this.messages.trailers();
        trailers.extend(std::mem::take(&mut this.trailers));
        trailers
    }
}

/// The answer to a call that streams: metadata at once, messages as they come.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "every value is legal")]
pub struct Replies {
    /// Metadata that goes ahead of the messages.
    pub metadata: Metadata,
    /// The messages, then the trailers.
    pub messages: Messages,
}

impl Replies {
    /// Replies without metadata.
    #[must_use]
    pub const fn new(messages: Messages) -> Self {
        Self {
            metadata: Metadata::new(),
            messages,
        }
    }

    /// Waits for the one reply of a call whose server does not stream.
    ///
    /// # Errors
    /// The status the call ended with; `Internal` when there is no reply or more than one.
    pub async fn into_reply(mut self) -> Result<Reply, Status> {
        let Some(message) = self.messages.next().await.transpose()? else {
            return Err(Status::internal(
                "the call ended well without the reply it must have",
            ));
        };
        if self.messages.next().await.transpose()?.is_some() {
            return Err(Status::internal(
                "the call has more than the one reply it must have",
            ));
        }
        let trailers = self.messages.trailers();
        Ok(Reply {
            metadata: self.metadata,
            message,
            trailers,
        })
    }
}

impl From<Reply> for Replies {
    fn from(reply: Reply) -> Self {
        Self {
            metadata: reply.metadata,
            messages: Messages::one(reply.message).with_trailers(reply.trailers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn trailers_come_after_the_last_message_only() {
        let mut trailers = Metadata::new();
        trailers.insert("x-after", "1").expect("legal");
        let message = Payload::Encoded(bytes::Bytes::from_static(b"owl"));
        let mut messages = Messages::one(message).with_trailers(trailers);

        assert!(messages.trailers().is_empty());
        assert!(messages.next().await.is_some());
        assert!(messages.trailers().is_empty());
        assert!(messages.next().await.is_none());
        assert_eq!(messages.trailers().get("x-after"), Some("1"));
    }

    #[tokio::test]
    async fn a_call_that_sends_one_message_has_exactly_one() {
        let message = || Ok(Payload::Encoded(bytes::Bytes::new()));

        assert!(Messages::empty().single().await.is_err());
        let two = futures_stream([message(), message()]);
        assert!(Messages::from_stream(two).single().await.is_err());
        let one = futures_stream([message()]);
        assert!(Messages::from_stream(one).single().await.is_ok());
    }

    fn futures_stream<const N: usize>(
        items: [Result<Payload, Status>; N],
    ) -> impl Stream<Item = Result<Payload, Status>> + Send {
        struct Items<I>(I);
        impl<I: Iterator + Unpin> Stream for Items<I> {
            type Item = I::Item;
            fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<I::Item>> {
                Poll::Ready(self.get_mut().0.next())
            }
        }
        Items(items.into_iter())
    }
}
