//! Who is measured, and who of them is compiled into this binary.

mod gufo;
mod raw;
mod tonic;

use gufo_benches::Measured;

use self::gufo::{Dress, Gufo};
use self::raw::{Raw, RawSpawn};
use self::tonic::Tonic;

/// The peer that ratios are taken to.
pub(crate) const BASELINE: &str = "tonic";
/// What the same work costs with next to no protocol.
pub(crate) const FLOOR: &str = "raw";
/// gufo's own protocol on TCP: what most goals are about.
pub(crate) const NATIVE: &str = "gufo-tcp";
/// The same on a socket file.
pub(crate) const UNIX: &str = "gufo-unix";
/// gufo over HTTP/2.
pub(crate) const GRPC: &str = "gufo-grpc";
/// The same with a deadline, metadata and interceptors.
pub(crate) const GRPC_FULL: &str = "gufo-grpc-full";
/// A rival of the native transport.
pub(crate) const TARPC: &str = "tarpc";

/// Peers that come from `benches/peers`, and the feature of that crate that brings them: built when they are asked for.
pub(crate) const FOREIGN: [(&str, &str); 4] = [
    (TARPC, "tarpc"),
    ("volo-grpc", "volo"),
    ("volo-thrift", "volo"),
    ("nats", "nats"),
];

/// What is still to be written, and why it is not measured.
pub(crate) const NOT_YET: [(&str, &str); 2] = [
    ("gufo over tcp+tls", "not yet"),
    ("gufo over grpc+tls", "not yet"),
];

/// The peers of this binary, in the order of the report.
pub(crate) static OWN: [&dyn Measured; 9] = [
    &Raw,
    &RawSpawn,
    &Tonic,
    &Gufo {
        name: "gufo-memory",
        listen: "memory://",
        dress: Dress::Plain,
    },
    &Gufo {
        name: UNIX,
        listen: "unix://",
        dress: Dress::Plain,
    },
    &Gufo {
        name: NATIVE,
        listen: "tcp://127.0.0.1:0",
        dress: Dress::Plain,
    },
    &Gufo {
        name: "gufo-tcp-full",
        listen: "tcp://127.0.0.1:0",
        dress: Dress::Full,
    },
    &Gufo {
        name: GRPC,
        listen: "grpc://127.0.0.1:0",
        dress: Dress::Plain,
    },
    &Gufo {
        name: GRPC_FULL,
        listen: "grpc://127.0.0.1:0",
        dress: Dress::Full,
    },
];

/// Every name, in the order of the report.
pub(crate) fn names() -> Vec<String> {
    let own = OWN.iter().map(|peer| peer.about().name);
    own.chain(FOREIGN.map(|(name, _)| name.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_returns_what_it_was_sent() {
        for peer in OWN {
            if peer.about().absent.is_none() {
                peer.check().unwrap();
            }
        }
    }

    #[test]
    fn no_two_peers_share_a_name_and_goals_name_those_there_are() {
        let names = names();

        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len());
        for name in [BASELINE, FLOOR, NATIVE, UNIX, GRPC, GRPC_FULL, TARPC] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }
}
