//! What a channel says through `tracing`: the target to filter by.
//!
//! | target | level | what | fields |
//! |---|---|---|---|
//! | [`CHANNEL`] | debug | `connected`, `the connection takes no more calls` | `endpoint` |
//! | [`CHANNEL`] | warn, then debug | `cannot connect`: once at warn, repeated attempts at debug | `endpoint`, `error` |
//! | [`CHANNEL`] | info | `connected again` | `endpoint` |
//! | [`CHANNEL`] | info | `a better endpoint is connected` of the same node | `endpoint`, `instead_of` |
//! | [`CHANNEL`] | warn, then debug | `cannot follow the registry` | `service`, `reason` |
//! | [`CHANNEL`] | warn | `no transport reaches the node` | `node`, `endpoints` |
//! | [`CHANNEL`] | debug | `sending a call again`, which was not begun | `method`, `refused` |

/// Target of what concerns a channel and its connections.
pub const CHANNEL: &str = "gufo::channel";
