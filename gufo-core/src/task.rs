//! [`Tasks`]: background tasks with a name and an owner. Nothing else in gufo spawns.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tracing::Instrument;

/// The background tasks of one owner: named in tracing, aborted when the last clone is dropped.
///
/// A task must not own a clone of the `Tasks` it runs in, or that last drop never comes.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    set: Arc<Mutex<JoinSet<()>>>,
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts `future` in the background; a panic in it is logged with `name` and ends that task only.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let span = tracing::info_span!("task", name);
        let mut set = self.set.lock();
        while set.try_join_next().is_some() {}
        set.spawn(
            async move {
                let _report = ReportPanic(name);
                future.await;
            }
            .instrument(span),
        );
    }

    /// The number of tasks that have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        let mut set = self.set.lock();
        while set.try_join_next().is_some() {}
        set.len()
    }

    /// Whether no task is running.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks every task to stop at its next await, without waiting for it.
    pub fn abort(&self) {
        self.set.lock().abort_all();
    }

    /// Waits until every task has ended; one caller at a time.
    ///
    /// # Cancel safety
    ///
    /// Safe: the tasks run on.
    pub async fn join(&self) {
        std::future::poll_fn(|cx| {
            let mut set = self.set.lock();
            loop {
                match set.poll_join_next(cx) {
                    Poll::Ready(Some(_)) => {}
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

/// Logs when dropped by a panic: nobody looks at the result of a background task.
struct ReportPanic(&'static str);

impl Drop for ReportPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.0, "background task panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn dropping_the_owner_aborts_its_tasks() {
        let (held, ended) = oneshot::channel::<()>();
        let tasks = Tasks::new();
        tasks.spawn("waits-for-ever", async move {
            let _held = held;
            std::future::pending::<()>().await;
        });

        drop(tasks);

        assert!(ended.await.is_err());
    }

    #[tokio::test]
    async fn join_waits_for_every_task() {
        let tasks = Tasks::new();
        let (go, wait) = oneshot::channel::<()>();
        tasks.spawn("waits", async move {
            let _ = wait.await; // Either outcome lets the task end.
        });
        assert_eq!(tasks.len(), 1);

        go.send(()).unwrap();
        tasks.join().await;

        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn a_panic_ends_one_task_only() {
        let tasks = Tasks::new();
        let (done, finished) = oneshot::channel();
        tasks.spawn("panics", async { panic!("on purpose") });
        tasks.spawn("works", async move {
            done.send(()).unwrap();
        });

        finished.await.unwrap();
        tasks.join().await;
    }
}
