//! What the proxy did.

use super::Direction;

/// What a proxy has done so far: the run is worth nothing if the fault did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Connections whose upstream could not be reached; the client was reset.
    pub unreachable: u64,
    /// Further connections made to the upstream, by
    /// [`duplicates`](super::Connecting::duplicates).
    pub duplicates: u64,
    /// Connections ended with a reset, because a fault said so.
    pub resets: u64,
    /// Connections ended in order at both ends, because a fault said so.
    pub closes: u64,
    /// Connections ended with a reset, because one end did so itself.
    pub aborts: u64,
    /// How often the address was closed to newcomers.
    pub refusals: u64,
    /// Steps of scripts that are done.
    pub steps: u64,
    /// From the client to the upstream.
    pub up: LaneCounts,
    /// From the upstream to the client.
    pub down: LaneCounts,
}

/// What a proxy has done in one direction, over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LaneCounts {
    /// Bytes read from the sender.
    pub taken: u64,
    /// Bytes given to the receiver's socket.
    pub delivered: u64,
    /// Bytes read and dropped.
    pub swallowed: u64,
    /// Slices written, the last of a stream included.
    pub slices: u64,
    /// Bits turned over.
    pub flips: u64,
    /// Reads that were kept back by latency or jitter.
    pub delayed: u64,
    /// Writes that were kept back by bandwidth.
    pub throttled: u64,
    /// How often bytes were there and held, or a sender's end was and the receiver not told.
    pub held: u64,
    /// Ends of streams that were told to the receiver because the sender ended.
    pub ends: u64,
    /// Ends of streams that were told to the receiver though the sender had not ended.
    pub half_closes: u64,
    /// Connections that became silent in this direction by a cut.
    pub silences: u64,
}

impl Counts {
    /// Those of one direction.
    #[must_use]
    pub const fn lane(&self, direction: Direction) -> &LaneCounts {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    pub(super) const fn lane_mut(&mut self, direction: Direction) -> &mut LaneCounts {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}
