//! Threads: runtimes of the server's own, each on one thread, with listeners of their own.

use std::{fmt, io};

use gufo_core::{Cancel, Error, Result, Tasks};
use tokio::{
    runtime::{self, Handle, Runtime},
    sync::{oneshot, watch},
};

use crate::telemetry::SERVER;

/// Runtimes of one thread each. They end with this, and whatever still runs on them with them.
#[derive(Default)]
pub(crate) struct Threads {
    handles: Vec<Handle>,
    over: Cancel,
    /// Closed once the last thread has ended.
    alive: watch::Sender<()>,
}

impl Threads {
    /// Starts `count` threads.
    pub(crate) fn start(count: usize) -> Result<Self> {
        let mut threads = Self::default();
        for index in 0..count {
            let handle = threads.add(index).map_err(|error| {
                Error::resource_exhausted(format!("cannot start thread {index} of the server"))
                    .source(error)
            })?;
            threads.handles.push(handle);
        }
        Ok(threads)
    }

    fn add(&self, index: usize) -> io::Result<Handle> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let runtime = Background(Some(runtime));
        let (over, alive) = (self.over.clone(), self.alive.subscribe());
        std::thread::Builder::new()
            .name(format!("gufo-server-{index}"))
            .spawn(move || {
                let _alive = alive;
                runtime.run(over.cancelled());
            })?;
        Ok(handle)
    }

    pub(crate) const fn len(&self) -> usize {
        self.handles.len()
    }

    /// Starts a task on one of the threads; everything it spawns stays there.
    pub(crate) fn spawn(
        &self,
        thread: usize,
        tasks: &Tasks,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let _there = self.handles[thread].enter();
        tasks.spawn(name, future);
    }

    /// Runs a future on one of the threads, for what belongs to the runtime it is made on.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        thread: usize,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let tasks = Tasks::new();
        let (tell, told) = oneshot::channel();
        self.spawn(thread, &tasks, "thread-start", async move {
            // Nobody waits any more: the start of the server was given up.
            let _ = tell.send(future.await);
        });
        match told.await {
            Ok(result) => result,
            Err(_) => Err(Error::internal("a transport panicked")),
        }
    }

    /// Ends the threads and waits for them.
    pub(crate) async fn end(&self) {
        self.over.cancel();
        self.alive.closed().await;
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Threads").field(&self.len()).finish()
    }
}

/// A runtime that may be dropped anywhere, and waits for nothing when it is.
struct Background(Option<Runtime>);

impl Background {
    fn run(&self, until: impl Future<Output = ()>) {
        if let Some(runtime) = &self.0 {
            runtime.block_on(until);
        }
        tracing::debug!(target: SERVER, "a thread of the server ends");
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
