//! Peer: who is at the other end of a connection.

use std::{borrow::Cow, net::SocketAddr};

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// Scheme of the transport, e.g. `grpc`.
    pub scheme: Cow<'static, str>,
    /// Network address, if the transport has one.
    pub address: Option<SocketAddr>,
    /// Verified identity, e.g. the SPIFFE or DNS name of a client certificate. Never a name the
    /// peer merely states.
    pub identity: Option<String>,
}

impl Peer {
    /// A peer whose identity is not known.
    #[must_use]
    pub fn new(scheme: impl Into<Cow<'static, str>>, address: Option<SocketAddr>) -> Self {
        Self {
            scheme: scheme.into(),
            address,
            identity: None,
        }
    }
}
