//! Shared: the connections that are ready, as calls read them and background tasks change them.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use gufo_core::{Connection, ConnectionState, Format, Values, random::Random};
use parking_lot::RwLock;
use tokio::sync::Notify;

use crate::trouble::Trouble;

/// What calls and background tasks of one channel share. Tasks own this, never the channel.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Swapped whole, so that a call holds the lock for as long as it takes to clone a pointer.
    ready: RwLock<Arc<[Ready]>>,
    /// All connections that are ready take values; beside the lock, since every call asks.
    hand_over: AtomicBool,
    /// What a connection insisted on; the others then speak it too.
    format: OnceLock<Format>,
    next_id: AtomicU64,
    /// Wakes calls that wait: a connection came, or waiting became pointless.
    pub(crate) changed: Notify,
    pub(crate) trouble: Trouble,
    random: Arc<dyn Random>,
}

#[derive(Clone, Debug)]
struct Ready {
    id: u64,
    node: Arc<str>,
    endpoint: Arc<str>,
    connection: Arc<dyn Connection>,
}

impl Shared {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            ready: RwLock::new(Arc::from([])),
            hand_over: AtomicBool::new(false),
            format: OnceLock::new(),
            next_id: AtomicU64::new(0),
            changed: Notify::new(),
            trouble: Trouble::default(),
            random,
        }
    }

    /// The less busy of two connections chosen by chance, among those that are ready and not
    /// `except`.
    pub(crate) fn pick(&self, except: Option<&Arc<dyn Connection>>) -> Option<Arc<dyn Connection>> {
        let ready = Arc::clone(&self.ready.read());
        let usable = |ready: &&Ready| {
            ready.connection.state() == ConnectionState::Ready
                && !except.is_some_and(|except| Arc::ptr_eq(except, &ready.connection))
        };
        let chosen = match &*ready {
            [] => None,
            [only] => Some(only).filter(usable),
            several => {
                let (left, right) = self.two(several);
                match (usable(&left), usable(&right)) {
                    (true, true) => Some(less_busy(left, right)),
                    (true, false) => Some(left),
                    (false, true) => Some(right),
                    // Both are about to leave the set: rare enough to look at every other.
                    (false, false) => several.iter().find(usable),
                }
            }
        };
        chosen.map(|ready| Arc::clone(&ready.connection))
    }

    /// Two different ones by chance, every pair as likely as any other. There are at least two.
    fn two<'a>(&self, several: &'a [Ready]) -> (&'a Ready, &'a Ready) {
        let len = several.len() as u64;
        let left = self.random.below(len);
        let right = (left + 1 + self.random.below(len - 1)) % len;
        (&several[left as usize], &several[right as usize])
    }

    pub(crate) fn values(&self) -> Values {
        if self.hand_over.load(Ordering::Relaxed) {
            Values::HandOver
        } else {
            Values::Encode
        }
    }

    pub(crate) fn format(&self) -> Option<Format> {
        self.format.get().cloned()
    }

    /// The endpoints of the connections that are ready.
    pub(crate) fn endpoints(&self) -> Vec<Arc<str>> {
        let ready = Arc::clone(&self.ready.read());
        let is_ready = |ready: &&Ready| ready.connection.state() == ConnectionState::Ready;
        let ready = ready.iter().filter(is_ready);
        ready.map(|ready| Arc::clone(&ready.endpoint)).collect()
    }

    /// Adds a connection to an endpoint of a node until the answer is dropped.
    pub(crate) fn enter(
        self: &Arc<Self>,
        node: &Arc<str>,
        endpoint: &Arc<str>,
        connection: Arc<dyn Connection>,
    ) -> Entered {
        let added = self.ready(node, endpoint, connection);
        let entered = Entered::new(self, &added);
        self.change(|ready| ready.push(added));
        self.changed.notify_waiters();
        entered
    }

    fn ready(
        &self,
        node: &Arc<str>,
        endpoint: &Arc<str>,
        connection: Arc<dyn Connection>,
    ) -> Ready {
        self.trouble.reached(endpoint);
        Ready {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            node: Arc::clone(node),
            endpoint: Arc::clone(endpoint),
            connection,
        }
    }

    /// Takes the connections of a node out at once; their owners close them.
    pub(crate) fn leave(&self, node: &str) {
        self.change(|ready| ready.retain(|ready| &*ready.node != node));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Ready>)) {
        let mut current = self.ready.write();
        let mut next = current.to_vec();
        change(&mut next);
        let hand_over = !next.is_empty()
            && next
                .iter()
                .all(|ready| ready.connection.values() == Values::HandOver);
        self.hand_over.store(hand_over, Ordering::Relaxed);
        for format in next.iter().filter_map(|ready| ready.connection.format()) {
            self.format.get_or_init(|| format);
        }
        let previous = std::mem::replace(&mut *current, next.into());
        drop(current);
        // After the lock: this may be the last pointer to a connection.
        drop(previous);
    }
}

fn less_busy<'a>(left: &'a Ready, right: &'a Ready) -> &'a Ready {
    if right.connection.in_flight() < left.connection.in_flight() {
        right
    } else {
        left
    }
}

/// A connection in the set of ready ones. Dropping it takes the connection out and closes it;
/// running calls finish.
#[derive(Debug)]
pub(crate) struct Entered {
    shared: Arc<Shared>,
    id: u64,
    connection: Arc<dyn Connection>,
}

impl Entered {
    fn new(shared: &Arc<Shared>, ready: &Ready) -> Self {
        Self {
            shared: Arc::clone(shared),
            id: ready.id,
            connection: Arc::clone(&ready.connection),
        }
    }

    /// Puts a connection to another endpoint of the node in its place, in one step: at no time does
    /// the node count twice, or not at all.
    pub(crate) fn replace(
        self,
        node: &Arc<str>,
        endpoint: &Arc<str>,
        connection: Arc<dyn Connection>,
    ) -> Self {
        let next = self.shared.ready(node, endpoint, connection);
        let entered = Self::new(&self.shared, &next);
        self.shared.change(|ready| {
            // Gone when the node has just left: then the other one does not come in either.
            if let Some(place) = ready.iter_mut().find(|ready| ready.id == self.id) {
                *place = next;
            }
        });
        self.shared.changed.notify_waiters();
        entered
    }

    /// Waits until no further call can be sent.
    pub(crate) async fn closed(&self) {
        self.connection.closed().await;
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.shared
            .change(|ready| ready.retain(|ready| ready.id != self.id));
        self.connection.close();
    }
}
