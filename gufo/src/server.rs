//! Server: where a server begins, with every transport compiled in.

use crate::open;

/// Where a server begins: [`Server::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Server;

impl Server {
    /// A server without addresses and services, with every transport compiled in.
    pub fn builder() -> gufo_server::Builder {
        gufo_server::Server::builder().transports(open::transports())
    }
}
