//! What the proxy, its connections and its script share.

use std::{collections::BTreeMap, future::poll_fn, io, sync::Arc, task::Poll};

use parking_lot::Mutex;
use tokio::{
    net::TcpSocket,
    sync::{Notify, watch},
    time::Instant,
};

use super::{
    Address, Connecting, Counts, Direction, Faults, LaneCounts, Step,
    address::{Listener, Stream, reserve},
    script::{Event, Script},
};

/// What may change while connections are open.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) faults: [Faults; 2],
    /// How often the faults of a direction were set.
    pub(super) changes: [u64; 2],
    pub(super) connecting: Connecting,
}

/// What an open connection was told to do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders {
    pub(super) reset: bool,
    pub(super) close: bool,
    pub(super) half_close: [bool; 2],
}

impl Orders {
    /// Whether the receiver of a direction is to be told that nothing more comes.
    pub(super) const fn shut(&self, direction: Direction) -> bool {
        self.close || self.half_close[direction.index()]
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) address: Address,
    pub(super) seed: u64,
    pub(super) buffer: usize,
    pub(super) settings: watch::Sender<Settings>,
    state: Mutex<State>,
    /// The script waits for another time than before, or the door moved.
    moved: Notify,
}

#[derive(Debug)]
struct State {
    counts: Counts,
    script: Script,
    links: BTreeMap<u64, Arc<watch::Sender<Orders>>>,
    door: Door,
}

#[derive(Debug)]
enum Door {
    Open(Listener),
    Closed {
        /// Keeps the port.
        _port: Option<TcpSocket>,
    },
}

impl Shared {
    pub(super) fn new(
        listener: Listener,
        address: Address,
        seed: u64,
        buffer: usize,
        upstream: Address,
    ) -> Self {
        let settings = Settings {
            faults: [Faults::default(), Faults::default()],
            changes: [0, 0],
            connecting: Connecting::to(upstream),
        };
        let state = State {
            counts: Counts::default(),
            script: Script::default(),
            links: BTreeMap::new(),
            door: Door::Open(listener),
        };
        Self {
            address,
            seed,
            buffer,
            settings: watch::Sender::new(settings),
            state: Mutex::new(state),
            moved: Notify::new(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.state.lock();
        let mut counts = state.counts;
        counts.open = state.links.len() as u64;
        counts
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.state.lock().counts);
    }

    pub(super) fn count_lane(&self, direction: Direction, change: impl FnOnce(&mut LaneCounts)) {
        self.count(|counts| change(counts.lane_mut(direction)));
    }

    /// The next client. Nobody comes while the door is closed.
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        poll_fn(|cx| match &self.state.lock().door {
            Door::Open(listener) => listener.poll_accept(cx),
            Door::Closed { .. } => Poll::Pending,
        })
        .await
    }

    /// Waits until accepting and alarms have to be looked at anew.
    pub(super) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Enters a new connection; the script may act on it at once.
    pub(super) fn enter(&self) -> (u64, Arc<watch::Sender<Orders>>) {
        let orders = Arc::new(watch::Sender::new(Orders::default()));
        let mut state = self.state.lock();
        let number = state.counts.connections;
        state.counts.connections += 1;
        state.links.insert(number, Arc::clone(&orders));
        self.note(&mut state, Event::Connection);
        (number, orders)
    }

    pub(super) fn leave(&self, number: u64) {
        self.state.lock().links.remove(&number);
    }

    /// Plays a script in place of the one that is played.
    pub(super) fn play(&self, steps: Vec<Step>) {
        let mut state = self.state.lock();
        let (script, acts, done) = Script::begin(steps, Instant::now());
        state.script = script;
        self.perform(&mut state, acts, done);
        self.moved.notify_one();
    }

    /// Does one thing outside of the script.
    pub(super) fn act(&self, step: &Step) {
        self.perform_one(&mut self.state.lock(), step);
    }

