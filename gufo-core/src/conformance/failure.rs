//! How a check fails.

use std::{fmt, panic::Location};

/// Why a check failed, and where.
///
/// Every error becomes one by `?`.
#[derive(Clone)]
pub struct Failure {
    message: String,
    at: &'static Location<'static>,
}

impl Failure {
    /// A failure at the caller's line.
    #[track_caller]
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at: Location::caller(),
        }
    }

    /// Says more.
    #[must_use]
    pub fn and(mut self, more: impl fmt::Display) -> Self {
        self.message = format!("{}, {more}", self.message);
        self
    }
}

impl<E: std::error::Error> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(format!("unexpected error: {error:?}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at {})", self.message, self.at)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a value is shown in a failure: as by `Debug`, 400 characters at most.
pub fn brief(value: &(impl fmt::Debug + ?Sized)) -> String {
    const MOST: usize = 400;
    let mut shown = format!("{value:?}");
    if let Some((cut, _)) = shown.char_indices().nth(MOST) {
        shown.truncate(cut);
        shown.push_str("...");
    }
    shown
}

/// Ends a check as failed unless a condition holds: `ensure!(found, "{name} is not found")`.
#[doc(hidden)]
#[macro_export]
macro_rules! __ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($message)+)));
        }
    };
}

/// Ends a check as failed unless two values are equal: `ensure_eq!(read, written, "what came back")`.
#[doc(hidden)]
#[macro_export]
macro_rules! __ensure_eq {
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    return Err($crate::conformance::Failure::new(format!(
                        "{}: {} is not {}",
                        format_args!($($message)+),
                        $crate::conformance::brief(left),
                        $crate::conformance::brief(right),
                    )));
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::conformance::{Outcome, Verdict, ensure, ensure_eq};

    #[test]
    fn a_failure_names_its_line() {
        fn check() -> Verdict {
            ensure!(false, "{} is away", "the owl");
            Ok(Outcome::Passed)
        }

        let failure = check().unwrap_err().to_string();

        let line = line!() - 6;
        assert!(
            failure.starts_with("the owl is away (at ")
                && failure.contains(&format!("failure.rs:{line}:")),
            "{failure}"
        );
    }

    #[test]
    fn an_error_fails_the_check_at_its_line() {
        fn check() -> Verdict {
            u8::try_from(256_u16)?;
            Ok(Outcome::Passed)
        }

        let failure = check().unwrap_err().to_string();

        let line = line!() - 6;
        assert!(failure.starts_with("unexpected error: "), "{failure}");
        assert!(
            failure.contains(&format!("failure.rs:{line}:")),
            "{failure}"
        );
    }

    #[test]
    fn unequal_values_are_both_shown_and_neither_at_full_length() {
        fn check() -> Verdict {
            ensure_eq!("x".repeat(10_000), "y", "the letter");
            Ok(Outcome::Passed)
        }

        let failure = check().unwrap_err().to_string();

        assert!(failure.starts_with("the letter: \"xxx"), "{failure}");
        assert!(failure.contains("x... is not \"y\" (at "), "{failure}");
        assert!(failure.len() < 1_000, "{}", failure.len());
    }
}
