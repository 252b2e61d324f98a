//! What was done how often: the advice on repeating calls, taken at its word.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
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

/// A client that repeats what was not begun and nothing else.
struct Careful<'a> {
    bed: &'a Bed,
    connection: Option<Arc<dyn Connection>>,
    repeated: usize,
}

impl Careful<'_> {
    async fn add(&mut self, entry: u64) -> Result<u64> {
        loop {
            let connection = match &self.connection {
                Some(connection) => Arc::clone(connection),
                None => match self.bed.connect_with(patient()).await {
                    Ok(connection) => connection,
                    Err(error) => {
                        assert_eq!(error.retry(), Retry::NotBegun, "{error}");
                        continue;
                    }
                },
            };
            self.connection = Some(Arc::clone(&connection));
            match self.bed.ledger.add(&connection, entry).await {
                Err(error) => {
                    assert_eq!(error.code(), Code::Unavailable, "{error}");
                    self.connection = None;
                    if error.retry() != Retry::NotBegun {
                        return Err(error);
                    }
                    self.repeated += 1;
                }
                answer => return answer,
            }
        }
    }
}

/// Connections are cut again and again, at every place of their bytes. What was answered was done,
/// and nothing was done twice, though whatever was "not begun" was repeated.
pub(crate) async fn a_call_said_not_to_have_begun_may_be_repeated(wire: Wire) {
    let bed = Bed::new(wire).await;
    let mut answered = Vec::new();
    let mut client = Careful {
        bed: &bed,
        connection: None,
        repeated: 0,
    };

    for entry in 0..300 {
        if entry % 3 == 0 {
            let direction = Direction::BOTH[usize::from(entry % 2 == 0)];
            bed.proxy
                .play([Step::Bytes(direction, 1 + entry % 211), Step::Reset]);
        }
        let added = within("the call", client.add(entry)).await;
        if let Ok(reply) = added {
            assert_eq!(reply, entry);
            answered.push(entry);
        }
    }

    let mut done = BTreeMap::new();
    for entry in bed.ledger.entries() {
        *done.entry(entry).or_insert(0) += 1;
    }
    assert!(done.values().all(|times| *times == 1), "{done:?}");
    assert!(answered.iter().all(|entry| done.contains_key(entry)));
    let resets = bed.proxy.counts().resets;
    assert!(resets >= 20, "only {resets} resets");
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
