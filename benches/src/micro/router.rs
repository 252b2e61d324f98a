//! Finding what answers a path, and a call over `memory://` from the typed client to the handler.

use std::rc::Rc;

use bytes::Bytes;
use gufo_client::Channel;
use gufo_core::codec::Raw;
use gufo_core::{Call, Caller, Dispatch, Kind, Method, One, Service};
use gufo_server::Server;

use super::interceptors::{ECHO, echo};
use super::{Group, NoOp};
use crate::Result;

/// The step of a call over `memory://` with nothing around it.
pub(crate) const IN_MEMORY: &str = "client, channel, server, handler and back";

const SERVICES: usize = 32;
const METHODS: usize = 8;

/// Looking up paths among those of a server of some size.
pub(super) fn lookup() -> Result<Group> {
    let mut builder = Server::builder();
    for service in 0..SERVICES {
        let name = format!("bench.service{service}.Echo");
        let mut declared = Service::new(name.clone());
        for method in 0..METHODS {
            declared = declared.route(
                Method::parse(Kind::Unary, &format!("/{name}/Method{method}"))?,
                echo(),
            );
        }
        builder = builder.service(declared);
    }
    let router = builder.into_router()?;
    let missing = std::sync::Arc::clone(&router);
    let mut paths = (0..METHODS)
        .map(|method| format!("/bench.service{method}.Echo/Method{method}"))
        .collect::<Vec<_>>()
        .into_iter()
        .cycle();
    Ok(Group::new("Router: 256 methods")
        .step("find a method", move || {
            paths.next().and_then(|path| router.route(&path))
        })
        .step("find none", move || {
            missing.route("/bench.service7.Echo/Absent")
        }))
}

/// Calls over `memory://`, bytes as they are.
pub(super) fn memory() -> Result<Group> {
    let runtime = Rc::new(super::timer::runtime()?);
    let plain = runtime.block_on(connected(0))?;
    let intercepted = runtime.block_on(connected(3))?;
    let deadline = std::time::Duration::from_secs(30);
    let timed = plain.clone();
    Ok(
        Group::new("A unary call over memory://, 64 B, without serialization")
            .awaited(IN_MEMORY, &runtime, move || call(&plain))
            .awaited("the same with a deadline", &runtime, move || {
                call(&timed).timeout(deadline)
            })
            .awaited(
                "with deadline, metadata and three no-op interceptors on each side",
                &runtime,
                move || {
                    call(&intercepted)
                        .timeout(deadline)
                        .metadata("x-tenant", "owls")
                },
            ),
    )
}

fn call(caller: &Caller) -> Call<Raw, One<Bytes>, One<Bytes>> {
    Call::new(caller, &ECHO, One(Bytes::from_static(&[0x5a; 64])))
}

/// A client of a server that runs as long as the runtime does.
async fn connected(interceptors: usize) -> Result<Caller> {
    let server = Server::builder()
        .transports(gufo_transport::builtin())
        .listen("memory://")
        .interceptors(NoOp::chain(interceptors).iter().cloned())
        .service(Service::new("bench.Echo").route(&ECHO, echo()))
        .start()
        .await?;
    let url = server
        .urls()
        .first()
        .ok_or("the server listens nowhere")?
        .clone();
    let mut builder = Channel::builder()
        .transports(gufo_transport::builtin())
        .address(url);
    for _ in 0..interceptors {
        builder = builder.interceptor(NoOp);
    }
    let channel = builder.connect().await?;
    tokio::spawn(async move {
        let _server = server;
        std::future::pending::<()>().await;
    });
    Ok(channel.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_measured_call_is_echoed_with_and_without_interceptors() {
        for interceptors in [0, 3] {
            let caller = connected(interceptors).await.unwrap();

            assert_eq!(call(&caller).await.unwrap().len(), 64, "{interceptors}");
        }
    }
}
