//! Waiting for what must come to pass, with an end.

use std::{fmt::Display, future::Future, time::Duration};

/// How long anything may take before a test gives up. Nothing is measured by it: it only ends
/// tests that would hang.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until a condition holds.
///
/// # Panics
/// When it does not within [`PATIENCE`].
pub async fn eventually(what: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
        "never came to pass: {what}"
    );
}

/// Waits for a future.
///
/// # Panics
/// When it does not end within [`PATIENCE`].
pub async fn within<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("did not end: {what}"),
    }
}
