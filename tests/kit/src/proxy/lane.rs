//! One direction of one connection: a reader, a pipe and a writer that works the faults.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{sync::watch, time::Instant};

use super::{
    After, Cut, Direction, End, Faults, Flow,
    address::Stream,
    chance::{Chance, Purpose},
    pipe::{Item, Pipe, What},
    shared::{Orders, Settings, Shared},
};

/// Bytes of one read at most.
pub(super) const READ: usize = 16 * 1024;

/// A write under a bandwidth takes this share of a second at most.
const QUANTUM: u64 = 50;

/// What the two lanes of a connection know of it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) number: u64,
    pub(super) orders: Arc<watch::Sender<Orders>>,
    /// Receivers that take nothing any more, by direction.
    pub(super) deaf: parking_lot::Mutex<[bool; 2]>,
    /// Lanes that have come to their end.
    pub(super) done: parking_lot::Mutex<[bool; 2]>,
}

impl Link {
    fn is_deaf(&self, direction: Direction) -> bool {
        self.deaf.lock()[direction.index()]
    }

    fn is_done(&self, direction: Direction) -> bool {
        self.done.lock()[direction.index()]
    }
}

/// Why a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A fault said so.
    Fault,
    /// One end did so itself.
    Peer,
}

/// The ends of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    pub(super) source: &'a Stream,
    pub(super) destination: &'a Stream,
    /// Further receivers.
    pub(super) duplicates: &'a [Stream],
}

/// Carries bytes until the sender's end was told to the receiver.
pub(super) async fn run(link: &Link, direction: Direction, ends: Ends<'_>) -> Result<(), Broken> {
    let pipe = Pipe::new(link.shared.buffer);
    let writer = Writer {
        link,
        direction,
        ends,
        pipe: &pipe,
        chance: Chance::new(link.shared.seed, link.number, direction),
        settings: link.shared.settings.subscribe(),
        orders: link.orders.subscribe(),
        faults: Faults::default(),
        // Not yet seen.
        change: u64::MAX,
        since: Instant::now(),
        item: None,
        place: 0,
        slice: 0,
        free: Instant::now(),
        ready: None,
        silent: false,
        shut: false,
    };
    let ended = tokio::select! {
        ended = writer.run() => ended,
        never = read(link, direction, ends.source, &pipe) => match never {},
    };
    link.done.lock()[direction.index()] = true;
    ended
}

async fn read(link: &Link, direction: Direction, source: &Stream, pipe: &Pipe) -> Infallible {
    let mut offset = 0;
    let mut buffer = BytesMut::new();
    let end = loop {
        let most = pipe.room().await.min(READ);
        buffer.reserve(most);
        match source.read(&mut buffer, most).await {
            Ok(0) => break What::End,
            Err(_) => break What::Abort,
            Ok(read) => {
                link.shared
                    .count_lane(direction, |counts| counts.taken += read as u64);
                pipe.push(offset, What::Bytes(buffer.split().freeze()));
                offset += read as u64;
            }
        }
    };
    pipe.push(offset, end);
    std::future::pending().await
}

struct Writer<'a> {
    link: &'a Link,
    direction: Direction,
    ends: Ends<'a>,
    pipe: &'a Pipe,
    chance: Chance,
    settings: watch::Receiver<Settings>,
    orders: watch::Receiver<Orders>,
    faults: Faults,
    change: u64,
    /// Since when these faults hold here.
    since: Instant,
    /// What is delivered next.
    item: Option<Item>,
    /// Bytes of the stream that were delivered or dropped.
    place: u64,
    /// What is left of the present slice.
    slice: usize,
    /// When the line is free again.
    free: Instant,
    /// When the present piece has come through the line.
    ready: Option<Instant>,
    /// The receiver hears nothing any more.
    silent: bool,
    /// The receiver was told that nothing more comes.
    shut: bool,
}

/// What comes next.
enum Turn {
    Again,
    /// Until then, or until something changes.
    Wait(Option<Instant>),
    Write(usize),
    Done(Result<(), Broken>),
}

