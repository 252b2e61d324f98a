//! What a server counts.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use ::metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use gufo_core::{Caller, Cancel, Code, Deadline, Status};
use gufo_server::{Server, ServerOptions};
use parking_lot::Mutex;

use crate::fixture::{
    FakeListener, FakePeer, Log, call, dispatch_unary, echo, router, settle, unary, unary_service,
};

/// Every number by its name and labels; of a histogram how much there is in it.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>);

impl Numbers {
    fn of(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key
            .labels()
            .filter(|label| label.key() != "rpc.system.name");
        let labels: Vec<_> = labels.map(::metrics::Label::value).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Arc::clone(self.0.lock().entry(name).or_default())
    }

    /// Those that are not 0; gauges are written as the bits of a float.
    fn all(&self) -> Vec<String> {
        let numbers = self.0.lock();
        let shown = numbers.iter().map(|(name, number)| {
            let number = number.load(Relaxed);
            let is_gauge = name.contains(".active ");
            (
                name,
                if is_gauge {
                    f64::from_bits(number) as u64
                } else {
                    number
                },
            )
        });
        let counted = shown.filter(|(_, number)| *number != 0);
        counted
            .map(|(name, number)| format!("{name}: {number}"))
            .collect()
    }
}

struct Times(Arc<AtomicU64>);

impl HistogramFn for Times {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Times(self.of(key))))
    }
}

/// Runs a test on a runtime of this thread, counting.
fn counting<Fut: Future<Output = ()>>(test: impl FnOnce(Numbers) -> Fut) {
    let numbers = Numbers::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    ::metrics::with_local_recorder(&numbers, || runtime.block_on(test(numbers.clone())));
}

#[test]
fn calls_are_counted_by_method_and_by_how_they_ended() {
    counting(|numbers| async move {
        let go = Cancel::new();
        let gate = go.clone();
        let handler = unary(move |ctx, request| {
            let gate = gate.clone();
            async move {
                if ctx.deadline().instant().is_none() {
                    return Ok(request);
                }
                gate.cancelled().await;
                Err(Status::not_found("no owl"))
            }
        });
        let mut options = ServerOptions::default();
        options.max_deadline = None;
        options.max_calls = 1;
        let server = Server::builder().service(unary_service(handler));
        let caller = Caller::new(router(server.options(options)));

        call(&caller).await.expect("answered");
        let waiting = call(&caller).deadline(Deadline::after(std::time::Duration::from_secs(60)));
        let waiting = tokio::spawn(waiting.into_future());
        settle().await;
        call(&caller).await.expect_err("no room");
        let meanwhile = numbers.all();
        go.cancel();
        let error = waiting.await.expect("no panic").expect_err("not found");

        assert_eq!(error.code(), Code::NotFound);
        assert_eq!(
            meanwhile,
            [
                "gufo.server.calls.active test.Test/Unary: 1",
                "gufo.server.calls.begun test.Test/Unary: 2",
                "gufo.server.calls.refused test.Test/Unary RESOURCE_EXHAUSTED: 1",
                "rpc.server.call.duration test.Test/Unary OK: 1",
            ]
        );
        assert_eq!(
            numbers.all(),
            [
                "gufo.server.calls.begun test.Test/Unary: 2",
                "gufo.server.calls.refused test.Test/Unary RESOURCE_EXHAUSTED: 1",
                "rpc.server.call.duration test.Test/Unary NOT_FOUND: 1",
                "rpc.server.call.duration test.Test/Unary OK: 1",
            ]
        );
    });
}

#[test]
fn peers_and_failures_to_accept_are_counted_by_listener() {
    counting(|numbers| async move {
        let (log, leave) = (Log::default(), Cancel::new());
        let stays = leave.clone();
        let peer = FakePeer::new(move |dispatch, _| async move {
            dispatch_unary(&*dispatch).await.expect("answered");
            stays.cancelled().await;
        });
        let listener = FakeListener::new("fake://a", &log)
            .error(std::io::ErrorKind::ConnectionAborted.into())
            .peer(peer);
        let server = Server::builder()
            .listener(listener)
            .service(unary_service(echo()));
        let _server = server.start().await.expect("a legal server");
        settle().await;

        let meanwhile = numbers.all();
        leave.cancel();
        settle().await;

        let mut after = numbers.all();
        assert!(meanwhile.contains(&"gufo.server.connections.active fake://a: 1".to_owned()));
        after.retain(|number| number.contains("fake://"));
        assert_eq!(
            after,
            [
                "gufo.server.accept.errors fake://a: 1",
                "gufo.server.connections.accepted fake://a: 1",
            ]
        );
    });
}
