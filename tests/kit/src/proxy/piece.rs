//! What a writer writes: how much at once, and with which bits turned over.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::{
    After, Cut, Faults,
    chance::{Chance, Purpose},
    lane::Broken,
    pipe::{Item, What},
    writer::{Turn, Writer, changed, earlier},
};

/// A write under a bandwidth takes this share of a second at most.
const QUANTUM: u64 = 50;

/// A longer gap is as good as none that ends.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

impl Writer<'_> {
    /// How many of the bytes that are next go now.
    pub(super) fn piece(
        &mut self,
        mut count: usize,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Turn {
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

    /// Writes some of so many bytes, and counts.
    pub(super) async fn write(&mut self, count: usize) -> Result<(), Broken> {
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

    pub(super) fn end_slice(&mut self) {
        self.slice = 0;
        self.count(|counts| counts.slices += 1);
        let gap = self
            .faults
            .slices
            .map_or(Duration::ZERO, |slices| slices.gap);
        if gap > Duration::ZERO {
            self.free = self.free.max(Instant::now()) + gap.min(FOREVER);
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
}

/// The bytes of a piece as they arrive.
fn flipped(faults: &Faults, chance: Chance, place: u64, piece: &Bytes) -> Bytes {
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

fn least(count: usize, limit: u64) -> usize {
    usize::try_from(limit).map_or(count, |limit| count.min(limit))
}
