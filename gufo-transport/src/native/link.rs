//! Link: what everything that writes to a connection shares.

use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
};

use bytes::BufMut;
use gufo_core::Metadata;
use parking_lot::Mutex;

use super::{
    backlog::Backlog,
    frame::{self, DEFINE_METHOD, DEFINE_NAME, Kind, MAX_METHODS, MAX_NAMES},
    out::Out,
    wire::Numbers,
};

/// Messages wait with being sent while so many bytes wait for the socket.
const ROOM: usize = 512 * 1024;

/// The sending side of a connection. Calls write here from any task; the connection's own task
/// sends what has gathered.
#[derive(Debug)]
pub(super) struct Link {
    writer: Mutex<Writer>,
    /// What is too large to be written at once.
    pub(super) backlog: Arc<Backlog>,
}

/// What is behind the lock of a [`Link`].
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) out: Out,
    pub(super) methods: Numbers,
    pub(super) names: Numbers,
    /// The connection's task, while it does not know that something waits.
    driver: Option<Waker>,
    /// Tasks that wait for room.
    crowd: Vec<Waker>,
    /// This side opens no more calls.
    pub(super) left: bool,
    /// Nothing is sent any more.
    closed: bool,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            writer: Mutex::new(Writer {
                out: Out::default(),
                methods: Numbers::new(MAX_METHODS),
                names: Numbers::new(MAX_NAMES),
                driver: None,
                crowd: Vec::new(),
                left: false,
                closed: false,
            }),
            backlog: Arc::default(),
        }
    }

    /// Writes; whoever drives the connection learns of it.
    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Writer) -> T) -> T {
        let mut writer = self.writer.lock();
        let written = write(&mut writer);
        let driver = if writer.out.is_empty() {
            None
        } else {
            writer.driver.take()
        };
        drop(writer);
        if let Some(driver) = driver {
            driver.wake();
        }
        written
    }

    /// Moves what has gathered to `out`, and remembers whom to wake for more.
    pub(super) fn take(&self, out: &mut Out, cx: &TaskContext<'_>) {
        let mut writer = self.writer.lock();
        out.append(&mut writer.out);
        if !writer
            .driver
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            writer.driver = Some(cx.waker().clone());
        }
        let crowd = std::mem::take(&mut writer.crowd);
        drop(writer);
        crowd.into_iter().for_each(Waker::wake);
    }

    /// Whether anything has gathered.
    pub(super) fn is_empty(&self) -> bool {
        self.writer.lock().out.is_empty()
    }

    /// Waits until not too much has gathered.
    pub(super) fn poll_room(&self, cx: &TaskContext<'_>) -> Poll<()> {
        let mut writer = self.writer.lock();
        if writer.out.len() < ROOM || writer.closed {
            return Poll::Ready(());
        }
        writer.crowd.push(cx.waker().clone());
        Poll::Pending
    }

    /// Nothing is sent any more.
    pub(super) fn close(&self) {
        let mut writer = self.writer.lock();
        writer.closed = true;
        writer.left = true;
        writer.out = Out::default();
        let crowd = std::mem::take(&mut writer.crowd);
        drop(writer);
        crowd.into_iter().for_each(Waker::wake);
    }

    /// Says that this side opens no more calls, once.
    pub(super) fn leave(&self, reason: &str) {
        self.write(|writer| {
            if !std::mem::replace(&mut writer.left, true) {
                put_go_away(&mut writer.out, 0, reason);
            }
        });
    }

    pub(super) fn has_left(&self) -> bool {
        self.writer.lock().left
    }
}

/// Appends a GOAWAY frame; a code other than 0 says that the connection is broken.
pub(super) fn put_go_away(out: &mut Out, code: u8, reason: &str) {
    frame::put_small(out, Kind::GoAway, 0, |out| {
        out.put_u8(code);
        out.put_slice(reason.as_bytes());
    });
}

impl Writer {
    /// The number of a method, which the peer gets to know.
    pub(super) fn method(&mut self, path: &str) -> Option<u32> {
        if let Some(number) = self.methods.find(path) {
            return Some(number);
        }
        let number = self.methods.define(path)?;
        put_define(&mut self.out, DEFINE_METHOD, path);
        Some(number)
    }

    /// Makes sure that the peer knows the names of metadata by number; what comes back knows them.
    pub(super) fn name(&mut self, metadata: &Metadata) {
        for (name, _) in metadata.iter() {
            let name = name.as_str();
            if self.names.find(name).is_none() && self.names.define(name).is_some() {
                put_define(&mut self.out, DEFINE_NAME, name);
            }
        }
    }

    /// The bytes that wait, and the numbers of names.
    pub(super) fn split(&mut self) -> (&mut Out, &Numbers) {
        (&mut self.out, &self.names)
    }
}

fn put_define(out: &mut Out, what: u8, text: &str) {
    frame::put_small(out, Kind::Define, 0, |out| {
        out.put_u8(what);
        out.put_slice(text.as_bytes());
    });
}