impl Writer<'_> {
    async fn run(mut self) -> Result<(), Broken> {
        loop {
            match self.turn() {
                Turn::Again => {}
                Turn::Wait(until) => self.wait(until).await,
                Turn::Write(count) => self.write(count).await?,
                Turn::Done(result) => return result,
            }
            // Nothing above has to wait, and others want their turn.
            tokio::task::consume_budget().await;
        }
    }

    async fn wait(&mut self, until: Option<Instant>) {
        let alarm = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = alarm => {}
            () = self.pipe.filled() => {}
            () = changed(&mut self.settings, &mut self.orders) => {}
        }
    }

    fn turn(&mut self) -> Turn {
        let now = Instant::now();
        self.refresh(now);
        let orders = *self.orders.borrow_and_update();
        if orders.reset {
            return Turn::Done(Err(Broken::Fault));
        }
        if orders.shut(self.direction) && !self.shut {
            self.shut();
            if !orders.close {
                self.count(|counts| counts.half_closes += 1);
            }
        }
        let deadline = match self.cut(now) {
            Ok(deadline) => deadline,
            Err(end) => return self.end(end),
        };
        if self.item.is_none() {
            self.item = self.pipe.pop();
        }
        let Some(item) = &mut self.item else {
            return Turn::Wait(deadline);
        };
        let is_end = !matches!(item.what, What::Bytes(_));
        if self.shut && is_end {
            return Turn::Done(Ok(()));
        }
        let swallow = self.shut || self.silent || self.faults.flow == Flow::Swallow;
        if swallow && !is_end {
            return self.swallow();
        }
        if swallow || self.faults.flow == Flow::Hold {
            if !std::mem::replace(&mut item.held, true) {
                self.count(|counts| counts.held += 1);
            }
            return Turn::Wait(deadline);
        }
        let delay = delay(&self.faults, self.chance, item.offset, is_end);
        let due = item.arrived.checked_add(delay);
        if due.is_none_or(|due| due > now) {
            if !std::mem::replace(&mut item.delayed, true) {
                self.count(|counts| counts.delayed += 1);
            }
            return Turn::Wait(earlier(deadline, due));
        }
        match &item.what {
            What::Bytes(bytes) => {
                let count = bytes.len();
                self.piece(count, now, deadline)
            }
            What::End if !self.link.is_deaf(self.direction.opposite()) => {
                self.shut();
                self.count(|counts| counts.ends += 1);
                Turn::Done(Ok(()))
            }
            What::End | What::Abort => Turn::Done(Err(Broken::Peer)),
        }
    }

    /// How many of the bytes that are next go now.
    fn piece(&mut self, mut count: usize, now: Instant, deadline: Option<Instant>) -> Turn {
        if self.link.shared.arrival(self.direction) {
            return Turn::Again;
        }
        if let Some(slices) = self.faults.slices {
            if self.slice == 0 {
                let least = slices.size.saturating_sub(slices.variation);
                let spread = slices.size.saturating_add(slices.variation) - least;
                let spread = (spread as u64).saturating_add(1);
                let drawn = self.chance.below(Purpose::Slice, self.place, spread);
                self.slice = least.saturating_add(drawn as usize).max(1);
            }
            count = count.min(self.slice);
        }
        if let Some(Cut {
            after: After::Bytes(bytes),
            ..
        }) = self.faults.cut
        {
            count = least(count, bytes - self.place);
        }
        if let Some(allowance) = self.link.shared.allowance(self.direction) {
            count = least(count, allowance.max(1));
        }
        if let Some(rate) = self.faults.bandwidth {
            count = least(count, (rate.get() / QUANTUM).max(1));
            let ready = *self.ready.get_or_insert_with(|| {
                let takes = Duration::from_secs_f64(count as f64 / rate.get() as f64);
                self.free.max(now) + takes
            });
            if ready > now {
                return Turn::Wait(earlier(deadline, Some(ready)));
            }
            self.count(|counts| counts.throttled += 1);
        } else if self.free > now {
            return Turn::Wait(earlier(deadline, Some(self.free)));
        }
        Turn::Write(count)
    }

    fn refresh(&mut self, now: Instant) {
        let settings = self.settings.borrow_and_update();
        let index = self.direction.index();
        if settings.changes[index] == self.change {
            return;
        }
        self.change = settings.changes[index];
        self.faults = settings.faults[index].clone();
        drop(settings);
        if self.chance.unit(Purpose::Share, 0) >= self.faults.share {
            self.faults = Faults::default();
        }
        self.since = now;
        self.slice = 0;
        self.free = now;
        self.ready = None;
    }

    /// When the connection is cut, or how, if that is now.
    fn cut(&self, now: Instant) -> Result<Option<Instant>, End> {
        let Some(Cut { after, end }) = self.faults.cut else {
            return Ok(None);
        };
        if self.shut || self.silent {
            return Ok(None);
        }
        match after {
            After::Bytes(bytes) if self.place >= bytes => Err(end),
            After::Bytes(_) => Ok(None),
            After::Time(time) => match self.since.checked_add(time) {
                Some(at) if at <= now => Err(end),
                at => Ok(at),
            },
        }
    }

    fn end(&mut self, end: End) -> Turn {
        match end {
            End::Reset => return Turn::Done(Err(Broken::Fault)),
            End::Close => self.link.orders.send_modify(|orders| orders.close = true),
            End::HalfClose => {
                let index = self.direction.index();
                self.link
                    .orders
                    .send_modify(|orders| orders.half_close[index] = true);
            }
            End::Swallow => {
                self.silent = true;
                self.count(|counts| counts.silences += 1);
            }
        }
        Turn::Again
    }

    fn shut(&mut self) {
        self.shut = true;
        if self.slice > 0 && self.faults.slices.is_some() {
            self.end_slice();
        }
        self.ends.destination.finish();
        for duplicate in self.ends.duplicates {
            duplicate.finish();
        }
    }

    /// Drops what is next.
    fn swallow(&mut self) -> Turn {
        if let Some(What::Bytes(bytes)) = self.item.take().map(|item| item.what) {
            let count = bytes.len();
            self.place += count as u64;
            self.pipe.release(count);
            self.count(|counts| counts.swallowed += count as u64);
        }
        Turn::Again
    }

    async fn write(&mut self, count: usize) -> Result<(), Broken> {
        let Some(Item {
            what: What::Bytes(bytes),
            ..
        }) = &mut self.item
        else {
            return Ok(());
        };
        let piece = bytes.slice(..count);
        let sent = flipped(&self.faults, self.chance, self.place, &piece);
        let written = tokio::select! {
            written = self.ends.destination.write(&sent) => written,
            // The receiver takes nothing now, and perhaps it shall not get this any more.
            () = changed(&mut self.settings, &mut self.orders) => return Ok(()),
        };
        let Ok(count) = written else {
            return self.deaf();
        };
        for duplicate in self.ends.duplicates {
            // A duplicate that is gone is no loss to the client.
            let _: io::Result<()> = duplicate.write_all(&sent[..count]).await;
        }
        let _ = bytes.split_to(count);
        if bytes.is_empty() {
            self.item = None;
        }
        self.delivered(&piece[..count], &sent[..count]);
        Ok(())
    }

    fn delivered(&mut self, piece: &[u8], sent: &[u8]) {
        let count = piece.len();
        self.place += count as u64;
        self.pipe.release(count);
        if let Some(ready) = self.ready.take() {
            self.free = ready;
        }
        if self.faults.slices.is_some() {
            self.slice = self.slice.saturating_sub(count);
            if self.slice == 0 {
                self.end_slice();
            }
        }
        let pairs = piece.iter().zip(sent);
        let flips: u32 = pairs.map(|(was, is)| (was ^ is).count_ones()).sum();
        if flips > 0 {
            self.count(|counts| counts.flips += u64::from(flips));
        }
        self.link.shared.delivered(self.direction, count);
    }

    fn end_slice(&mut self) {
        self.slice = 0;
        self.count(|counts| counts.slices += 1);
        let gap = self
            .faults
            .slices
            .map_or(Duration::ZERO, |slices| slices.gap);
        if gap > Duration::ZERO {
            self.free = self.free.max(Instant::now()) + gap;
        }
    }

    /// The receiver is gone. That is news for the sender: the other lane has it, unless it ended.
    fn deaf(&mut self) -> Result<(), Broken> {
        if self.link.is_done(self.direction.opposite()) {
            return Err(Broken::Peer);
        }
        self.link.deaf.lock()[self.direction.index()] = true;
        self.shut = true;
        Ok(())
    }

    fn count(&self, change: impl FnOnce(&mut super::LaneCounts)) {
        self.link.shared.count_lane(self.direction, change);
    }
}

