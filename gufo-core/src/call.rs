//! Call: one call of a typed client, with its options, awaited for its answer.

use std::{
    fmt,
    future::IntoFuture,
    marker::PhantomData,
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use crate::{
    Answer, BoxFuture, Caller, Cancel, Compression, Context, Deadline, Error, Format, Messages,
    Metadata, MethodRef, NESTED_MARGIN, Replies, Reply, Response, Result, Status, Streaming, Trace,
    Values, Watchdog, Wire, handler,
};

/// One message on a side of a call.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a message")]
pub struct One<T>(pub T);

/// A stream of messages on a side of a call.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a stream")]
pub struct Many<T>(pub Streaming<T>);

/// One call of a typed client. Awaiting it sends it; dropping the future, or the stream it gives,
/// cancels it on the server.
///
/// `Q` and `A` are [`One`] or [`Many`] of the request and reply types.
///
/// ```text
/// let reply = greeter.hello(request).timeout(Duration::from_secs(1)).within(&ctx).await?;
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct Call<W, Q, A> {
    caller: Caller,
    method: MethodRef,
    request: Q,
    options: Options,
    types: PhantomData<fn() -> (W, A)>,
}

struct Options {
    deadline: Deadline,
    /// That of the call this one is made on behalf of.
    outer: Deadline,
    metadata: Metadata,
    format: Option<Format>,
    compression: Option<Compression>,
    trace: Option<Trace>,
    cancel: Option<Cancel>,
    error: Option<Error>,
}

impl<W, Q, A> Call<W, Q, A> {
    /// A call of a method; generated clients do this.
    pub fn new(caller: &Caller, method: impl Into<MethodRef>, request: Q) -> Self {
        let defaults = &caller.defaults;
        let options = Options {
            deadline: defaults.timeout.map_or(Deadline::NONE, Deadline::after),
            outer: Deadline::NONE,
            metadata: Metadata::new(),
            format: defaults.format.clone(),
            compression: defaults.compression,
            trace: None,
            cancel: None,
            error: None,
        };
        Self {
            caller: caller.clone(),
            method: method.into(),
            request,
            options,
            types: PhantomData,
        }
    }

    /// Ends the call this long from now, whatever the client's default.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.deadline(Deadline::after(timeout))
    }

    /// Ends the call at this point in time, whatever the client's default.
    pub fn deadline(mut self, deadline: Deadline) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// Adds a metadata entry; an illegal one fails the call before it is sent.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        if let Err(error) = self.options.metadata.append(name, value) {
            self.options.error.get_or_insert(error);
        }
        self
    }

    /// Adds metadata entries.
    pub fn metadata_all(mut self, metadata: Metadata) -> Self {
        self.options.metadata.extend(metadata);
        self
    }

    /// Chooses the format of the messages.
    pub fn format(mut self, format: Format) -> Self {
        self.options.format = Some(format);
        self
    }

    /// Compresses the request.
    pub fn compress(mut self, compression: Compression) -> Self {
        self.options.compression = Some(compression);
        self
    }

    /// Makes the call on behalf of the one being handled: its trace goes on, its cancellation
    /// reaches further, and its deadline, less [`NESTED_MARGIN`], bounds this one, whatever else is
    /// set.
    pub fn within(mut self, ctx: &Context) -> Self {
        self.options.outer = ctx.deadline().minus(NESTED_MARGIN);
        self.options.trace = ctx.trace();
        self.options.cancel = Some(ctx.cancel_flag());
        self
    }

    /// Splits the call into what is sent and what answers.
    fn start<T>(self, preferred: Format) -> Result<Started<Q>, Status>
    where
        W: Wire<T>,
    {
        let Self {
            caller,
            method,
            request,
            options,
            ..
        } = self;
        if let Some(error) = options.error {
            return Err(error.into());
        }
        let deadline = options.deadline.min(options.outer);
        if deadline.is_expired() {
            return Err(Status::deadline_exceeded(
                "the deadline of the call had passed before it was sent",
            ));
        }
        let mut metadata = options.metadata;
        if let Some(trace) = options.trace {
            let child = trace.child(&*caller.defaults.random).to_string();
            metadata
                .insert("traceparent", &child)
                .map_err(Status::from)?;
        }
        let format = options
            .format
            .or_else(|| caller.handler.format())
            .unwrap_or(preferred);
        let mut ctx = Context::incoming(method, format.clone(), metadata, deadline, None);
        let values = caller.handler.values();
        if options.compression.is_some() {
            ctx.set_compression(options.compression);
        }
        if values == Values::HandOver {
            ctx.set_values(values);
        }
        let watchdog = Watchdog::new(deadline, options.cancel);
        Ok(Started {
            caller,
            ctx,
            request,
            format,
            values,
            watchdog,
        })
    }
}

struct Started<Q> {
    caller: Caller,
    ctx: Context,
    request: Q,
    format: Format,
    values: Values,
    watchdog: Watchdog,
}

