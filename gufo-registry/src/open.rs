//! The registries that are compiled in, by scheme.

use std::sync::Arc;

use gufo_core::{Registry, Result, Schemes};

use crate::fixed::{self, FixedRegistry};
use crate::memory::{self, MemoryRegistry};

/// The table of the registries compiled in; add your own with [`Schemes::with`].
#[must_use]
pub fn builtin() -> Schemes<Arc<dyn Registry>> {
    Schemes::new("registry")
        .with("fixed", |url| async move {
            let registry = FixedRegistry::open(fixed::Config::from_url(&url)?)?;
            Ok(Arc::new(registry) as Arc<dyn Registry>)
        })
        .with("memory", |url| async move {
            let registry = MemoryRegistry::open(memory::Config::from_url(&url)?)?;
            Ok(Arc::new(registry) as Arc<dyn Registry>)
        })
}

/// Opens the registry that `url` names, among those compiled in.
///
/// # Errors
///
/// `InvalidArgument` for a malformed URL, an unknown scheme or a part the registry does not take; otherwise what the
/// registry answers.
///
/// # Cancel safety
///
/// Safe: a dropped call leaves nothing open.
pub async fn open(url: &str) -> Result<Arc<dyn Registry>> {
    builtin().open(url).await
}
