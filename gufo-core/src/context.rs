//! Context: everything about a call but its messages.

use std::{
    any::{Any, TypeId},
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{Cancel, Compression, Deadline, Format, Metadata, Method, MethodRef, Peer, Trace};

/// What a call made inside a handler leaves of the handler's own deadline, so that its error can
/// still be answered in time.
pub const NESTED_MARGIN: Duration = Duration::from_millis(5);

/// Everything about one call but its messages: method, metadata, deadline, peer, trace,
/// cancellation. The same type on both sides.
///
/// Clones share everything and are cheap; changing a shared context copies it first. A handler
/// passes its context on to the calls it makes (`client.hello(request).within(&ctx)`): deadline,
/// trace and cancellation flow down, metadata does not.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    method: MethodRef,
    metadata: Metadata,
    deadline: Deadline,
    format: Format,
    compression: Option<Compression>,
    values: Values,
    eager: bool,
    peer: Option<Arc<Peer>>,
    trace: Option<Trace>,
    cancel: OnceLock<Cancel>,
    extensions: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

/// Whether messages may be handed over as values, without serialization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Values {
    /// Messages are bytes: the call crosses a wire.
    Encode,
    /// Messages may be values: both ends share a process.
    HandOver,
}

impl Context {
    /// The context of a call of a method, with nothing else set.
    #[must_use]
    pub fn new(method: impl Into<MethodRef>, format: Format) -> Self {
        Self(Arc::new(Inner {
            method: method.into(),
            metadata: Metadata::new(),
            deadline: Deadline::NONE,
            format,
            compression: None,
            values: Values::Encode,
            eager: false,
            peer: None,
            trace: None,
            cancel: OnceLock::new(),
            extensions: Vec::new(),
        }))
    }

    /// The context a server builds from what a transport received. Trace context is read from
    /// `traceparent`.
    #[must_use]
    pub fn incoming(
        method: MethodRef,
        format: Format,
        metadata: Metadata,
        deadline: Deadline,
        peer: Option<Arc<Peer>>,
    ) -> Self {
        let trace = if metadata.is_empty() {
            None
        } else {
            metadata.get("traceparent").and_then(Trace::parse)
        };
        Self(Arc::new(Inner {
            method,
            metadata,
            deadline,
            format,
            compression: None,
            values: Values::Encode,
            eager: false,
            peer,
            trace,
            cancel: OnceLock::new(),
            extensions: Vec::new(),
        }))
    }

    fn edit(&mut self) -> &mut Inner {
        if Arc::get_mut(&mut self.0).is_none() {
            // Copies must share one flag, so it has to exist before the copy is made.
            let _ = self.0.cancel.get_or_init(Cancel::new);
        }
        Arc::make_mut(&mut self.0)
    }

    /// The method called.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The method called, as a pointer to keep.
    #[must_use]
    pub fn method_ref(&self) -> MethodRef {
        self.0.method.clone()
    }

    /// Metadata of the request.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Metadata of the request, to change.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.edit().metadata
    }

    /// When the call must have ended.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        self.0.deadline
    }

    /// Sets the deadline.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.edit().deadline = deadline;
    }

    /// The format of messages on the wire.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.0.format
    }

    /// Sets the format of messages on the wire.
    pub fn set_format(&mut self, format: Format) {
        self.edit().format = format;
    }

    /// How messages that this side sends are compressed.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.0.compression
    }

    /// Sets how messages that this side sends are compressed.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.edit().compression = compression;
    }

    /// Whether messages may be handed over as values.
    #[must_use]
    pub fn values(&self) -> Values {
        self.0.values
    }

    /// Sets whether messages may be handed over as values; transports do this.
    pub fn set_values(&mut self, values: Values) {
        self.edit().values = values;
    }

    /// Whether the handler begins, and if it can ends, before it gives its [`Answer`](crate::Answer).
    #[must_use]
    pub fn is_eager(&self) -> bool {
        self.0.eager
    }

    /// Sets whether the handler begins before it gives its answer. For transports that go on with
    /// an answer that is not ready in a task of its own: a handler that yields would not do so
    /// to the task that called it. Default: it does not.
    pub fn set_eager(&mut self, eager: bool) {
        self.edit().eager = eager;
    }

    /// Who calls; `None` on the client's side.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.0.peer.as_deref()
    }

    /// Sets who calls; transports do this.
    pub fn set_peer(&mut self, peer: Option<Arc<Peer>>) {
        self.edit().peer = peer;
    }

    /// The W3C trace context of the call.
    #[must_use]
    pub fn trace(&self) -> Option<Trace> {
        self.0.trace
    }

    /// Sets the trace context.
    pub fn set_trace(&mut self, trace: Option<Trace>) {
        self.edit().trace = trace;
    }

    /// A value an interceptor left for the handler.
    #[must_use]
    pub fn extension<T: Any + Send + Sync>(&self) -> Option<&T> {
        let (_, value) = self
            .0
            .extensions
            .iter()
            .find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// Leaves a value for interceptors further in and for the handler, replacing one of its type.
    pub fn set_extension<T: Any + Send + Sync>(&mut self, value: T) {
        let extensions = &mut self.edit().extensions;
        extensions.retain(|(id, _)| *id != TypeId::of::<T>());
        extensions.push((TypeId::of::<T>(), Arc::new(value)));
    }

    /// Waits until the caller has gone, the deadline has passed or the server gives up. The
    /// handler itself is dropped then; this is for work it handed to other tasks.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn cancelled(&self) {
        self.cancel_flag().cancelled().await;
    }

    /// True once [`Context::cancelled`] would return.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancel.get().is_some_and(Cancel::is_cancelled)
    }

    /// The flag behind [`Context::cancelled`]. It is made on first use: a call that nobody
    /// watches pays nothing.
    #[must_use]
    pub fn cancel_flag(&self) -> Cancel {
        self.0.cancel.get_or_init(Cancel::new).clone()
    }

    /// Tells whoever watches that the call is over; servers do this.
    pub fn cancel(&self) {
        // Whoever shares the context may begin to watch after this.
        if self.0.cancel.get().is_some() || Arc::strong_count(&self.0) > 1 {
            self.0.cancel.get_or_init(Cancel::new).cancel();
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("method", &self.method().path())
            .field("format", &self.0.format)
            .field("metadata", &self.0.metadata)
            .field("deadline", &self.0.deadline)
            .field("peer", &self.0.peer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    static HELLO: Method = Method::new(Kind::Unary, "/greeter.Greeter/Hello");

    #[tokio::test]
    async fn a_changed_copy_shares_cancellation_and_nothing_else() {
        let original = Context::new(&HELLO, Format::Raw);
        let mut copy = original.clone();
        copy.metadata_mut().insert("a", "b").expect("legal");

        copy.cancel_flag().cancel();

        assert!(original.metadata().is_empty());
        original.cancelled().await;
        assert!(original.is_cancelled());
    }

    #[tokio::test]
    async fn who_watches_after_the_cancellation_hears_of_it() {
        let original = Context::new(&HELLO, Format::Raw);
        let copy = original.clone();

        original.cancel();

        assert!(copy.is_cancelled());
        copy.cancelled().await;
    }

    #[test]
    fn an_extension_replaces_one_of_its_type() {
        let mut context = Context::new(&HELLO, Format::Raw);

        context.set_extension(1_u32);
        context.set_extension(2_u32);
        context.set_extension("owl");

        assert_eq!(context.extension::<u32>(), Some(&2));
        assert_eq!(context.extension::<&str>(), Some(&"owl"));
        assert_eq!(context.extension::<u64>(), None);
    }
}