impl<W, Q, A> Call<W, One<Q>, One<A>>
where
    W: Wire<Q> + Wire<A>,
    Q: Send + 'static,
    A: Send + 'static,
{
    /// Awaits the message together with metadata and trailers.
    ///
    /// # Errors
    /// As awaiting the call itself.
    pub async fn response(self) -> Result<Response<A>> {
        let (reply, format) = self.send().reply().await?;
        let message = reply.message.into_reply::<W, A>(&format)?;
        Ok(Response {
            message,
            metadata: reply.metadata,
            trailers: reply.trailers,
        })
    }

    fn send(self) -> Unary<W, A> {
        let started = self
            .start::<Q>(<W as Wire<Q>>::PREFERRED)
            .and_then(|started| {
                let Started {
                    caller,
                    ctx,
                    request,
                    format,
                    values,
                    watchdog,
                } = started;
                let payload = handler::encode::<W, Q>(request.0, &format, values)?;
                Ok((caller.handler.unary(ctx, payload), format, watchdog))
            });
        match started {
            Ok((reply, format, watchdog)) => Unary {
                state: State::Sent {
                    reply,
                    format,
                    watchdog,
                },
                types: PhantomData,
            },
            Err(status) => Unary {
                state: State::Failed(Some(status)),
                types: PhantomData,
            },
        }
    }
}

impl<W, Q, A> IntoFuture for Call<W, One<Q>, One<A>>
where
    W: Wire<Q> + Wire<A>,
    Q: Send + 'static,
    A: Send + 'static,
{
    type Output = Result<A>;
    type IntoFuture = Unary<W, A>;

    fn into_future(self) -> Unary<W, A> {
        self.send()
    }
}

/// A unary call on its way. Dropping it cancels the call.
#[must_use = "futures do nothing unless awaited"]
pub struct Unary<W, A> {
    state: State,
    types: PhantomData<fn() -> (W, A)>,
}

enum State {
    Sent {
        reply: Answer<Reply>,
        format: Format,
        watchdog: Watchdog,
    },
    Failed(Option<Status>),
}

impl<W, A> Unary<W, A> {
    fn poll_reply(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Reply, Status>> {
        match &mut self.state {
            State::Sent {
                reply, watchdog, ..
            } => {
                if let Poll::Ready(reply) = Pin::new(&mut *reply).poll(cx) {
                    return Poll::Ready(reply);
                }
                if watchdog.is_idle() {
                    return Poll::Pending;
                }
                watchdog.poll(cx).map(Err)
            }
            State::Failed(status) => Poll::Ready(Err(status
                .take()
                .unwrap_or_else(|| Status::internal("a call was polled after its end")))),
        }
    }

    async fn reply(mut self) -> Result<(Reply, Format)> {
        let reply = std::future::poll_fn(|cx| self.poll_reply(cx)).await?;
        match self.state {
            State::Sent { format, .. } => Ok((reply, format)),
            State::Failed(_) => Err(Error::internal("a call that was not sent has a reply")),
        }
    }
}

impl<W: Wire<A>, A: Send + 'static> Future for Unary<W, A> {
    type Output = Result<A>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<A>> {
        let this = self.get_mut();
        let reply = std::task::ready!(this.poll_reply(cx));
        let message = match (reply, &this.state) {
            (Ok(reply), State::Sent { format, .. }) => reply.message.into_reply::<W, A>(format),
            (Ok(_), State::Failed(_)) => {
                Err(Status::internal("a call that was not sent has a reply"))
            }
            (Err(status), _) => Err(status),
        };
        this.state = State::Failed(None);
        Poll::Ready(message.map_err(Error::from))
    }
}

impl<W, A> fmt::Debug for Unary<W, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unary")
    }
}

/// The requests of a call as messages.
trait Requests<W>: Send + 'static {
    type Message: Send + 'static;

    fn messages(self, format: &Format, values: Values) -> Result<Messages, Status>;
}

impl<W: Wire<T>, T: Send + 'static> Requests<W> for One<T> {
    type Message = T;

    fn messages(self, format: &Format, values: Values) -> Result<Messages, Status> {
        handler::encode::<W, T>(self.0, format, values).map(Messages::one)
    }
}

impl<W: Wire<T>, T: Send + 'static> Requests<W> for Many<T> {
    type Message = T;

    fn messages(self, format: &Format, values: Values) -> Result<Messages, Status> {
        Ok(self.0.encode::<W>(format.clone(), values))
    }
}

struct Opened {
    metadata: Metadata,
    messages: Messages,
    format: Format,
}

async fn open<W, Q, A>(call: Call<W, Q, A>) -> Result<Opened, Status>
where
    W: Wire<Q::Message>,
    Q: Requests<W>,
{
    let Started {
        caller,
        ctx,
        request,
        format,
        values,
        mut watchdog,
    } = call.start::<Q::Message>(<W as Wire<Q::Message>>::PREFERRED)?;
    let mut opening = caller
        .handler
        .stream(ctx, request.messages(&format, values)?);
    let replies = std::future::poll_fn(|cx| match Pin::new(&mut opening).poll(cx) {
        Poll::Ready(replies) => Poll::Ready(replies),
        Poll::Pending => watchdog.poll(cx).map(Err),
    })
    .await?;
    Ok(Opened {
        metadata: replies.metadata,
        messages: watchdog.guard(replies.messages),
        format,
    })
}

