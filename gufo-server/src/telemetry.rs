//! What a server says through `tracing`: the targets to filter by.
//!
//! | target | level | what | fields |
//! |---|---|---|---|
//! | [`CALL`] | debug | span `call` around a call, event `call ended` | `method`, `code`, `elapsed_us` |
//! | [`CALL`] | debug | event `call refused`, which was not begun | `method`, `code` |
//! | [`CALL`] | error | `handler panicked` | `method`, `panic` |
//! | [`SERVER`] | info, warn | start, stop, connection cap, accept errors, registration | as they apply |
//!
//! Spans and events of calls cost nothing unless a subscriber wants them.

/// Target of what concerns one call.
pub const CALL: &str = "gufo::call";

/// Target of what concerns the server.
pub const SERVER: &str = "gufo::server";
