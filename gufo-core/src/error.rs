//! Error: what went wrong inside this process, and whether trying again may help.

use std::{fmt, time::Duration};

use crate::{BoxError, Code, Status};

/// `Result` with gufo's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether repeating an operation may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Repeating gives the same answer.
    Never,
    /// Repeating may help, if the operation is safe to repeat.
    Maybe,
    /// The request was not begun: repeating is safe even for operations that are not idempotent.
    NotBegun,
    /// Repeating may help, not before this time has passed.
    After(Duration),
    /// A retry loop gave up already: outer loops must not multiply its attempts.
    Exhausted,
}

impl Retry {
    /// The advice that goes with a code when nothing better is known.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        match code {
            Code::Unavailable | Code::Aborted | Code::ResourceExhausted => Self::Maybe,
            _ => Self::Never,
        }
    }
}

/// An error inside the process: code, message, operation, context, retry advice, source.
///
/// One machine word wide. Display is one lower-case line without the source's text; the source is
/// reached through [`std::error::Error::source`]. Display text is not API: judge by
/// [`Error::code`] and [`Error::retry`].
///
/// ```
/// use gufo_core::{Code, Error};
///
/// let error = Error::unavailable("etcd did not answer").context("endpoint", "a.example:2379");
/// assert_eq!(error.code(), Code::Unavailable);
/// assert_eq!(error.to_string(), "etcd did not answer (endpoint: a.example:2379)");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    retry: Retry,
    message: String,
    operation: Option<&'static str>,
    context: Vec<(&'static str, String)>,
    source: Option<BoxError>,
    status: Option<Status>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $code:ident;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(Code::$code, message)
        })*
    };
}

impl Error {
    /// An error with a code and a message that is safe to show to a caller.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            retry: Retry::of(code),
            message: message.into(),
            operation: None,
            context: Vec::new(),
            source: None,
            status: None,
        }))
    }

    constructors! {
        /// The operation was given up.
        cancelled => Cancelled;
        /// The input is wrong.
        invalid_argument => InvalidArgument;
        /// The deadline passed.
        deadline_exceeded => DeadlineExceeded;
        /// What was asked for does not exist.
        not_found => NotFound;
        /// What was to be created exists.
        already_exists => AlreadyExists;
        /// The caller may not do this.
        permission_denied => PermissionDenied;
        /// A limit is reached.
        resource_exhausted => ResourceExhausted;
        /// The system is not in the state this needs.
        failed_precondition => FailedPrecondition;
        /// Not implemented or not enabled here.
        unimplemented => Unimplemented;
        /// An invariant of ours is broken.
        internal => Internal;
        /// The peer cannot be reached or does not serve now.
        unavailable => Unavailable;
        /// The caller is not known.
        unauthenticated => Unauthenticated;
    }

    /// Names the operation that failed, e.g. `connect`.
    #[must_use]
    pub fn operation(mut self, operation: &'static str) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Adds a fact about the failure. Never a secret.
    #[must_use]
    pub fn context(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Attaches the cause.
    #[must_use]
    pub fn source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets the retry advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message, without operation and context.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether repeating may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The status a call ended with, details and metadata included, when the error came from a
    /// call.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        self.0.status.as_ref()
    }

    /// True for [`Code::NotFound`].
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.0.code == Code::NotFound
    }

    /// True for [`Code::Unavailable`].
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.code == Code::Unavailable
    }
}

/// The error of a call that ended with a status; [`Error::status`] gives it back.
impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let mut error = Self::new(status.code(), status.message());
        error.0.retry = status.retry();
        error.0.status = Some(status);
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)?;
        for (index, (key, value)) in self.0.context.iter().enumerate() {
            f.write_str(if index == 0 { " (" } else { ", " })?;
            write!(f, "{key}: {value}")?;
        }
        if !self.0.context.is_empty() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self}", self.0.code)?;
        if let Some(source) = &self.0.source {
            write!(f, "; caused by: {source:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match (&self.0.source, &self.0.status) {
            (Some(source), _) => Some(source.as_ref()),
            (None, Some(status)) => status.source(),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_error_is_one_word() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_without_the_source() {
        let error = Error::unavailable("did not answer")
            .operation("connect")
            .source("secret cause");

        assert_eq!(error.to_string(), "connect: did not answer");
    }

    #[test]
    fn an_upstream_status_is_kept_for_inspection_and_not_for_passing_on() {
        let mut upstream = Status::aborted("lost the race");
        upstream
            .metadata_mut()
            .insert("x-secret", "1")
            .expect("legal");

        let error = Error::from(upstream);
        assert_eq!(
            error.status().expect("kept").metadata().get("x-secret"),
            Some("1")
        );

        let passed_on = Status::from(error);
        assert!(passed_on.metadata().is_empty());
    }
}
