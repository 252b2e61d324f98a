//! Deadline: a point in time inside the process, a remaining duration on the wire.

use std::time::Duration;

use tokio::time::Instant;

/// The point in time by which a call must have ended, or none.
///
/// Time is tokio's, so that tests can pause it. On the wire only the remaining duration travels:
/// clocks of different machines are never compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub const NONE: Self = Self(None);

    /// At a point in time.
    #[must_use]
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// This long from now; a duration beyond what the clock can hold is no deadline.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// The point in time.
    #[must_use]
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }

    /// What is left; zero once passed, `None` without a deadline.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0
            .map(|instant| instant.saturating_duration_since(Instant::now()))
    }

    /// True once the point in time has passed.
    #[must_use]
    pub fn is_expired(self) -> bool {
        self.0.is_some_and(|instant| instant <= Instant::now())
    }

    /// The earlier of two deadlines.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (a, b) => Self(a.or(b)),
        }
    }

    /// A deadline earlier by a margin, for calls made on behalf of this one.
    #[must_use]
    pub fn minus(self, margin: Duration) -> Self {
        Self(
            self.0
                .map(|instant| instant.checked_sub(margin).unwrap_or(instant)),
        )
    }

    /// Waits until the deadline; for ever without one.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn reached(self) {
        match self.0 {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn remaining_shrinks_and_ends_at_zero() {
        let deadline = Deadline::after(Duration::from_secs(2));

        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(deadline.remaining(), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(deadline.remaining(), Some(Duration::ZERO));
        assert!(deadline.is_expired());
    }

    #[tokio::test(start_paused = true)]
    async fn min_takes_the_earlier_and_ignores_none() {
        let soon = Deadline::after(Duration::from_secs(1));
        let late = Deadline::after(Duration::from_secs(9));

        assert_eq!(late.min(soon), soon);
        assert_eq!(Deadline::NONE.min(late), late);
        assert_eq!(Deadline::NONE.remaining(), None);
    }
}
