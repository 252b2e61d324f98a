//! `grpc.health.v1`, spoken by the protobuf project's own messages.

use std::{sync::Arc, time::Duration};

use gufo_core::{
    Call, Caller, Cancel, Code, Context, Dispatch, Error, Format, Interceptor, Kind, Many, Method,
    Next, One, Payload, Reply, Status, Streaming, async_trait,
    codec::{Prost, Serde},
};
use gufo_server::{HealthHandle, LIVENESS, Server, ServerOptions, ServingStatus};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::fixture::{
    FakeListener, FakePeer, Log, call, echo, eventually, router, unary, unary_service,
};

static CHECK: Method = Method::new(Kind::Unary, "/grpc.health.v1.Health/Check");
static WATCH: Method = Method::new(Kind::ServerStream, "/grpc.health.v1.Health/Watch");

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;
const SERVICE_UNKNOWN: i32 = 3;

fn request(service: &str) -> One<HealthCheckRequest> {
    One(HealthCheckRequest {
        service: service.to_owned(),
    })
}

async fn check(caller: &Caller, service: &str) -> Result<i32, Error> {
    let call =
        Call::<Prost, One<_>, One<HealthCheckResponse>>::new(caller, &CHECK, request(service));
    Ok(call.await?.status)
}

async fn watch(caller: &Caller, service: &str) -> Streaming<HealthCheckResponse, Error> {
    let call =
        Call::<Prost, One<_>, Many<HealthCheckResponse>>::new(caller, &WATCH, request(service));
    call.await.expect("opened")
}

async fn next(watch: &mut Streaming<HealthCheckResponse, Error>) -> Result<Option<i32>, Error> {
    Ok(watch.next().await?.map(|response| response.status))
}

fn caller(health: &HealthHandle) -> Caller {
    let server = Server::builder().service(unary_service(echo()));
    Caller::new(router(server.health(health)))
}

