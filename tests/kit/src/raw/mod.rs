//! Clients that write by hand what no well-behaved client would.
//!
//! [`Socket`] writes any bytes, [`Http2`] any frames of HTTP/2, [`native`] those of `tcp://`, and all
//! read with an end.

mod frame;
pub mod hpack;
mod http1;
mod http2;
pub mod native;
mod socket;

pub use frame::{Frame, codes, flags, kinds, message, message_head};
pub use http1::{Answer, Http1};
pub use http2::{Http2, Outcome, Settings, grpc_head};
pub use socket::Socket;
