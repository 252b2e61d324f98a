//! Calls with bytes instead of messages: what crosses is exactly as large as the check says.

use std::sync::Arc;

use bytes::Bytes;
use gufo_core::{
    Answer, Context, Format, Handler, Messages, Method, Payload, Replies, Reply, Status,
};

use super::{bed::Bed, client::Client};

/// A message of this many bytes. It is a number in JSON.
pub(super) fn digits(size: usize) -> Bytes {
    vec![b'1'; size].into()
}

/// Answers with messages of these sizes, whatever it is asked.
pub(super) struct Sizes(pub(super) Vec<usize>);

impl Handler for Sizes {
    fn unary(&self, _: Context, _: Payload) -> Answer<Reply> {
        let size = self.0.first().copied().unwrap_or_default();
        Answer::later(async move { Ok(Reply::new(Payload::Encoded(digits(size)))) })
    }

    fn stream(&self, ctx: Context, mut requests: Messages) -> Answer<Replies> {
        let sizes = self.0.clone();
        Answer::later(async move {
            if ctx.method().kind().streams_requests() {
                while requests.next().await.transpose()?.is_some() {}
            }
            Ok(Replies::new(messages(sizes)))
        })
    }
}

/// Messages of these sizes.
pub(super) fn messages(sizes: Vec<usize>) -> Messages {
    struct Each(std::vec::IntoIter<usize>);
    impl gufo_core::MessageStream for Each {
        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Payload, Status>>> {
            let next = self.get_mut().0.next();
            std::task::Poll::Ready(next.map(|size| Ok(Payload::Encoded(digits(size)))))
        }
    }
    Messages::new(Each(sizes.into_iter()))
}

impl Bed {
    fn context(&self, method: &'static Method) -> Context {
        let formats = &self.capabilities.formats;
        Context::new(method, formats.first().cloned().unwrap_or(Format::Json))
    }

    /// Calls a unary method with a message of a size; the answer is the size of the reply.
    pub(super) fn raw_unary(
        &self,
        client: &Client,
        method: &'static Method,
        size: usize,
    ) -> impl Future<Output = Result<usize, gufo_core::Error>> + Send + use<> {
        let request = Payload::Encoded(digits(size));
        let format = self.context(method).format().clone();
        let reply = client.connection.unary(self.context(method), request);
        async move { Ok(reply.await?.message.into_bytes(&format)?.len()) }
    }

    /// Calls a streaming method with messages of these sizes.
    pub(super) fn raw_stream(
        &self,
        client: &Client,
        method: &'static Method,
        sizes: Vec<usize>,
    ) -> Answer<Replies> {
        client
            .connection
            .stream(self.context(method), messages(sizes))
    }
}

/// A handler that answers with messages of these sizes.
pub(super) fn sizes(sizes: impl Into<Vec<usize>>) -> Arc<dyn Handler> {
    Arc::new(Sizes(sizes.into()))
}
