//! tower layers around clients and services.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gufo_core::{
    Bytes, Call, Caller, Code, Kind, Many, Method, One, Service, Status, Streaming, codec::Raw,
    handler,
};
use gufo_tower::{wrap, wrap_service};
use tower::{limit::ConcurrencyLimitLayer, timeout::TimeoutLayer, util::MapRequestLayer};

static ECHO: Method = Method::new(Kind::Unary, "/echo.Echo/Echo");
static MANY: Method = Method::new(Kind::Bidi, "/echo.Echo/Many");

/// An echo that notes how many calls ran at once.
fn echo(most: &Arc<AtomicUsize>) -> Arc<dyn gufo_core::Handler> {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::clone(most));
    handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(move |ctx, request| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            match ctx.metadata().get("x-layer") {
                Some(layer) => Ok(Bytes::from(layer.to_owned())),
                None => Ok::<_, Status>(request),
            }
        }
    })
}

fn call(caller: &Caller) -> Call<Raw, One<Bytes>, One<Bytes>> {
    Call::new(caller, &ECHO, One(Bytes::from_static(b"owl")))
}

#[tokio::test]
async fn a_limit_around_a_client_holds_for_all_its_calls_together() {
    let most = Arc::new(AtomicUsize::new(0));
    let caller = Caller::new(wrap(echo(&most), ConcurrencyLimitLayer::new(1)));

    let calls: Vec<_> = (0..8)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move { call(&caller).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.expect("not panicked").expect("answers"), "owl");
    }

    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_layer_changes_what_it_passes_on() {
    let layer = MapRequestLayer::new(|mut request: gufo_tower::Request| {
        let metadata = request.ctx_mut().metadata_mut();
        metadata.insert("x-layer", "seen").expect("legal");
        request
    });
    let caller = Caller::new(wrap(echo(&Arc::default()), layer));

    assert_eq!(call(&caller).await.expect("answers"), "seen");
}

#[tokio::test]
async fn the_error_of_a_layer_is_unavailable_with_its_source() {
    let never = handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, _| {
        std::future::pending::<Result<Bytes, Status>>()
    });
    let caller = Caller::new(wrap(never, TimeoutLayer::new(Duration::from_millis(1))));

    let error = call(&caller).await.expect_err("too late");

    assert_eq!(error.code(), Code::Unavailable);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn the_status_of_a_handler_passes() {
    let failing = handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, _| async {
        Err(Status::not_found("no owl"))
    });
    let caller = Caller::new(wrap(failing, ConcurrencyLimitLayer::new(1)));

    assert_eq!(
        call(&caller).await.expect_err("fails").code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn one_layer_stands_around_all_methods_of_a_service() {
    let many = handler::bidi::<Raw, Bytes, Bytes, Streaming<Bytes>, _, _>(|_, requests| async {
        Ok(requests)
    });
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let service = Service::new("echo.Echo")
        .route(&ECHO, echo(&Arc::default()))
        .route(&MANY, many);

    let service = wrap_service(
        service,
        MapRequestLayer::new(move |request| {
            counter.fetch_add(1, Ordering::SeqCst);
            request
        }),
    );

    let handler = |index: usize| Caller::new(Arc::clone(&service.routes()[index].handler));
    assert_eq!(call(&handler(0)).await.expect("answers"), "owl");
    let requests = Streaming::iter([Bytes::from_static(b"a"), Bytes::from_static(b"b")]);
    let replies: Call<Raw, Many<Bytes>, Many<Bytes>> =
        Call::new(&handler(1), &MANY, Many(requests));
    let replies = replies.await.expect("opens").collect().await;
    assert_eq!(replies.expect("ends well"), ["a", "b"]);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}
