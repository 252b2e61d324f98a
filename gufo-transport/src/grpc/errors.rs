//! What an h2 error means for a call.

use gufo_core::{Retry, Status};
use h2::Reason;

/// Which end of a connection looks at an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The status of a call whose stream or connection failed, after the table "Errors" in gRPC's
/// `PROTOCOL-HTTP2.md`.
pub(super) fn status(error: &h2::Error, side: Side) -> Status {
    if side == Side::Server && (error.is_reset() || error.is_io()) {
        return Status::cancelled("the caller gave the call up");
    }
    let status = match error.reason() {
        // Streams a GOAWAY leaves out were never looked at.
        Some(Reason::NO_ERROR) if error.is_go_away() => {
            Status::unavailable("the server is going away").with_retry(Retry::NotBegun)
        }
        Some(Reason::REFUSED_STREAM) => {
            Status::unavailable("the server refused the call before it began")
                .with_retry(Retry::NotBegun)
        }
        Some(Reason::CANCEL) => Status::cancelled("the server cancelled the call"),
        Some(Reason::ENHANCE_YOUR_CALM) => {
            Status::resource_exhausted("the server asks for less traffic")
        }
        Some(Reason::INADEQUATE_SECURITY) => {
            Status::permission_denied("the server asks for a better TLS")
        }
        Some(reason) if error.is_go_away() => Status::unavailable(format!(
            "the server closed the connection: {}",
            reason.description()
        )),
        Some(reason) => Status::internal(format!("the stream was reset: {}", reason.description())),
        None => Status::unavailable("the connection was lost"),
    };
    status.with_source(error.to_string())
}
