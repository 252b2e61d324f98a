//! Peers of `tcp://` and `unix://` made of single frames, on either side.

mod frame;
mod peer;

pub use frame::{
    Frame, HEAD, LONGEST, MAGIC, PREFACE, block, bytes, flags, kinds, put_bytes, put_varint,
    settings, varint,
};
pub use peer::{Outcome, Peer};
