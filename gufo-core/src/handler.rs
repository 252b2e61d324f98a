//! Handler: the one shape of a call, on both sides.

use std::{future::Future, marker::PhantomData, sync::Arc};

use crate::{
    Answer, Context, Format, Messages, Metadata, Payload, Replies, Reply, Status, Streaming,
    Values, Wire,
};

/// Something that answers calls: a typed method, a router, a connection to another process.
///
/// Client and server meet in this trait, which is why an [`Interceptor`](crate::Interceptor) works
/// on both sides and why `memory://` needs no wire.
///
/// # Contract
/// 1. Dropping an answer, or the messages of a reply, cancels the call.
/// 2. An answer owns what it needs: it outlives the borrow of the handler.
/// 3. Both functions answer every call: [`unary`](Handler::unary) is the short way of one with one
///    request and one reply, [`stream`](Handler::stream) that of all others.
pub trait Handler: Send + Sync + 'static {
    /// Answers a call with one request and one reply.
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply>;

    /// Answers a call that streams on one side or both.
    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies>;

    /// Whether messages may be handed over as values.
    fn values(&self) -> Values {
        Values::Encode
    }

    /// The only format there is, where a handler has no choice.
    fn format(&self) -> Option<Format> {
        None
    }
}

impl<H: Handler + ?Sized> Handler for Arc<H> {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        (**self).unary(ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        (**self).stream(ctx, requests)
    }

    fn values(&self) -> Values {
        (**self).values()
    }

    fn format(&self) -> Option<Format> {
        (**self).format()
    }
}

/// A typed message with the metadata around it.
///
/// Handlers may return it instead of the bare message; clients get it by
/// [`Call::response`](crate::Call::response).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "every value is legal")]
pub struct Response<T> {
    /// The message, or the stream of messages.
    pub message: T,
    /// Metadata ahead of the message.
    pub metadata: Metadata,
    /// Metadata after the message.
    pub trailers: Metadata,
}

impl<T> Response<T> {
    /// A response without metadata.
    #[must_use]
    pub const fn new(message: T) -> Self {
        Self {
            message,
            metadata: Metadata::new(),
            trailers: Metadata::new(),
        }
    }
}

impl<T> From<T> for Response<T> {
    fn from(message: T) -> Self {
        Self::new(message)
    }
}

pub(crate) fn encode<W: Wire<T>, T: Send + 'static>(
    message: T,
    format: &Format,
    values: Values,
) -> Result<Payload, Status> {
    match values {
        Values::HandOver => Ok(Payload::value::<W, T>(message)),
        Values::Encode => W::encode(&message, format).map(Payload::Encoded),
    }
}

/// The typed function behind a handler; `K` names the kind of method.
struct Typed<K, F, P> {
    function: Arc<F>,
    types: PhantomData<(K, P)>,
}

impl<K, F, P> Typed<K, F, P> {
    fn new(function: F) -> Arc<Self> {
        Arc::new(Self {
            function: Arc::new(function),
            types: PhantomData,
        })
    }
}

struct UnaryKind;
struct ClientStreamKind;
struct ServerStreamKind;
struct BidiKind;

/// Writes a constructor and the `Handler` impl for one kind of method.
macro_rules! typed_handler {
    ($(#[$doc:meta])* $constructor:ident, $kind:ident, $request:ty, $answer:ty, { $($methods:tt)* }) => {
        $(#[$doc])*
        pub fn $constructor<W, Q, A, R, F, Fut>(function: F) -> Arc<dyn Handler>
        where
            W: Wire<Q> + Wire<A>,
            Q: Send + 'static,
            A: Send + 'static,
            R: Into<Response<$answer>> + 'static,
            F: Fn(Context, $request) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Status>> + Send + 'static,
        {
            Typed::<$kind, F, fn(Q) -> (W, A, R)>::new(function)
        }

        impl<W, Q, A, R, F, Fut> Handler for Typed<$kind, F, fn(Q) -> (W, A, R)>
        where
            W: Wire<Q> + Wire<A>,
            Q: Send + 'static,
            A: Send + 'static,
            R: Into<Response<$answer>> + 'static,
            F: Fn(Context, $request) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Status>> + Send + 'static,
        {
            $($methods)*
        }
    };
}

typed_handler! {
    /// A typed unary method as a handler.
    unary, UnaryKind, Q, A, {
        fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
            let (format, values, eager) = (ctx.format().clone(), ctx.values(), ctx.is_eager());
            let request = match request.into_message::<W, Q>(&format) {
                Ok(request) => request,
                Err(status) => return status.into(),
            };
            let answer = (self.function)(ctx, request);
            Answer::of(eager, async move {
                let response = answer.await?.into();
                let message = encode::<W, A>(response.message, &format, values)?;
                Ok(Reply { metadata: response.metadata, message, trailers: response.trailers })
            })
        }

        fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
            let this = Self { function: Arc::clone(&self.function), types: PhantomData };
            Answer::later(async move {
                let request = requests.single().await?;
                Ok(this.unary(ctx, request).await?.into())
            })
        }
    }
}

typed_handler! {
    /// A typed client-streaming method as a handler.
    client_stream, ClientStreamKind, Streaming<Q>, A, {
        fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
            let replies = self.stream(ctx, Messages::one(request));
            Answer::later(async move { replies.await?.into_reply().await })
        }

        fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
            let (format, values) = (ctx.format().clone(), ctx.values());
            let answer = (self.function)(ctx, Streaming::decode::<W>(requests, format.clone()));
            Answer::later(async move {
                let response = answer.await?.into();
                let message = encode::<W, A>(response.message, &format, values)?;
                let messages = Messages::one(message).with_trailers(response.trailers);
                Ok(Replies { metadata: response.metadata, messages })
            })
        }
    }
}

typed_handler! {
    /// A typed server-streaming method as a handler.
    server_stream, ServerStreamKind, Q, Streaming<A>, {
        fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
            let replies = self.stream(ctx, Messages::one(request));
            Answer::later(async move { replies.await?.into_reply().await })
        }

        fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
            let (format, values) = (ctx.format().clone(), ctx.values());
            let function = Arc::clone(&self.function);
            Answer::later(async move {
                let request = requests.single().await?.into_message::<W, Q>(&format)?;
                Ok(replies::<W, A>(function(ctx, request).await?.into(), format, values))
            })
        }
    }
}

typed_handler! {
    /// A typed method that streams both ways as a handler.
    bidi, BidiKind, Streaming<Q>, Streaming<A>, {
        fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
            let replies = self.stream(ctx, Messages::one(request));
            Answer::later(async move { replies.await?.into_reply().await })
        }

        fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
            let (format, values) = (ctx.format().clone(), ctx.values());
            let answer = (self.function)(ctx, Streaming::decode::<W>(requests, format.clone()));
            Answer::later(async move { Ok(replies::<W, A>(answer.await?.into(), format, values)) })
        }
    }
}

fn replies<W: Wire<A>, A: Send + 'static>(
    response: Response<Streaming<A>>,
    format: Format,
    values: Values,
) -> Replies {
    let messages = response
        .message
        .encode::<W>(format, values)
        .with_trailers(response.trailers);
    Replies {
        metadata: response.metadata,
        messages,
    }
}