    pub(super) fn script_is_done(&self) -> bool {
        self.state.lock().script.is_done()
    }

    pub(super) fn alarm(&self) -> Option<Instant> {
        self.state.lock().script.alarm()
    }

    pub(super) fn tick(&self) {
        self.note(&mut self.state.lock(), Event::Tick);
    }

    /// A byte is about to be delivered; true when that made the script act.
    pub(super) fn arrival(&self, direction: Direction) -> bool {
        self.note(&mut self.state.lock(), Event::Arrival(direction))
    }

    pub(super) fn allowance(&self, direction: Direction) -> Option<u64> {
        self.state.lock().script.allowance(direction)
    }

    pub(super) fn delivered(&self, direction: Direction, bytes: usize) {
        let bytes = bytes as u64;
        let mut state = self.state.lock();
        state.counts.lane_mut(direction).delivered += bytes;
        self.note(&mut state, Event::Bytes(direction, bytes));
    }

    fn note(&self, state: &mut State, event: Event) -> bool {
        let (acts, done) = state.script.note(event, Instant::now());
        self.perform(state, acts, done);
        if done > 0 {
            self.moved.notify_one();
        }
        done > 0
    }

    // Under the lock, so that what two events cause is not interleaved.
    fn perform(&self, state: &mut State, acts: Vec<Step>, done: u64) {
        state.counts.steps += done;
        for act in acts {
            self.perform_one(state, &act);
        }
    }

    fn perform_one(&self, state: &mut State, step: &Step) {
        match step {
            Step::Faults(direction, faults) => self.set(*direction, faults.clone()),
            Step::Connecting(connecting) => {
                let connecting = connecting.clone();
                self.settings.send_modify(|all| all.connecting = connecting);
            }
            Step::Heal => {
                for direction in Direction::BOTH {
                    self.set(direction, Faults::default());
                }
                self.settings.send_modify(|all| {
                    all.connecting = Connecting::to(all.connecting.upstream.clone());
                });
                self.open(state);
            }
            Step::Reset => order(state, |orders| orders.reset = true),
            Step::Close => order(state, |orders| orders.close = true),
            Step::HalfClose(direction) => {
                order(state, |orders| orders.half_close[direction.index()] = true);
            }
            Step::Refuse => self.shut(state),
            Step::Listen => self.open(state),
            Step::Connections(_)
            | Step::Bytes(..)
            | Step::Arrival(_)
            | Step::Elapsed(_)
            | Step::Repeat(_) => {}
        }
    }

    fn set(&self, direction: Direction, faults: Faults) {
        self.settings.send_modify(|all| {
            all.faults[direction.index()] = faults;
            all.changes[direction.index()] += 1;
        });
    }

    fn shut(&self, state: &mut State) {
        if matches!(state.door, Door::Closed { .. }) {
            return;
        }
        // The listener has to be gone before its port can be taken again.
        state.door = Door::Closed { _port: None };
        state.door = Door::Closed {
            _port: reserve(&self.address),
        };
        state.counts.refusals += 1;
    }

    fn open(&self, state: &mut State) {
        if matches!(state.door, Door::Open(_)) {
            return;
        }
        state.door = Door::Closed { _port: None };
        unlink(&self.address);
        match Listener::bind(&self.address) {
            Ok((listener, _)) => state.door = Door::Open(listener),
            Err(error) => panic!("cannot listen at {} again: {error}", self.address),
        }
        self.moved.notify_one();
    }

    /// Nobody comes any more.
    pub(super) fn end(&self) {
        self.state.lock().door = Door::Closed { _port: None };
        unlink(&self.address);
    }
}

fn order(state: &State, change: impl Fn(&mut Orders)) {
    for orders in state.links.values() {
        orders.send_modify(&change);
    }
}

fn unlink(address: &Address) {
    if let Address::Unix(path) = address {
        // It may be gone already.
        let _ = std::fs::remove_file(path);
    }
}
