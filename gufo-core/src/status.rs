//! Status: how a call ended, as it crosses the wire.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{BoxError, Code, Error, Metadata, Retry};

/// How a call ended: code, message, typed details and metadata.
///
/// One machine word wide. A status a handler returns reaches the caller whole; what must stay in
/// the process belongs into [`Status::with_source`], which never crosses the wire.
///
/// ```
/// use gufo_core::{Code, Status};
///
/// let status = Status::invalid_argument("name is empty");
/// assert_eq!(status.code(), Code::InvalidArgument);
/// assert_eq!(status.to_string(), "INVALID_ARGUMENT: name is empty");
/// ```
#[derive(Clone)]
pub struct Status(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: Code,
    retry: Retry,
    message: String,
    details: Vec<Detail>,
    metadata: Metadata,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// One typed detail: a `google.protobuf.Any`, compatible with `google.rpc.Status.details`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Type URL, e.g. `type.googleapis.com/google.rpc.ErrorInfo`.
    pub type_url: String,
    /// The encoded message.
    pub value: Bytes,
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

impl Status {
    /// A status with a code and a message for the caller.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            retry: Retry::of(code),
            message: message.into(),
            details: Vec::new(),
            metadata: Metadata::new(),
            source: None,
        }))
    }

    constructors! {
        /// The caller went away or asked to stop.
        cancelled => Cancelled;
        /// Nothing better is known.
        unknown => Unknown;
        /// The caller's input is wrong.
        invalid_argument => InvalidArgument;
        /// The deadline passed.
        deadline_exceeded => DeadlineExceeded;
        /// What was asked for does not exist.
        not_found => NotFound;
        /// What was to be created exists.
        already_exists => AlreadyExists;
        /// The caller may not do this.
        permission_denied => PermissionDenied;
        /// A limit or quota is reached.
        resource_exhausted => ResourceExhausted;
        /// The system is not in the state this needs.
        failed_precondition => FailedPrecondition;
        /// The operation lost against a concurrent one.
        aborted => Aborted;
        /// Past the valid range.
        out_of_range => OutOfRange;
        /// Not implemented or not enabled here.
        unimplemented => Unimplemented;
        /// An invariant of ours is broken.
        internal => Internal;
        /// The peer cannot be reached or does not serve now.
        unavailable => Unavailable;
        /// Data is lost for good.
        data_loss => DataLoss;
        /// The caller is not known.
        unauthenticated => Unauthenticated;
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Typed details; unknown ones are kept as they came.
    #[must_use]
    pub fn details(&self) -> &[Detail] {
        &self.0.details
    }

    /// Metadata sent with the status (trailers).
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Metadata sent with the status, to change.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.0.metadata
    }

    /// Whether repeating the call may help. Stays in the process.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Adds a typed detail.
    #[must_use]
    pub fn with_detail(mut self, type_url: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.0.details.push(Detail {
            type_url: type_url.into(),
            value: value.into(),
        });
        self
    }

    /// Replaces all details.
    #[must_use]
    pub fn with_details(mut self, details: Vec<Detail>) -> Self {
        self.0.details = details;
        self
    }

    /// Replaces the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = metadata;
        self
    }

    /// Sets the retry advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Attaches the cause. It stays in the process: no transport sends it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// The same status without metadata, details and source: what may be passed on when it came
    /// from upstream.
    #[must_use]
    pub fn without_upstream(self) -> Self {
        Self::new(self.0.code, self.0.message)
    }

    /// The details as an encoded `google.rpc.Status`, as gRPC carries it in
    /// `grpc-status-details-bin`; empty when there are none.
    #[must_use]
    pub fn encode_details(&self) -> Bytes {
        crate::details::encode(self)
    }

    /// Reads details out of an encoded `google.rpc.Status`. Malformed input changes nothing and is
    /// not an error: a peer's broken details must not hide its status.
    #[must_use]
    pub fn with_encoded_details(mut self, encoded: &[u8]) -> Self {
        if let Some(details) = crate::details::decode(encoded) {
            self.0.details = details;
        }
        self
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Status");
        out.field("code", &self.0.code)
            .field("message", &self.0.message);
        if !self.0.details.is_empty() {
            out.field("details", &self.0.details);
        }
        if !self.0.metadata.is_empty() {
            out.field("metadata", &self.0.metadata);
        }
        if let Some(source) = &self.0.source {
            out.field("source", source);
        }
        out.finish()
    }
}

impl std::error::Error for Status {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Keeps code and message; operation, context and source, and the details and metadata of an
/// upstream's status, stay behind.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Self::new(error.code(), error.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_status_is_one_word() {
        assert_eq!(size_of::<Result<(), Status>>(), size_of::<usize>());
        assert_eq!(size_of::<Status>(), size_of::<usize>());
    }

    #[test]
    fn an_error_turned_into_a_status_keeps_only_code_and_message() {
        let error = Error::unavailable("registry did not answer")
            .operation("lookup")
            .context("endpoint", "10.0.0.1:2379")
            .source("connection reset");

        let status = Status::from(error);

        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "registry did not answer");
        assert!(std::error::Error::source(&status).is_none());
        assert!(!format!("{status:?}").contains("10.0.0.1"));
    }
}
