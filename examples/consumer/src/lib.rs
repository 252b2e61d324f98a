//! A service that brings its own registry: [`Phonebook`] keeps the nodes, [`Library`] is served.
//!
//! The words of gufo come through `gufo_server::core`; `#[gufo_server::service]` finds them there
//! by itself.

mod library;
mod phonebook;

pub use library::{Book, Library, LibraryClient, LibraryServer, Query, Shelf};
pub use phonebook::Phonebook;

use std::sync::Arc;

use gufo_server::{RunningServer, Server, core::Result};

/// Serves a library over gRPC on a free port, and registers it.
///
/// # Errors
/// What the server says when it cannot start.
pub async fn open_library(shelf: Shelf, phonebook: &Phonebook) -> Result<RunningServer> {
    Server::builder()
        .transports(gufo_transport::builtin())
        .listen("grpc://127.0.0.1:0")
        .registry(Arc::new(phonebook.clone()))
        .service(LibraryServer::new(shelf))
        .start()
        .await
}
