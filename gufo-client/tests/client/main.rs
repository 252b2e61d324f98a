//! The channel through its public API, over a network inside the test and with time that stands
//! still.

mod channel;
mod discovery;
#[cfg(feature = "dynamic")]
mod dynamic;
mod fake;
mod options;
mod preference;
mod repeat;
