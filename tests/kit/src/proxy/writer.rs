//! The writer of a lane: what happens next, and when.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{
    After, Cut, Direction, End, Faults, Flow, LaneCounts,
    chance::{Chance, Purpose},
    lane::{Broken, Ends, Link},
    pipe::{Item, Pipe, What},
    shared::{Orders, Settings},
};

/// Delivers what one lane's pipe holds.
pub(super) struct Writer<'a> {
    pub(super) link: &'a Link,
    pub(super) direction: Direction,
    pub(super) ends: Ends<'a>,
    pub(super) pipe: &'a Pipe,
    pub(super) chance: Chance,
    pub(super) settings: watch::Receiver<Settings>,
    pub(super) orders: watch::Receiver<Orders>,
    pub(super) faults: Faults,
    pub(super) change: u64,
    /// Since when these faults hold here.
    pub(super) since: Instant,
    /// What is delivered next.
    pub(super) item: Option<Item>,
    /// Bytes of the stream that were delivered or dropped.
    pub(super) place: u64,
    /// What is left of the present slice.
    pub(super) slice: usize,
    /// When the line is free again.
    pub(super) free: Instant,
    /// When the present piece has come through the line.
    pub(super) ready: Option<Instant>,
    /// The receiver hears nothing any more.
    pub(super) silent: bool,
    /// The receiver was told that nothing more comes.
    pub(super) shut: bool,
}

/// What comes next.
pub(super) enum Turn {
    Again,
    /// Until then, or until something changes.
    Wait(Option<Instant>),
    Write(usize),
    Done(Result<(), Broken>),
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        link: &'a Link,
        direction: Direction,
        ends: Ends<'a>,
        pipe: &'a Pipe,
    ) -> Self {
        Self {
            link,
            direction,
            ends,
            pipe,
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
        }
    }

    /// Delivers until the end of the stream was.
    pub(super) async fn run(mut self) -> Result<(), Broken> {
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

    pub(super) fn count(&self, change: impl FnOnce(&mut LaneCounts)) {
        self.link.shared.count_lane(self.direction, change);
    }
}

/// Waits until the faults or the orders are others.
pub(super) async fn changed(
    settings: &mut watch::Receiver<Settings>,
    orders: &mut watch::Receiver<Orders>,
) {
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

/// The earlier of two points in time; none is never.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
