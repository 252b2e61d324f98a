//! What was done how often: the advice on repeating calls, taken at its word.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use gufo_core::{
    Code, Connection, Kind, Method, Result, Retry, Service, Status, codec::Raw, handler,
};
use gufo_testkit::{
    proxy::{Direction, Step},
    within,
};

use crate::bed::{Bed, Wire, patient, unary};

static ADD: Method = Method::new(Kind::Unary, "/faults.Ledger/Add");

/// A service that writes down every number it is given, and answers it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<u64>>>);

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

impl Ledger {
    pub(crate) fn service(&self) -> Service {
        let ledger = self.clone();
        Service::new("faults.Ledger").route(
            &ADD,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(move |_, request| {
                let entry = number(&request).ok_or_else(|| Status::invalid_argument("no number"));
                if let Ok(entry) = &entry {
                    ledger.0.lock().expect("no panic").push(*entry);
                }
                async move { entry.map(|_| request) }
            }),
        )
    }

    pub(crate) fn entries(&self) -> Vec<u64> {
        self.0.lock().expect("no panic").clone()
    }

    /// Has a number written down.
    pub(crate) async fn add(&self, connection: &Arc<dyn Connection>, entry: u64) -> Result<u64> {
        let reply = unary(connection, &ADD, entry.to_string()).await?;
        Ok(number(&reply).expect("a number is answered"))
    }
}

/// A client that repeats what was not begun and nothing else. Its callers share a connection until
/// it takes no more calls.
struct Careful {
    bed: Arc<Bed>,
    connection: tokio::sync::Mutex<Option<Arc<dyn Connection>>>,
    repeated: AtomicUsize,
}

impl Careful {
    async fn connection(&self) -> Arc<dyn Connection> {
        let mut current = self.connection.lock().await;
        loop {
            if let Some(connection) = &*current {
                return Arc::clone(connection);
            }
            match self.bed.connect_with(patient()).await {
                Ok(connection) => *current = Some(connection),
                Err(error) => assert_eq!(error.retry(), Retry::NotBegun, "{error}"),
            }
        }
    }

    async fn add(&self, entry: u64) -> Result<u64> {
        loop {
            let connection = self.connection().await;
            let added = self.bed.ledger.add(&connection, entry).await;
            let Err(error) = added else {
                return added;
            };
            assert_eq!(error.code(), Code::Unavailable, "{error}");
            if error.retry() != Retry::NotBegun {
                return Err(error);
            }
            self.repeated.fetch_add(1, SeqCst);
            let mut current = self.connection.lock().await;
            if current
                .as_ref()
                .is_some_and(|now| Arc::ptr_eq(now, &connection))
            {
                *current = None;
            }
        }
    }
}

/// Connections are cut again and again, at every place of their bytes, while calls are made side by
/// side. What was answered was done, and nothing was done twice, though whatever was "not begun" was
/// repeated.
pub(crate) async fn a_call_said_not_to_have_begun_may_be_repeated(wire: Wire) {
    const CALLERS: u64 = 6;
    const CALLS: u64 = 100;
    const RESETS: u64 = 60;
    let client = Arc::new(Careful {
        bed: Arc::new(Bed::new(wire).await),
        connection: tokio::sync::Mutex::default(),
        repeated: AtomicUsize::new(0),
    });
    let cuts = (0..RESETS).flat_map(|cut| {
        let direction = Direction::BOTH[usize::from(cut % 3 == 0)];
        [Step::Bytes(direction, 1 + cut * 37 % 397), Step::Reset]
    });
    client.bed.proxy.play(cuts);

    let callers = (0..CALLERS).map(|caller| {
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            let mut answered = Vec::new();
            for entry in caller * CALLS..(caller + 1) * CALLS {
                if let Ok(reply) = within("the call", client.add(entry)).await {
                    assert_eq!(reply, entry);
                    answered.push(entry);
                }
            }
            answered
        })
    });
    let mut answered = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        answered.append(&mut within("the calls", caller).await.expect("no panic"));
    }

    let client = Arc::into_inner(client).expect("all callers are gone");
    let bed = Arc::into_inner(client.bed).expect("all callers are gone");
    let mut done = BTreeMap::new();
    for entry in bed.ledger.entries() {
        *done.entry(entry).or_insert(0) += 1;
    }
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert!(answered.iter().all(|entry| done.contains_key(entry)));
    let resets = bed.proxy.counts().resets;
    let repeated = client.repeated.into_inner();
    assert!(resets >= RESETS / 2, "only {resets} resets");
    assert!(repeated > 0, "no call came too late");
    assert!(answered.len() >= 100, "only {} answers", answered.len());
    bed.survived().await;
}

/// Between the deed and its reply: the caller cannot know, and is told so.
pub(crate) async fn a_reply_that_is_cut_off_leaves_the_outcome_open(wire: Wire) {
    const ROUNDS: u64 = 30;
    let bed = Bed::new(wire).await;

    for entry in 0..ROUNDS {
        let connection = bed.connect().await;
        // What the transport says to begin with is over when a call was answered.
        let first = bed.ledger.add(&connection, ROUNDS + entry).await;
        first.expect("an answer");
        let small = entry.to_string().len() as u64;
        bed.proxy.play([
            Step::Bytes(Direction::Up, small),
            Step::Arrival(Direction::Down),
            Step::Reset,
        ]);

        let added = within("the call", bed.ledger.add(&connection, entry)).await;

        let error = added.expect_err("no reply came");
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        assert_ne!(error.retry(), Retry::NotBegun, "{error}");
    }

    assert_eq!(bed.proxy.counts().resets, ROUNDS);
    bed.survived().await;
}
