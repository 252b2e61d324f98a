//! The server's end, with its faults.

use std::{future::pending, io, sync::Arc};

use gufo_core::{
    Answer, BoxFuture, Cancel, Context, Dispatch, Formats, Handler, Incoming, Listener, Messages,
    Payload, Peer, Replies, Reply, Route,
};
use tokio::sync::Semaphore;

use crate::{fault::Fault, messages::tampered};

#[derive(Debug)]
pub(crate) struct BrokenListener {
    pub(crate) inner: Box<dyn Listener>,
    pub(crate) fault: Fault,
    /// Clients that have finished their half of an invented handshake.
    pub(crate) hellos: Arc<Semaphore>,
    /// The peer accepted last, until it is served.
    waiting: Option<Cancel>,
}

impl BrokenListener {
    pub(crate) fn new(inner: Box<dyn Listener>, fault: Fault, hellos: Arc<Semaphore>) -> Self {
        Self {
            inner,
            fault,
            hellos,
            waiting: None,
        }
    }
}

impl Listener for BrokenListener {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>> {
        Box::pin(async {
            if let (Fault::OneAtATime, Some(waiting)) = (self.fault, &self.waiting) {
                waiting.cancelled().await;
            }
            let inner = self.inner.accept().await?;
            match self.fault {
                Fault::HandshakeInAccept => {
                    let hello = self.hellos.acquire().await.expect("never closed");
                    hello.forget();
                }
                Fault::AcceptLosesPeer => tokio::task::yield_now().await,
                _ => {}
            }
            let served = Cancel::new();
            self.waiting = Some(served.clone());
            let fault = self.fault;
            Ok(Box::new(BrokenIncoming {
                inner,
                fault,
                served,
            }) as Box<dyn Incoming>)
        })
    }
}

struct BrokenIncoming {
    inner: Box<dyn Incoming>,
    fault: Fault,
    served: Cancel,
}

impl Incoming for BrokenIncoming {
    fn serve(
        self: Box<Self>,
        dispatch: Arc<dyn Dispatch>,
        drain: Cancel,
    ) -> BoxFuture<'static, ()> {
        self.served.cancel();
        let fault = self.fault;
        let dispatch = Arc::new(BrokenDispatch {
            inner: dispatch,
            fault,
        });
        let told = match fault {
            Fault::DrainIgnored => Cancel::new(),
            _ => drain.clone(),
        };
        let serving = self.inner.serve(dispatch, told);
        Box::pin(async move {
            match fault {
                Fault::AbortUnnoticed => {
                    // The task goes on when this future is dropped.
                    let _ = tokio::spawn(serving).await;
                }
                Fault::DrainKills => tokio::select! {
                    () = serving => {}
                    () = drain.cancelled() => {}
                },
                Fault::DrainForEver => {
                    serving.await;
                    pending::<()>().await;
                }
                _ => serving.await,
            }
        })
    }
}

struct BrokenDispatch {
    inner: Arc<dyn Dispatch>,
    fault: Fault,
}

impl Dispatch for BrokenDispatch {
    fn route(&self, path: &str) -> Option<Arc<Route>> {
        let route = self.inner.route(path)?;
        let handler = BrokenHandler {
            inner: Arc::clone(&route.handler),
            fault: self.fault,
        };
        Some(Arc::new(Route {
            method: route.method.clone(),
            handler: Arc::new(handler),
        }))
    }

    fn formats(&self) -> &Formats {
        self.inner.formats()
    }
}

struct BrokenHandler {
    inner: Arc<dyn Handler>,
    fault: Fault,
}

impl Handler for BrokenHandler {
    fn unary(&self, mut ctx: Context, mut request: Payload) -> Answer<Reply> {
        if self.fault == Fault::IdentityMadeUp {
            let mut peer = Peer::new("memory", None);
            peer.identity = ctx.metadata().get("x-identity").map(str::to_owned);
            ctx.set_peer(Some(Arc::new(peer)));
        }
        if let (Fault::ValuesLost, Payload::Value(_)) = (self.fault, &request) {
            request = Payload::Encoded(gufo_core::Bytes::new());
        }
        self.inner.unary(ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        let requests = match self.fault {
            Fault::RequestAbortIsAnEnd => tampered(requests, |item, ready| {
                ready.push_back(item.filter(Result::is_ok));
            }),
            _ => requests,
        };
        self.inner.stream(ctx, requests)
    }
}
