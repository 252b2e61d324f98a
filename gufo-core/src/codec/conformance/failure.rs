//! How a check fails.

use std::{fmt, panic::Location};

/// Why a check failed, and where.
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
    pub(super) fn and(mut self, more: impl fmt::Display) -> Self {
        self.message = format!("{}, {more}", self.message);
        self
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

/// The beginning of how a value is shown.
pub(super) fn brief(value: &(impl fmt::Debug + ?Sized)) -> String {
    const MOST: usize = 400;
    let mut shown = format!("{value:?}");
    if let Some((cut, _)) = shown.char_indices().nth(MOST) {
        shown.truncate(cut);
        shown.push_str("...");
    }
    shown
}

/// Fails the check unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::codec::conformance::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails the check unless two values are equal.
macro_rules! ensure_eq {
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if left != right {
                    return Err($crate::codec::conformance::Failure::new(format!(
                        "{}: {} is not {}",
                        format_args!($($message)+),
                        $crate::codec::conformance::failure::brief(left),
                        $crate::codec::conformance::failure::brief(right),
                    )));
                }
            }
        }
    };
}

pub(super) use {ensure, ensure_eq};
