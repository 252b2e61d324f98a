//! What can go wrong on the way, as data.

use std::{num::NonZeroU64, time::Duration};

use super::Address;

/// One of the two ways bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the upstream.
    Up,
    /// From the upstream to the client.
    Down,
}

impl Direction {
    /// Both of them.
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

/// The faults of one direction. They act together, on connections that are open as well as on new
/// ones, and each connection on its own: a bandwidth of 1,000 is that of each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Faults {
    /// Whether bytes go on at all. Default: they do.
    pub flow: Flow,
    /// How long each byte is on its way. Default 0. What is on its way is kept up to the proxy's
    /// buffer, then the sender is not read any more.
    pub latency: Duration,
    /// How much more or less than `latency` that may be, evenly spread; never less than nothing,
    /// and bytes never overtake each other. Default 0.
    pub jitter: Duration,
    /// Bytes per second. Default: as many as there are.
    pub bandwidth: Option<NonZeroU64>,
    /// Writes bytes in small pieces. Default: as they come.
    pub slices: Option<Slices>,
    /// Bits that arrive turned over, at known places. Default: none.
    pub flips: Vec<Flip>,
    /// The chance of each byte to arrive with one bit turned over, from 0 to 1. Default 0.
    pub flip_chance: f64,
    /// Ends connections after some bytes, or some time. Default: never.
    pub cut: Option<Cut>,
    /// How much longer than bytes the end of the stream is on its way. Default 0.
    pub close_delay: Duration,
    /// The share of connections that these faults befall, from 0 to 1; the seed and the number of
    /// the connection say which. Default 1.
    pub share: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            flow: Flow::Pass,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            bandwidth: None,
            slices: None,
            flips: Vec::new(),
            flip_chance: 0.0,
            cut: None,
            close_delay: Duration::ZERO,
            share: 1.0,
        }
    }
}

/// Whether bytes go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flow {
    /// They do.
    #[default]
    Pass,
    /// They wait, and so does the end of the stream: a pause. Nothing is lost; when the proxy's
    /// buffer is full, the sender is not read any more. A partition that heals looks like this.
    Hold,
    /// They are read and dropped, and the receiver is told neither of them nor of the sender's end:
    /// a black hole. What was dropped does not come back when this ends.
    Swallow,
}

/// Bytes in small pieces, each a write of its own.
///
/// The receiver may still read several at once, unless there is a gap between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// Bytes of a slice; 0 counts as 1.
    pub size: usize,
    /// How many more or less than `size` a slice may have, evenly spread; at least 1 is left.
    pub variation: usize,
    /// How long to wait after each slice.
    pub gap: Duration,
}

impl Slices {
    /// Slices of one size, without a gap.
    #[must_use]
    pub const fn of(size: usize) -> Self {
        Self {
            size,
            variation: 0,
            gap: Duration::ZERO,
        }
    }
}

/// A byte that arrives changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Its place in the direction's stream of each connection; the first byte is 0.
    pub offset: u64,
    /// The bits that are turned over.
    pub mask: u8,
}

impl Flip {
    /// One bit of the byte at `offset`; of `bit` only the lowest three bits count, 0 is the least
    /// significant bit.
    #[must_use]
    pub const fn bit(offset: u64, bit: u8) -> Self {
        Self {
            offset,
            mask: 1 << (bit & 7),
        }
    }
}

/// When and how a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// When.
    pub after: After,
    /// How.
    pub end: End,
}

/// When a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum After {
    /// When so many bytes have gone this way on the connection, no byte later; at its begin when 0.
    Bytes(u64),
    /// So long after the connection was made or the fault was set, whichever is later.
    Time(Duration),
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With a reset (RST) at both ends. A unix socket has none: it is closed at once, and what was
    /// not read is gone.
    Reset,
    /// With an orderly end (FIN) at both ends; what they still send is dropped.
    Close,
    /// With an orderly end in this direction only; what still comes this way is dropped.
    HalfClose,
    /// Without anybody being told: from there on bytes of this direction are dropped.
    Swallow,
}

/// How the upstream is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connecting {
    /// Where new connections go.
    pub upstream: Address,
    /// How long to wait between a client's connection and the one to the upstream. Default 0.
    pub delay: Duration,
    /// Further connections to the upstream for the same client. Each sees the client's bytes, with
    /// their faults; what the upstream answers there is dropped. The slowest sets the pace.
    /// Default 0.
    pub duplicates: usize,
}

impl Connecting {
    pub(super) const fn to(upstream: Address) -> Self {
        Self {
            upstream,
            delay: Duration::ZERO,
            duplicates: 0,
        }
    }
}
