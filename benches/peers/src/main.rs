//! Peers of gufo-benches that gufo itself has no use for; the command builds and starts this binary.

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "tarpc")]
mod tarpc;
#[cfg(feature = "volo")]
mod volo_grpc;
#[cfg(feature = "volo")]
mod volo_thrift;

use std::process::ExitCode;

use gufo_benches::Measured;

static PEERS: &[&dyn Measured] = &[
    #[cfg(feature = "tarpc")]
    &tarpc::Tarpc,
    #[cfg(feature = "volo")]
    &volo_grpc::VoloGrpc,
    #[cfg(feature = "volo")]
    &volo_thrift::VoloThrift,
    #[cfg(feature = "nats")]
    &nats::Nats,
];

fn main() -> ExitCode {
    gufo_benches::worker::main(PEERS)
}
