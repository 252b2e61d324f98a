//! What a server says through `tracing`, and that it does not say it twice.

use std::{fmt, io};

use gufo_core::{Caller, Context, Handler as _, Status};
use gufo_server::{Server, telemetry};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::fixture::{FakeListener, Log, UNARY, call, caller, echo, settle, unary, unary_service};

/// Notes the events of gufo as `LEVEL target field=value ...`.
struct Notes(Log);

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        [telemetry::CALL, telemetry::SERVER].contains(&metadata.target())
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
        event.record(&mut line);
        self.0.add(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "elapsed_us" {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

async fn end(caller: &Caller, end: &str) {
    // How it ends is what the events are to say.
    let _ = call(caller).metadata("end", end).await;
}

#[tokio::test]
async fn every_call_says_once_how_it_ended_and_a_panic_why() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(Notes(log.clone()));
    let caller = caller(unary_service(unary(|ctx, request| async move {
        match ctx.metadata().get("end") {
            Some("panic") => panic!("on purpose"),
            Some("error") => Err(Status::not_found("no such owl")),
            _ => Ok(request),
        }
    })));

    end(&caller, "well").await;
    end(&caller, "error").await;
    end(&caller, "panic").await;
    let mut late = Context::new(&UNARY, gufo_core::Format::Raw);
    late.set_deadline(gufo_core::Deadline::after(std::time::Duration::ZERO));
    let request = gufo_core::Bytes::from("owl").into();
    let refused = caller.handler().unary(late, request).await;

    assert!(refused.is_err());
    let method = r#"method="/test.Test/Unary""#;
    assert_eq!(
        log.entries(),
        [
            format!(r#"DEBUG gufo::call message=call ended {method} code="OK""#),
            format!(r#"DEBUG gufo::call message=call ended {method} code="NOT_FOUND""#),
            format!(r#"ERROR gufo::call message=handler panicked {method} panic="on purpose""#),
            format!(r#"DEBUG gufo::call message=call ended {method} code="INTERNAL""#),
            format!(r#"DEBUG gufo::call message=call refused {method} code="DEADLINE_EXCEEDED""#),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn accept_errors_are_told_once_per_episode() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(Notes(log.clone()));
    let listener = FakeListener::new("fake://a", &Log::default())
        .then_always(|| io::Error::from_raw_os_error(24));
    let _server = Server::builder()
        .listener(listener)
        .service(unary_service(echo()))
        .start()
        .await
        .expect("a legal server");

    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    settle().await;

    let told = log.entries();
    let warnings: Vec<_> = told.iter().filter(|it| it.starts_with("WARN")).collect();
    assert_eq!(warnings.len(), 1, "{told:?}");
    assert!(warnings[0].contains("open files"), "{told:?}");
}
