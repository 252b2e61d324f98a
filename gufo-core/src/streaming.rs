//! Streaming: a stream of typed messages.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use bytes::BytesMut;
use futures_core::Stream;
use tokio::sync::mpsc;

use crate::{Format, MessageStream, Messages, Metadata, Payload, Status, Wire, Written};

/// A stream of typed messages: what a streaming method takes and gives.
///
/// Servers see items of `Result<T, Status>`, clients of `Result<T, Error>`. After an error the
/// stream is over. Dropping it cancels: the other side stops sending.
///
/// ```
/// # async fn example() -> Result<(), gufo_core::Status> {
/// use gufo_core::Streaming;
///
/// let mut owls = Streaming::<&str>::iter(["tawny", "barn"]);
/// assert_eq!(owls.next().await?, Some("tawny"));
/// # Ok(()) }
/// ```
pub struct Streaming<T, E = Status> {
    items: Items<T, E>,
}

enum Items<T, E> {
    Wire {
        messages: Messages,
        format: Format,
        decode: fn(Payload, &Format) -> Result<T, Status>,
        done: bool,
    },
    Local(Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>),
    Channel(mpsc::Receiver<Result<T, E>>),
}

/// The sending half of [`Streaming::channel`].
pub struct Sender<T, E = Status>(mpsc::Sender<Result<T, E>>);

impl<T: Send + 'static, E: From<Status> + Send + 'static> Streaming<T, E> {
    /// Wraps an ordinary stream.
    #[must_use]
    pub fn new(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self {
        Self {
            items: Items::Local(Box::pin(stream)),
        }
    }

    /// The items of an iterator.
    #[must_use]
    pub fn iter<I>(items: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 'static,
    {
        Self::new(Iter {
            items: items.into_iter(),
            error: PhantomData,
        })
    }

    /// A stream fed by hand. The sender waits once `capacity` messages are not yet taken; dropping
    /// it ends the stream.
    #[must_use]
    pub fn channel(capacity: usize) -> (Sender<T, E>, Self) {
        let (tx, rx) = mpsc::channel(capacity.max(1));
        (
            Sender(tx),
            Self {
                items: Items::Channel(rx),
            },
        )
    }

    /// Typed messages out of encoded ones.
    #[must_use]
    pub fn decode<W: Wire<T>>(messages: Messages, format: Format) -> Self {
        Self {
            items: Items::Wire {
                messages,
                format,
                decode: Payload::into_message::<W, T>,
                done: false,
            },
        }
    }

    /// Typed replies out of encoded ones, for their caller.
    pub(crate) fn replies<W: Wire<T>>(messages: Messages, format: Format) -> Self {
        Self {
            items: Items::Wire {
                messages,
                format,
                decode: Payload::into_reply::<W, T>,
                done: false,
            },
        }
    }

    /// The next message, `None` at a regular end.
    ///
    /// # Errors
    /// The status the stream was ended with; an aborted stream is always an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<T>, E> {
        std::future::poll_fn(|cx| self.poll_item(cx))
            .await
            .transpose()
    }

    /// All messages up to the end. Bounded by the sender only: for streams known to be short.
    ///
    /// # Errors
    /// As [`Streaming::next`].
    pub async fn collect(mut self) -> Result<Vec<T>, E> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await? {
            all.push(item);
        }
        Ok(all)
    }

    /// Metadata that followed the last message; empty before the end.
    pub fn trailers(&mut self) -> Metadata {
        match &mut self.items {
            Items::Wire { messages, .. } => messages.trailers(),
            Items::Local(_) | Items::Channel(_) => Metadata::new(),
        }
    }

    fn poll_item(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Result<T, E>>> {
        match &mut self.items {
            Items::Local(stream) => stream.as_mut().poll_next(cx),
            Items::Channel(receiver) => receiver.poll_recv(cx),
            Items::Wire { done: true, .. } => Poll::Ready(None),
            Items::Wire {
                messages,
                format,
                decode,
                done,
            } => {
                let item = std::task::ready!(messages.poll_next_message(cx));
                let item = item.map(|message| message.and_then(|message| decode(message, format)));
                *done = !matches!(item, Some(Ok(_)));
                Poll::Ready(item.map(|item| item.map_err(E::from)))
            }
        }
    }
}

impl<T: Send + 'static> Streaming<T> {
    /// Messages of a stream that is to be sent.
    #[must_use]
    pub fn encode<W: Wire<T>>(self, format: Format, values: crate::Values) -> Messages {
        Messages::new(Encode::<W, T> {
            stream: self,
            format,
            values,
            wire: PhantomData,
        })
    }
}

impl<T, E> Sender<T, E> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// `Cancelled` when nobody reads any more.
    ///
    /// # Cancel safety
    /// Dropping the future sends nothing.
    pub async fn send(&self, message: T) -> Result<(), Status> {
        self.0
            .send(Ok(message))
            .await
            .map_err(|_| Status::cancelled("the stream's reader has gone"))
    }

    /// Ends the stream with an error, waiting for room.
    pub async fn fail(self, error: E) {
        // A reader that has gone does not need the error.
        let _ = self.0.send(Err(error)).await;
    }

    /// Waits until nobody reads any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

impl<T: Send + 'static, E: From<Status> + Send + 'static> Stream for Streaming<T, E> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(cx)
    }
}

impl<T, E> Unpin for Streaming<T, E> {}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streaming<{}>", std::any::type_name::<T>())
    }
}

impl<T, E> fmt::Debug for Sender<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender<{}>", std::any::type_name::<T>())
    }
}

struct Encode<W, T> {
    stream: Streaming<T>,
    format: Format,
    values: crate::Values,
    wire: PhantomData<fn() -> W>,
}

impl<W: Wire<T>, T: Send + 'static> MessageStream for Encode<W, T> {
    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Payload, Status>>> {
        let this = self.get_mut();
        let item = std::task::ready!(this.stream.poll_item(cx));
        Poll::Ready(item.map(|item| {
            item.and_then(|message| {
                crate::handler::encode::<W, T>(message, &this.format, this.values)
            })
        }))
    }

    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        out: &mut BytesMut,
    ) -> Poll<Option<Result<Written, Status>>> {
        if self.values == crate::Values::HandOver {
            let item = std::task::ready!(self.poll_next(cx));
            return Poll::Ready(item.map(|message| message.map(Written::Apart)));
        }
        let this = self.get_mut();
        let item = std::task::ready!(this.stream.poll_item(cx));
        Poll::Ready(item.map(|item| {
            let before = out.len();
            item.and_then(|message| W::encode_to(&message, &this.format, out))
                .map(|()| Written::Here)
                .inspect_err(|_| out.truncate(before))
        }))
    }
}

struct Iter<I, E> {
    items: I,
    error: PhantomData<fn() -> E>,
}

impl<I, E> Unpin for Iter<I, E> {}

impl<I: Iterator, E> Stream for Iter<I, E> {
    type Item = Result<I::Item, E>;

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.get_mut().items.next().map(Ok))
    }
}
