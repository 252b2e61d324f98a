//! A unary call through chains of no-op interceptors, without any wire.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use gufo_core::codec::Raw;
use gufo_core::{
    Context, Format, Handler, Interceptor, Kind, Messages, Method, Next, Payload, Replies, Reply,
    Status, async_trait, handler, intercept,
};

use super::Group;
use crate::Result;

pub(super) static ECHO: Method = Method::new(Kind::Unary, "/bench.Echo/Unary");

/// The step of a call without a chain.
pub(crate) const NO_CHAIN: &str = "no chain";

/// The step of a call through so many no-op interceptors.
pub(crate) fn chain_of(length: usize) -> String {
    format!("chain of {length}")
}

/// Passes everything on.
#[derive(Debug)]
pub(crate) struct NoOp;

#[async_trait]
impl Interceptor for NoOp {
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        next.unary(ctx, request).await
    }

    async fn stream(
        &self,
        ctx: Context,
        requests: Messages,
        next: Next<'_>,
    ) -> Result<Replies, Status> {
        next.stream(ctx, requests).await
    }
}

impl NoOp {
    /// So many of them.
    pub(crate) fn chain(length: usize) -> Arc<[Arc<dyn Interceptor>]> {
        (0..length)
            .map(|_| Arc::new(Self) as Arc<dyn Interceptor>)
            .collect()
    }
}

pub(super) fn echo() -> Arc<dyn Handler> {
    handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, body| async move { Ok(body) })
}

pub(super) fn group() -> Result<Group> {
    let runtime = Rc::new(super::timer::runtime()?);
    let mut group = Group::new("Interceptors: a unary call of a handler in place");
    group = group.awaited(NO_CHAIN, &runtime, call(echo()));
    for length in [0, 1, 3] {
        let handler = intercept(echo(), &NoOp::chain(length));
        group = group.awaited(chain_of(length), &runtime, call(handler));
    }
    Ok(group)
}

/// One call as a transport makes it: a context of its own, a body that is shared.
fn call(handler: Arc<dyn Handler>) -> impl FnMut() -> gufo_core::Answer<Reply> + 'static {
    let body = Bytes::from(vec![0x5a; 64]);
    move || {
        handler.unary(
            Context::new(&ECHO, Format::Raw),
            Payload::Encoded(body.clone()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_measured_call_is_answered_through_every_chain() {
        for length in [0, 1, 3] {
            let reply = call(intercept(echo(), &NoOp::chain(length)))()
                .await
                .unwrap();

            assert_eq!(
                reply.message.into_bytes(&Format::Raw).unwrap().len(),
                64,
                "{length}"
            );
        }
    }
}
