//! Registries for gufo: where nodes are registered and watched.
//!
//! | scheme | feature | what it is |
//! |---|---|---|
//! | `memory` | always on | inside the process: [`memory::MemoryRegistry`], the reference behaviour |
//! | `fixed` | always on | a list in the URL: [`fixed::FixedRegistry`], read-only |
//!
//! [`open`] opens any of them by URL; [`builtin`] is the table behind it, to which applications add their own. What every
//! registry promises stands in the contract of [`gufo_core::Registry`], and the suite `conformance` checks it.
//!
//! # Features
//!
//! * `conformance`: the public suite, for authors of registries; for tests only.
//!
//! # Examples
//!
//! ```
//! use gufo_core::registry::RegisterOptions;
//! use gufo_core::{Endpoint, Node, NodeId, Registry, ServiceName};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let registry = gufo_registry::open("memory://").await?;
//! let service = ServiceName::parse("greeter.Greeter")?;
//! let node = Node::new(service.clone(), NodeId::parse("greeter-1")?)
//!     .with_endpoint(Endpoint::parse("grpc://127.0.0.1:50051")?);
//!
//! let lease = registry.register(node, RegisterOptions::default()).await?;
//! assert_eq!(registry.lookup(&service).await?.len(), 1);
//!
//! lease.revoke().await?;
//! assert!(registry.lookup(&service).await?.is_empty());
//! # Ok::<(), gufo_core::Error>(()) }).unwrap();
//! ```

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod fixed;
pub mod memory;
mod open;

pub use open::{builtin, open};
