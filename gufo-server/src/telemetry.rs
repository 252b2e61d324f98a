//! What a server says: events and spans through `tracing`, numbers through `metrics`.
//!
//! # Tracing
//! The targets to filter by:
//!
//! | target | level | what | fields |
//! |---|---|---|---|
//! | [`CALL`] | debug | span `call` around a call, event `call ended` | `method`, `code`, `elapsed_us` |
//! | [`CALL`] | debug | event `call refused`, which was not begun | `method`, `code` |
//! | [`CALL`] | error | `handler panicked` | `method`, `panic` |
//! | [`SERVER`] | info, warn | start, stop, connection cap, accept errors, registration | as they apply |
//!
//! Spans and events of calls cost nothing unless a subscriber wants them.
//!
//! # Metrics
//! With the feature `metrics`, through the facade crate of that name; where OpenTelemetry has a name,
//! it is that. Install a recorder before the server starts: it is looked up once for each method.
//!
//! | name | kind | what | labels |
//! |---|---|---|---|
//! | `rpc.server.call.duration` | histogram, seconds | calls that ended, to their last message | `rpc.system.name` (`gufo`), `rpc.method`, `rpc.response.status_code` |
//! | `gufo.server.calls.begun` | counter | calls that were admitted | `rpc.system.name`, `rpc.method` |
//! | `gufo.server.calls.active` | gauge | calls that run | `rpc.system.name`, `rpc.method` |
//! | `gufo.server.calls.refused` | counter | calls that were not begun | `rpc.system.name`, `rpc.method`, `rpc.response.status_code` |
//! | `gufo.server.connections.accepted` | counter | peers that arrived | `url` of the listener |
//! | `gufo.server.connections.active` | gauge | peers that are served | `url` |
//! | `gufo.server.accept.errors` | counter | failures to accept one | `url` |
//!
//! `rpc.method` is `package.Service/Method`, for methods that only a fallback knows the service.

/// Target of what concerns one call.
pub const CALL: &str = "gufo::call";

/// Target of what concerns the server.
pub const SERVER: &str = "gufo::server";
