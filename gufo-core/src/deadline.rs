//! Deadline: a point in time inside the process, a remaining duration on the wire.

use std::time::Duration;

use tokio::time::Instant;

use crate::{Error, Result};

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

    /// What is left, as the header `grpc-timeout` writes it: at most eight digits and a unit.
    #[must_use]
    pub fn to_timeout(self) -> Option<String> {
        let left = self.remaining()?;
        Some(if left.as_micros() < 100_000_000 {
            format!("{}u", left.as_micros())
        } else if left.as_millis() < 100_000_000 {
            format!("{}m", left.as_millis())
        } else {
            format!("{}S", left.as_secs().min(99_999_999))
        })
    }

    /// Reads what [`Deadline::to_timeout`] writes, as from now.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not one to eight digits and one of the units `H M S m u n`.
    pub fn from_timeout(timeout: &str) -> Result<Self> {
        match parse_timeout(timeout.as_bytes()) {
            Some(timeout) => Ok(Self::after(timeout)),
            None => Err(Error::invalid_argument(format!(
                "timeout {timeout:?} is not one to eight digits and one of the units H M S m u n"
            ))),
        }
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

fn parse_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits
        .iter()
        .fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
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

    #[test]
    fn timeouts_are_read_by_their_unit() {
        assert_eq!(parse_timeout(b"1H"), Some(Duration::from_secs(3600)));
        assert_eq!(parse_timeout(b"20M"), Some(Duration::from_secs(1200)));
        assert_eq!(
            parse_timeout(b"99999999n"),
            Some(Duration::from_nanos(99_999_999))
        );
        for text in [&b""[..], b"1", b"S", b"123456789S", b"-1S", b"1.5S", b"1s"] {
            assert_eq!(parse_timeout(text), None, "{text:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_comes_back() {
        for seconds in [1, 99, 100_000, 99_999_999] {
            let deadline = Deadline::after(Duration::from_secs(seconds));
            let text = deadline.to_timeout().expect("a deadline");
            assert_eq!(
                Deadline::from_timeout(&text).expect("legal"),
                deadline,
                "{text}"
            );
        }
    }
}
