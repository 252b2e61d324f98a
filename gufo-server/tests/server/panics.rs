//! A panic ends the call it happens in, and nothing else.

use futures_util::StreamExt as _;
use gufo_core::{
    Code, Context, Interceptor, Messages, Next, Payload, Replies, Reply, Response, Status,
    Streaming, async_trait,
};
use gufo_server::Server;

use crate::fixture::{
    Log, LogOnDrop, call, caller, echo, router, stream, stream_call, stream_service, unary,
    unary_service,
};

#[tokio::test]
async fn a_panicking_handler_answers_internal_and_the_next_call_is_served() {
    let caller = caller(unary_service(unary(|ctx, request| async move {
        tokio::task::yield_now().await;
        assert!(ctx.metadata().is_empty(), "on purpose");
        Ok(request)
    })));

    let failed = call(&caller).metadata("panic", "now").await;
    let served = call(&caller).await;

    assert_eq!(failed.expect_err("panicked").code(), Code::Internal);
    assert_eq!(served.expect("served"), "owl");
}

#[tokio::test]
async fn a_panic_before_there_is_a_future_is_internal_too() {
    let caller = caller(unary_service(unary(|_, _| {
        assert!(std::env::args().count() > 1_000_000, "on purpose");
        std::future::pending()
    })));

    let failed = call(&caller).await;

    assert_eq!(failed.expect_err("panicked").code(), Code::Internal);
}

#[tokio::test]
async fn a_panic_in_mid_stream_is_its_last_item() {
    let caller = caller(stream_service(stream(|_, _| async {
        let items = (0..3).map(|number: u32| {
            assert!(number < 2, "on purpose");
            number.to_string().into()
        });
        Ok(Response::new(Streaming::iter(items)))
    })));

    let mut replies = stream_call(&caller).await.expect("opened");

    assert_eq!(replies.next().await.expect("first").expect("item"), "0");
    assert_eq!(replies.next().await.expect("second").expect("item"), "1");
    let failed = replies.next().await.expect_err("panicked");
    assert_eq!(failed.code(), Code::Internal);
    assert!(replies.next().await.expect("the end").is_none());
}

#[derive(Debug)]
struct Panics;

#[async_trait]
impl Interceptor for Panics {
    async fn unary(&self, _: Context, _: Payload, _: Next<'_>) -> Result<Reply, Status> {
        panic!("on purpose")
    }

    async fn stream(&self, ctx: Context, all: Messages, next: Next<'_>) -> Result<Replies, Status> {
        let mut replies = next.stream(ctx, all).await?;
        replies.messages = Messages::from_stream(replies.messages.map(|_| panic!("on purpose")));
        Ok(replies)
    }
}

#[tokio::test]
async fn a_panic_in_an_interceptor_is_internal() {
    let service = unary_service(echo()).route(
        &crate::fixture::STREAM,
        stream(|_, _| async { Ok(Response::new(Streaming::iter(["owl".into()]))) }),
    );
    let server = Server::builder().service(service).interceptor(Panics);
    let caller = gufo_core::Caller::new(router(server));

    let unary = call(&caller).await.expect_err("panicked");
    let mut replies = stream_call(&caller).await.expect("opened");
    let streamed = replies.next().await.expect_err("panicked");

    assert_eq!(unary.code(), Code::Internal);
    assert_eq!(streamed.code(), Code::Internal);
}

/// Panics when dropped.
struct Mine(LogOnDrop);

impl Drop for Mine {
    fn drop(&mut self) {
        self.0.0.add("destructor");
        panic!("on purpose");
    }
}

#[tokio::test]
async fn a_panic_in_a_destructor_stays_in_the_call_that_is_dropped() {
    let log = Log::default();
    let seen = log.clone();
    let caller = caller(unary_service(unary(move |_, _| {
        let mine = Mine(LogOnDrop(seen.clone(), "gone"));
        async move {
            let _mine = mine;
            std::future::pending().await
        }
    })));

    let call = tokio::spawn(IntoFuture::into_future(call(&caller)));
    tokio::task::yield_now().await;
    call.abort();

    assert!(call.await.expect_err("aborted").is_cancelled());
    assert_eq!(log.entries(), ["destructor", "gone"]);
}
