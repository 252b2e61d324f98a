//! `grpc.health.v1.Health` as a service.

use std::{
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use gufo_core::{
    BoxFuture, Idempotency, Kind, Method, Service, Status, Streaming, codec::ProstSerde, handler,
};
use tokio::sync::watch;

use super::{
    HealthHandle, State,
    messages::{HealthCheckRequest, HealthCheckResponse},
};

static CHECK: Method = Method::new(Kind::Unary, "/grpc.health.v1.Health/Check")
    .with_idempotency(Idempotency::NoSideEffects);
static WATCH: Method = Method::new(Kind::ServerStream, "/grpc.health.v1.Health/Watch")
    .with_idempotency(Idempotency::NoSideEffects);

impl HealthHandle {
    /// The service that answers from this handle.
    pub(crate) fn service(&self) -> Service {
        let health = self.clone();
        let check = handler::unary::<ProstSerde, HealthCheckRequest, HealthCheckResponse, _, _, _>(
            move |_, request| {
                let answer = health.check(&request.service);
                async move { answer }
            },
        );
        let health = self.clone();
        let watch =
            handler::server_stream::<ProstSerde, HealthCheckRequest, HealthCheckResponse, _, _, _>(
                move |_, request| {
                    let changes = Changes::new(health.subscribe(), request.service);
                    async move { Ok::<_, Status>(Streaming::new(changes)) }
                },
            );
        let service = Service::new("grpc.health.v1.Health")
            .route(&CHECK, check)
            .route(&WATCH, watch);
        #[cfg(feature = "reflection")]
        let service = service.descriptor(crate::reflection::health_descriptor());
        service
    }

    fn check(&self, service: &str) -> Result<HealthCheckResponse, Status> {
        match self.status(service) {
            Some(status) => Ok(Some(status).into()),
            None => Err(Status::not_found(format!(
                "no health is known of service {service:.100}"
            ))),
        }
    }
}

/// The status of a service now and after each change. Changes that follow each other quickly are
/// one; the last one is never left out.
struct Changes {
    service: String,
    last: Option<HealthCheckResponse>,
    step: Step,
}

enum Step {
    Look(watch::Receiver<State>),
    Wait(BoxFuture<'static, Option<watch::Receiver<State>>>),
    End,
}

impl Changes {
    fn new(changes: watch::Receiver<State>, service: String) -> Self {
        Self {
            service,
            last: None,
            step: Step::Look(changes),
        }
    }

    fn news(&mut self, changes: &mut watch::Receiver<State>) -> Option<HealthCheckResponse> {
        let now = HealthCheckResponse::from(changes.borrow_and_update().status(&self.service));
        (self.last.as_ref() != Some(&now)).then(|| self.last.insert(now).clone())
    }
}

impl Stream for Changes {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.step, Step::End) {
                Step::Look(mut changes) => {
                    let news = this.news(&mut changes);
                    this.step = Step::Wait(Box::pin(async move {
                        changes.changed().await.is_ok().then_some(changes)
                    }));
                    if let Some(news) = news {
                        return Poll::Ready(Some(Ok(news)));
                    }
                }
                Step::Wait(mut waiting) => match waiting.as_mut().poll(cx) {
                    Poll::Ready(Some(changes)) => this.step = Step::Look(changes),
                    Poll::Ready(None) => {}
                    Poll::Pending => {
                        this.step = Step::Wait(waiting);
                        return Poll::Pending;
                    }
                },
                Step::End => return Poll::Ready(None),
            }
        }
    }
}
