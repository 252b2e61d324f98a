//! Names, listeners, and the link between a client and its server.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use gufo_core::{
    BoxFuture, Cancel, Dispatch, Error, Incoming, Limits, ListenOptions, Listener, Result,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};

/// Peers that have connected and are not accepted yet.
const BACKLOG: usize = 128;

static NAMES: LazyLock<Mutex<HashMap<String, Weak<Hub>>>> = LazyLock::new(Mutex::default);
static NEXT_NAME: AtomicUsize = AtomicUsize::new(1);

/// Where clients of a name arrive.
pub(super) struct Hub {
    arrivals: mpsc::Sender<MemoryIncoming>,
    limits: Limits,
}

impl Hub {
    pub(super) fn find(name: &str) -> Option<Arc<Self>> {
        NAMES.lock().get(name).and_then(Weak::upgrade)
    }

    /// Arrives at the listener and waits to be served.
    pub(super) async fn arrive(&self) -> Option<Arc<Link>> {
        let (served, link) = oneshot::channel();
        self.arrivals
            .send(MemoryIncoming {
                served,
                limits: self.limits.clone(),
            })
            .await
            .ok()?;
        link.await.ok()
    }
}

/// What a client and the server's task for it share.
pub(super) struct Link {
    pub(super) dispatch: Arc<dyn Dispatch>,
    pub(super) limits: Limits,
    /// The server takes no new calls.
    pub(super) draining: Cancel,
    /// The server has gone, or has given up.
    pub(super) closed: Cancel,
    /// The client has gone or wants to.
    pub(super) left: Cancel,
    in_flight: AtomicUsize,
    idle: Notify,
}

impl Link {
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counts a call, unless so many run already.
    pub(super) fn begin(self: &Arc<Self>, limit: u32) -> Option<Running> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let running = Running(Arc::clone(self));
        (before < limit as usize).then_some(running)
    }

    async fn until_idle(&self) {
        loop {
            let mut idle = std::pin::pin!(self.idle.notified());
            idle.as_mut().enable();
            // A write, so that a call counted later sees what was set before.
            if self.in_flight.fetch_add(0, Ordering::AcqRel) == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// Counts one call while it lives.
pub(super) struct Running(pub(super) Arc<Link>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

pub(super) struct MemoryListener {
    url: String,
    name: String,
    arrivals: mpsc::Receiver<MemoryIncoming>,
    // Keeps the name alive.
    _hub: Arc<Hub>,
}

impl MemoryListener {
    pub(super) fn listen(name: String, options: &ListenOptions) -> Result<Self> {
        let name = if name.is_empty() {
            format!("unnamed-{}", NEXT_NAME.fetch_add(1, Ordering::Relaxed))
        } else {
            name
        };
        let mut names = NAMES.lock();
        names.retain(|_, hub| hub.strong_count() > 0);
        if names.contains_key(&name) {
            return Err(Error::already_exists(format!("memory://{name} is in use")));
        }
        let (sender, arrivals) = mpsc::channel(BACKLOG);
        let hub = Arc::new(Hub {
            arrivals: sender,
            limits: options.limits.clone(),
        });
        names.insert(name.clone(), Arc::downgrade(&hub));
        Ok(Self {
            url: format!("memory://{name}"),
            name,
            arrivals,
            _hub: hub,
        })
    }
}

impl Listener for MemoryListener {
    fn url(&self) -> &str {
        &self.url
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let Some(incoming) = self.arrivals.recv().await else {
                // The listener holds a sender itself, so this needs a listener that is gone.
                return std::future::pending().await;
            };
            Ok(Box::new(incoming) as Box<dyn Incoming>)
        })
    }
}

impl fmt::Debug for MemoryListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryListener").field(&self.name).finish()
    }
}

struct MemoryIncoming {
    served: oneshot::Sender<Arc<Link>>,
    limits: Limits,
}

impl Incoming for MemoryIncoming {
    fn serve(
        self: Box<Self>,
        dispatch: Arc<dyn Dispatch>,
        drain: Cancel,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let link = Arc::new(Link {
                dispatch,
                limits: self.limits,
                draining: drain.clone(),
                closed: Cancel::new(),
                left: Cancel::new(),
                in_flight: AtomicUsize::new(0),
                idle: Notify::new(),
            });
            // However this task ends, calls that still run learn of it.
            let _close = CloseOnDrop(Arc::clone(&link));
            if self.served.send(Arc::clone(&link)).is_err() {
                return;
            }
            tokio::select! {
                () = link.left.cancelled() => {}
                () = drain.cancelled() => {}
            }
            link.until_idle().await;
        })
    }
}

struct CloseOnDrop(Arc<Link>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.closed.cancel();
    }
}
