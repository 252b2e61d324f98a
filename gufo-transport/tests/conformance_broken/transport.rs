//! The transport around memory, and its harness.

use std::{future::pending, sync::Arc, time::Duration};

use gufo_core::{
    BackendUrl, BoxFuture, ConnectOptions, Connection, Deadline, Limits, ListenOptions, Listener,
    Result, Transport, Values,
};
use gufo_transport::{
    conformance::{Capabilities, Harness, Tolerance},
    memory::MemoryTransport,
};
use tokio::sync::Semaphore;

use crate::{connection::BrokenConnection, fault::Fault, server::BrokenListener};

/// A transport around memory with one fault, and its harness.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    fault: Fault,
    hellos: Arc<Semaphore>,
}

impl Broken {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            hellos: Arc::new(Semaphore::new(0)),
        }
    }
}

impl Harness for Broken {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }

    fn listen_url(&self) -> String {
        "memory://".to_owned()
    }

    fn connect_url(&self, listening: &str) -> String {
        if self.fault == Fault::ValuesLost {
            listening.to_owned()
        } else {
            format!("{listening}?encode=true")
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::in_process();
        if !self.fault.is_about_values() {
            capabilities.values = Values::Encode;
        }
        capabilities
    }

    fn tolerance(&self) -> Tolerance {
        let mut tolerance = Tolerance::default();
        // Those without a fault may be slow on a busy machine, those with one are waited for.
        if self.fault != Fault::None {
            tolerance.settle = Duration::from_secs(1);
        }
        tolerance
    }
}

fn unlimited() -> Limits {
    let mut limits = Limits::default();
    limits.send = usize::MAX;
    limits.receive = usize::MAX;
    limits.metadata = usize::MAX;
    limits.calls = u32::MAX;
    limits
}

/// A URL without what is behind its question mark.
fn without_keys(url: &BackendUrl) -> Result<BackendUrl> {
    let text = url.to_string();
    BackendUrl::parse(text.split('?').next().unwrap_or(&text))
}

impl Transport for Broken {
    fn connect(
        &self,
        url: BackendUrl,
        mut options: ConnectOptions,
    ) -> BoxFuture<'static, Result<Arc<dyn Connection>>> {
        let Self { fault, hellos } = self.clone();
        Box::pin(async move {
            if fault == Fault::LimitsIgnored {
                options.limits = unlimited();
            }
            if fault == Fault::ConnectIgnoresDeadline {
                options.deadline = Deadline::NONE;
            }
            if fault == Fault::OpensSocket {
                let _socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await;
            }
            let url = match fault {
                Fault::KeysIgnored => without_keys(&url)?,
                _ => url,
            };
            let hello = async {
                tokio::task::yield_now().await;
                hellos.add_permits(1);
            };
            let (connected, ()) = tokio::join!(MemoryTransport::new().connect(url, options), hello);
            let inner = match connected {
                Err(_) if fault == Fault::RefusedHangs => pending().await,
                connected => connected?,
            };
            Ok(Arc::new(BrokenConnection::new(inner, fault)) as Arc<dyn Connection>)
        })
    }

    fn listen(
        &self,
        url: BackendUrl,
        mut options: ListenOptions,
    ) -> BoxFuture<'static, Result<Box<dyn Listener>>> {
        let Self { fault, hellos } = self.clone();
        Box::pin(async move {
            if fault == Fault::LimitsIgnored {
                options.limits = unlimited();
            }
            let url = match fault {
                Fault::KeysIgnored => without_keys(&url)?,
                _ => url,
            };
            let listening = MemoryTransport::new().listen(url, options.clone()).await;
            let inner = match listening {
                Err(_) if fault == Fault::AddressShared => {
                    let another = BackendUrl::parse("memory://")?;
                    MemoryTransport::new().listen(another, options).await?
                }
                listening => listening?,
            };
            Ok(Box::new(BrokenListener::new(inner, fault, hellos)) as Box<dyn Listener>)
        })
    }
}
