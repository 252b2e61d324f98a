//! The accept loop: peers come in, under a cap, whatever the listener says.

use std::{io, sync::Arc, time::Duration};

use gufo_core::{Cancel, Dispatch, Incoming, Listener, Tasks};
use tokio::sync::Semaphore;

use crate::{meter::PeerMeter, telemetry::SERVER};

const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Peers that gave up before they were accepted, in a row, until the loop pauses for them too.
const GONE_IN_A_ROW: u32 = 16;

const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// What every accept loop of a server shares.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) dispatch: Arc<dyn Dispatch>,
    pub(crate) connections: Tasks,
    pub(crate) cap: Arc<Semaphore>,
    /// Set to accept nobody any more.
    pub(crate) closing: Cancel,
    /// Set to make connections finish.
    pub(crate) drain: Cancel,
}

impl Acceptor {
    /// Accepts until closing, then drops the listener.
    pub(crate) async fn run(self, listener: Box<dyn Listener>) {
        let closing = self.closing.clone();
        tokio::select! {
            biased;
            () = closing.cancelled() => {}
            () = self.accept_all(listener) => {}
        }
    }

    async fn accept_all(&self, mut listener: Box<dyn Listener>) {
        let mut trouble = Trouble::default();
        let meter = PeerMeter::new(listener.url());
        loop {
            self.room(listener.url()).await;
            match listener.accept().await {
                Ok(peer) => {
                    trouble.over(listener.url());
                    self.serve(peer, &meter).await;
                }
                Err(error) => {
                    meter.failed();
                    trouble.pause(listener.url(), &error).await;
                }
            }
        }
    }

    /// Waits for room under the cap, which several listeners share: none holds a place while
    /// nobody arrives there.
    async fn room(&self, url: &str) {
        if self.cap.available_permits() > 0 {
            return;
        }
        tracing::warn!(
            target: SERVER,
            url,
            "the cap on connections is reached: nobody is accepted until one closes"
        );
        // The semaphore is never closed, and the place is taken once a peer is there.
        let _ = self.cap.acquire().await;
        tracing::info!(target: SERVER, url, "a connection closed: accepting again");
    }

    /// Serves a peer in a task of its own: neither its pace nor a panic concerns anybody else.
    async fn serve(&self, peer: Box<dyn Incoming>, meter: &PeerMeter) {
        // Waits only when another listener took the last place just now.
        let permit = Arc::clone(&self.cap).acquire_owned().await;
        let (dispatch, drain) = (Arc::clone(&self.dispatch), self.drain.clone());
        let counted = meter.arrived();
        self.connections.spawn("connection", async move {
            let _held = (permit, counted);
            peer.serve(dispatch, drain).await;
        });
    }
}

/// Errors of a listener since it last gave a peer.
#[derive(Debug, Default)]
struct Trouble {
    gone_in_a_row: u32,
    pause: Option<Duration>,
}

impl Trouble {
    /// Waits a little longer than the last time; logs the first of a row only.
    async fn pause(&mut self, url: &str, error: &io::Error) {
        if is_gone(error) && self.gone_in_a_row < GONE_IN_A_ROW {
            self.gone_in_a_row += 1;
            return tokio::task::yield_now().await;
        }
        let pause = match self.pause {
            Some(pause) => (pause * 2).min(LONGEST_PAUSE),
            None => {
                let advice = advice(error);
                tracing::warn!(target: SERVER, url, %error, advice, "accepting failed; trying again");
                SHORTEST_PAUSE
            }
        };
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }

    fn over(&mut self, url: &str) {
        if self.pause.is_some() {
            tracing::info!(target: SERVER, url, "accepting works again");
        }
        *self = Self::default();
    }
}

/// The peer is to blame: the next one may be accepted at once.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

fn advice(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(EMFILE) => "raise the limit on open files of this process, or lower max_connections",
        Some(ENFILE) => "the system is out of file descriptors",
        _ => "none",
    }
}
