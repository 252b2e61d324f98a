//! Boxed futures: the one alias the call path uses.

use std::{future::Future, pin::Pin};

/// A boxed, sendable future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed error, as third parties produce them.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