async fn one_reply<W, Q, A>(call: Call<W, Many<Q>, One<A>>) -> Result<Response<A>>
where
    W: Wire<Q> + Wire<A>,
    Q: Send + 'static,
    A: Send + 'static,
{
    let Opened {
        metadata,
        messages,
        format,
    } = open(call).await?;
    let reply = Replies { metadata, messages }.into_reply().await?;
    let message = reply.message.into_reply::<W, A>(&format)?;
    Ok(Response {
        message,
        metadata: reply.metadata,
        trailers: reply.trailers,
    })
}

async fn many_replies<W, Q, A>(call: Call<W, Q, Many<A>>) -> Result<Response<Streaming<A, Error>>>
where
    W: Wire<Q::Message> + Wire<A>,
    Q: Requests<W>,
    A: Send + 'static,
{
    let opened = open(call).await?;
    let message = Streaming::replies::<W>(opened.messages, opened.format);
    Ok(Response {
        message,
        metadata: opened.metadata,
        trailers: Metadata::new(),
    })
}

macro_rules! streamed_call {
    ($request:ident, $reply:ident, $output:ty, $send:ident) => {
        impl<W, Q, A> Call<W, $request<Q>, $reply<A>>
        where
            W: Wire<Q> + Wire<A>,
            Q: Send + 'static,
            A: Send + 'static,
        {
            /// Awaits the answer together with its metadata. Trailers of a stream are on the
            /// stream, after its end.
            ///
            /// # Errors
            /// As awaiting the call itself.
            pub async fn response(self) -> Result<Response<$output>> {
                $send(self).await
            }
        }

        impl<W, Q, A> IntoFuture for Call<W, $request<Q>, $reply<A>>
        where
            W: Wire<Q> + Wire<A>,
            Q: Send + 'static,
            A: Send + 'static,
        {
            type Output = Result<$output>;
            type IntoFuture = BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { Ok($send(self).await?.message) })
            }
        }
    };
}

streamed_call!(Many, One, A, one_reply);
streamed_call!(One, Many, Streaming<A, Error>, many_replies);
streamed_call!(Many, Many, Streaming<A, Error>, many_replies);

impl<W, Q, A> fmt::Debug for Call<W, Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method.path())
            .finish_non_exhaustive()
    }
}

impl<T> From<T> for One<T> {
    fn from(message: T) -> Self {
        Self(message)
    }
}

impl<T> From<Streaming<T>> for Many<T> {
    fn from(messages: Streaming<T>) -> Self {
        Self(messages)
    }
}

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::*;
    use crate::{Kind, Method, codec::Serde};

    static LEFT: Method = Method::new(Kind::Unary, "/test.Clock/Left");

    /// Answers with what is left of the deadline, in milliseconds.
    fn clock() -> Caller {
        Caller::new(handler::unary::<Serde, (), Option<u64>, Option<u64>, _, _>(
            |ctx, ()| async move {
                let left = ctx.deadline().remaining().map(|left| left.as_millis());
                Ok(left.and_then(|left| u64::try_from(left).ok()))
            },
        ))
    }

    fn call(caller: &Caller) -> Call<Serde, One<()>, One<Option<u64>>> {
        Call::new(caller, &LEFT, One(()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_nested_call_keeps_to_the_outer_deadline_in_any_order_of_options() {
        let mut outer = Context::new(&LEFT, Format::Json);
        outer.set_deadline(Deadline::after(Duration::from_secs(1)));
        let long = Duration::from_secs(60);

        for call in [
            call(&clock()).within(&outer).timeout(long),
            call(&clock()).timeout(long).within(&outer),
        ] {
            assert_eq!(call.await.expect("answers"), Some(995));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_deadline_has_passed_is_not_sent() {
        let error = call(&clock())
            .timeout(Duration::ZERO)
            .await
            .expect_err("expired");

        assert_eq!(error.code(), crate::Code::DeadlineExceeded);
    }

    #[tokio::test]
    async fn illegal_metadata_fails_the_call_before_it_is_sent() {
        let error = call(&clock())
            .metadata("grpc-timeout", "1S")
            .await
            .expect_err("reserved");

        assert_eq!(error.code(), crate::Code::InvalidArgument);
    }

    #[tokio::test]
    async fn the_default_timeout_of_a_client_gives_way_to_that_of_a_call() {
        let defaults = crate::Defaults {
            timeout: Some(Duration::from_secs(5)),
            ..crate::Defaults::default()
        };
        let clock = clock().with_defaults(defaults);

        let default = call(&clock).await.expect("answers").expect("a deadline");
        let given = call(&clock).timeout(Duration::from_secs(60)).await;

        assert!(default <= 5_000);
        assert!(given.expect("answers").expect("a deadline") > 5_000);
    }
}
