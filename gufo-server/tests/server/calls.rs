//! What happens around a call: admission, interceptors, cancellation, trailers, formats.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use gufo_core::{
    Call, Caller, Code, Context, Format, Interceptor, Messages, Metadata, Next, One, Payload,
    Replies, Reply, Response, Retry, Status, Streaming, async_trait, codec::Serde, handler,
};
use gufo_server::{Server, ServerOptions};

use crate::fixture::{
    Log, STREAM, UNARY, call, caller, echo, eventually, router, stream, stream_call,
    stream_service, unary, unary_service,
};

fn one_call_at_a_time() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.max_calls = 1;
    options
}

#[tokio::test]
async fn over_the_limit_a_call_is_refused_as_not_begun_until_a_stream_has_ended() {
    let started = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&started);
    let service = unary_service(unary(move |_, request| {
        count.fetch_add(1, Ordering::Relaxed);
        async move { Ok(request) }
    }))
    .route(
        &STREAM,
        stream(|_, _| async { Ok(Response::new(Streaming::iter(["owl".into()]))) }),
    );
    let server = Server::builder().service(service);
    let caller = Caller::new(router(server.options(one_call_at_a_time())));

    let mut first = stream_call(&caller).await.expect("opened");
    let refused = call(&caller).await.expect_err("over the limit");
    while first.next().await.expect("well").is_some() {}
    let after_the_end = call(&caller).await;
    let second = stream_call(&caller).await.expect("opened");
    let refused_again = call(&caller).await;
    drop(second);
    let after_a_drop = call(&caller).await;

    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.retry(), Retry::NotBegun);
    assert!(after_the_end.is_ok());
    assert!(refused_again.is_err());
    assert!(after_a_drop.is_ok());
    assert_eq!(started.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn every_end_of_a_call_gives_its_place_back() {
    let service = unary_service(unary(|ctx, request| async move {
        match ctx.metadata().get("end") {
            Some("error") => Err(Status::not_found("no such owl")),
            Some("panic") => panic!("on purpose"),
            Some("wait") => std::future::pending().await,
            _ => Ok(request),
        }
    }));
    let server = Server::builder().service(service);
    let caller = Caller::new(router(server.options(one_call_at_a_time())));

    for end in ["error", "panic", "none"] {
        let _ = call(&caller).metadata("end", end).await;
        assert!(call(&caller).await.is_ok(), "after {end}");
    }
    let mut waiting = Box::pin(call(&caller).metadata("end", "wait").response());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    assert!(call(&caller).await.is_err());
    drop(waiting);
    assert!(call(&caller).await.is_ok());
}

/// Notes its name on the way in and out.
#[derive(Debug)]
struct Named(&'static str, Log);

#[async_trait]
impl Interceptor for Named {
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        self.1.add(format!("{} in", self.0));
        let reply = next.unary(ctx, request).await;
        self.1.add(format!("{} out", self.0));
        reply
    }

    async fn stream(&self, ctx: Context, all: Messages, next: Next<'_>) -> Result<Replies, Status> {
        self.1.add(format!("{} stream", self.0));
        next.stream(ctx, all).await
    }
}

#[tokio::test]
async fn interceptors_run_once_per_call_the_first_one_outermost() {
    let log = Log::default();
    let service = unary_service(echo()).route(
        &STREAM,
        stream(|_, _| async { Ok(Response::new(Streaming::iter([]))) }),
    );
    let server = Server::builder()
        .service(service)
        .interceptor(Named("a", log.clone()))
        .interceptor(Named("b", log.clone()));
    let caller = Caller::new(router(server));

    call(&caller).await.expect("served");
    stream_call(&caller).await.expect("opened");

    let expected = ["a in", "b in", "b out", "a out", "a stream", "b stream"];
    assert_eq!(log.entries(), expected);
}

#[tokio::test]
async fn dropping_a_call_reaches_what_its_handler_started() {
    let log = Log::default();
    let seen = log.clone();
    let caller = caller(unary_service(unary(move |ctx, _| {
        let seen = seen.clone();
        tokio::spawn(async move {
            seen.add("works");
            ctx.cancelled().await;
            seen.add("told");
        });
        std::future::pending()
    })));

    let mut waiting = Box::pin(call(&caller).response());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    eventually("the work has begun", || log.entries() == ["works"]).await;
    drop(waiting);

    eventually("the work is told", || log.entries().len() == 2).await;
}

#[tokio::test]
async fn dropping_a_reply_stream_reaches_what_its_handler_started() {
    let log = Log::default();
    let seen = log.clone();
    let caller = caller(stream_service(stream(move |ctx, requests| {
        let seen = seen.clone();
        tokio::spawn(async move {
            ctx.cancelled().await;
            seen.add("told");
        });
        async move { Ok(Response::new(requests)) }
    })));

    let replies = stream_call(&caller).await.expect("opened");
    drop(replies);

    eventually("the work is told", || log.entries() == ["told"]).await;
}

#[tokio::test]
async fn metadata_and_trailers_pass() {
    let caller = caller(stream_service(stream(|_, _| async {
        let mut response = Response::new(Streaming::iter(["owl".into()]));
        response.metadata.insert("before", "b").expect("legal");
        response.trailers.insert("after", "a").expect("legal");
        Ok(response)
    })));

    let mut response = stream_call(&caller).response().await.expect("opened");
    assert_eq!(response.metadata.get("before"), Some("b"));
    assert_eq!(response.message.trailers(), Metadata::new());
    while response.message.next().await.expect("well").is_some() {}

    assert_eq!(response.message.trailers().get("after"), Some("a"));
}

/// Cannot be written.
#[derive(serde::Deserialize)]
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("on purpose"))
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_encoded_is_an_error_and_no_hang() {
    let broken = handler::unary::<Serde, String, Unwritable, Unwritable, _, _>(|_, _| async {
        Ok::<_, Status>(Unwritable)
    });
    let router = router(Server::builder().service(unary_service(broken)));
    let route = gufo_core::Dispatch::route(&*router, UNARY.path()).expect("known");
    let ctx = Context::new(&UNARY, Format::Json);

    let failed = route
        .handler
        .unary(ctx, gufo_core::Bytes::from("\"owl\"").into())
        .await;

    assert_eq!(failed.expect_err("no answer").code(), Code::Internal);
}

#[tokio::test]
async fn input_of_the_wrong_shape_is_refused_before_the_handler_runs() {
    let log = Log::default();
    let seen = log.clone();
    let handler = handler::unary::<Serde, String, String, String, _, _>(move |_, request| {
        seen.add("ran");
        async move { Ok::<_, Status>(request) }
    });
    let caller = caller(unary_service(handler));

    let call = Call::<Serde, One<u32>, One<String>>::new(&caller, &UNARY, One(7));
    let failed = call.await.expect_err("not a string");

    assert_eq!(failed.code(), Code::InvalidArgument);
    assert!(log.entries().is_empty());
}