#[tokio::test]
async fn check_answers_for_the_server_its_services_and_what_was_set() {
    let health = HealthHandle::new();
    let caller = caller(&health);
    health.set("part", ServingStatus::NotServing);

    assert_eq!(check(&caller, "").await.expect("known"), SERVING);
    assert_eq!(check(&caller, "test.Test").await.expect("known"), SERVING);
    assert_eq!(check(&caller, "part").await.expect("known"), NOT_SERVING);
    let unknown = check(&caller, "no.Such").await.expect_err("unknown");
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn watch_tells_the_status_and_then_every_change() {
    let health = HealthHandle::new();
    let caller = caller(&health);
    let mut known = watch(&caller, "test.Test").await;
    let mut unknown = watch(&caller, "later.Later").await;

    assert_eq!(next(&mut known).await.expect("well"), Some(SERVING));
    assert_eq!(
        next(&mut unknown).await.expect("well"),
        Some(SERVICE_UNKNOWN)
    );
    health.set("test.Test", ServingStatus::NotServing);
    assert_eq!(next(&mut known).await.expect("well"), Some(NOT_SERVING));
    health.set("later.Later", ServingStatus::Serving);
    assert_eq!(next(&mut unknown).await.expect("well"), Some(SERVING));
}

#[tokio::test]
async fn a_change_of_another_service_is_not_told() {
    let health = HealthHandle::new();
    let caller = caller(&health);
    let mut watch = watch(&caller, "test.Test").await;
    assert_eq!(next(&mut watch).await.expect("well"), Some(SERVING));

    health.set("other", ServingStatus::NotServing);
    let mut waiting = Box::pin(next(&mut watch));

    assert!(futures_util::poll!(&mut waiting).is_pending());
}

#[tokio::test]
async fn a_probe_in_json_gets_names_as_the_proto3_mapping_has_them() {
    let router = router(Server::builder().health(&HealthHandle::new()));
    let route = router.route(CHECK.path()).expect("health is on");
    let ctx = Context::new(&CHECK, Format::Json);

    let reply = route
        .handler
        .unary(ctx, gufo_core::Bytes::from("{}").into());

    let body = reply
        .await
        .expect("known")
        .message
        .into_bytes(&Format::Json);
    assert_eq!(body.expect("encoded"), r#"{"status":"SERVING"}"#);
}

#[tokio::test]
async fn health_is_answered_at_the_limit_of_calls_and_around_interceptors() {
    #[derive(Debug)]
    struct Refuses;

    #[async_trait]
    impl Interceptor for Refuses {
        async fn unary(&self, _: Context, _: Payload, _: Next<'_>) -> Result<Reply, Status> {
            Err(Status::unauthenticated("who are you?"))
        }
    }

    let mut options = ServerOptions::default();
    options.max_calls = 0;
    let server = Server::builder()
        .service(unary_service(echo()))
        .interceptor(Refuses)
        .health(&HealthHandle::new())
        .options(options);
    let caller = Caller::new(router(server));

    let refused = call(&caller).await.expect_err("no room");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(check(&caller, "").await.expect("answered"), SERVING);
}

#[tokio::test(start_paused = true)]
async fn a_server_is_ready_once_registered_and_not_ready_as_soon_as_it_stops() {
    let (log, go) = (Log::default(), Cancel::new());
    let (handler_go, calling) = (go.clone(), log.clone());
    let peer = FakePeer::new(move |dispatch: Arc<dyn Dispatch>, _| async move {
        let _ = crate::fixture::dispatch_unary(&*dispatch).await;
        calling.add("answered");
    });
    let health = HealthHandle::new();
    assert_eq!(health.status(""), Some(ServingStatus::NotServing));
    let server = Server::builder()
        .listener(FakeListener::new("fake://a:1", &log).peer(peer))
        .service(unary_service(unary(move |_, request| {
            let go = handler_go.clone();
            async move {
                go.cancelled().await;
                Ok(request)
            }
        })))
        .health(&health)
        .start()
        .await
        .expect("up");
    eventually("the call runs", || server.calls() == 1).await;
    assert_eq!(health.status("test.Test"), Some(ServingStatus::Serving));

    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let while_draining = ["", "test.Test", LIVENESS].map(|name| health.status(name));
    go.cancel();
    stopping.await.expect("not panicked");

    let not = Some(ServingStatus::NotServing);
    assert_eq!(while_draining, [not, not, Some(ServingStatus::Serving)]);
    assert_eq!(log.entries(), ["listener closed", "answered"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_hears_of_the_stop_and_does_not_hold_it_up() {
    let log = Log::default();
    let seen = log.clone();
    let peer = FakePeer::new(move |dispatch: Arc<dyn Dispatch>, _| async move {
        let route = dispatch.route(WATCH.path()).expect("health is on");
        let ctx = Context::new(&WATCH, Format::Json);
        let request = gufo_core::Bytes::from("{}").into();
        let opened = route
            .handler
            .stream(ctx, gufo_core::Messages::one(request))
            .await;
        let mut messages = opened.expect("opened").messages;
        while let Some(message) = messages.next().await {
            seen.add(match message.and_then(|it| it.into_bytes(&Format::Json)) {
                Ok(body) => String::from_utf8_lossy(&body).into_owned(),
                Err(status) => status.to_string(),
            });
        }
    });
    let server = Server::builder()
        .listener(FakeListener::new("fake://a:1", &log).peer(peer))
        .health(&HealthHandle::new())
        .start()
        .await
        .expect("up");
    eventually("the watch runs", || log.entries().len() == 1).await;
    let begin = tokio::time::Instant::now();

    let report = server.stop().await;

    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!((report.finished, report.aborted), (0, 0));
    let mut entries = log.entries();
    entries.retain(|entry| entry != "listener closed");
    assert_eq!(
        entries,
        [
            r#"{"status":"SERVING"}"#,
            r#"{"status":"NOT_SERVING"}"#,
            "UNAVAILABLE: the server is stopping"
        ]
    );
}

#[tokio::test]
async fn a_request_that_is_no_health_request_is_refused() {
    let health = HealthHandle::new();
    let call = Call::<Serde, One<u32>, One<u32>>::new(&caller(&health), &CHECK, One(7));

    let failed = call.await.expect_err("a number");

    assert_eq!(failed.code(), Code::InvalidArgument);
}