async fn changed(settings: &mut watch::Receiver<Settings>, orders: &mut watch::Receiver<Orders>) {
    tokio::select! {
        // The senders outlive every lane.
        _ = settings.changed() => {}
        _ = orders.changed() => {}
    }
}

fn delay(faults: &Faults, chance: Chance, offset: u64, is_end: bool) -> Duration {
    let mut delay = faults.latency;
    if faults.jitter > Duration::ZERO {
        let spread = faults.jitter.saturating_mul(2);
        let drawn = spread.mul_f64(chance.unit(Purpose::Jitter, offset));
        delay = delay.saturating_add(drawn).saturating_sub(faults.jitter);
    }
    if is_end {
        delay = delay.saturating_add(faults.close_delay);
    }
    delay
}

/// The bytes of a piece as they arrive.
fn flipped(faults: &Faults, chance: Chance, place: u64, piece: &bytes::Bytes) -> bytes::Bytes {
    if faults.flips.is_empty() && faults.flip_chance <= 0.0 {
        return piece.clone();
    }
    let mut bytes = BytesMut::from(&piece[..]);
    for flip in &faults.flips {
        let at = flip.offset.checked_sub(place);
        let byte = at.and_then(|at| bytes.get_mut(usize::try_from(at).ok()?));
        if let Some(byte) = byte {
            *byte ^= flip.mask;
        }
    }
    if faults.flip_chance > 0.0 {
        for (place, byte) in (place..).zip(bytes.iter_mut()) {
            if chance.unit(Purpose::Flip, place) < faults.flip_chance {
                *byte ^= 1 << chance.below(Purpose::Bit, place, 8);
            }
        }
    }
    bytes.freeze()
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn least(count: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(count, |limit| count.min(limit))
}
