//! Method: the descriptor that travels with every call.

use std::{borrow::Cow, fmt, ops::Deref, sync::Arc};

use crate::{Error, Result};

/// What a call looks like on the wire.
///
/// Exhaustive: gRPC defines these four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One request, one reply.
    Unary,
    /// Many requests, one reply.
    ClientStream,
    /// One request, many replies.
    ServerStream,
    /// Many requests, many replies.
    Bidi,
}

impl Kind {
    /// The kind of a method whose sides stream or do not.
    #[must_use]
    pub const fn of(streams: Streams) -> Self {
        match (streams.requests, streams.replies) {
            (false, false) => Self::Unary,
            (true, false) => Self::ClientStream,
            (false, true) => Self::ServerStream,
            (true, true) => Self::Bidi,
        }
    }

    /// True when the client sends a stream.
    #[must_use]
    pub const fn streams_requests(self) -> bool {
        matches!(self, Self::ClientStream | Self::Bidi)
    }

    /// True when the server sends a stream.
    #[must_use]
    pub const fn streams_replies(self) -> bool {
        matches!(self, Self::ServerStream | Self::Bidi)
    }
}

/// Which sides of a method stream, as descriptors state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "two sides, for ever")]
pub struct Streams {
    /// The client sends a stream.
    pub requests: bool,
    /// The server sends a stream.
    pub replies: bool,
}

/// Whether a method may be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// Repeating may do the work twice.
    #[default]
    Unknown,
    /// Repeating has the effect of doing it once.
    Idempotent,
    /// No effect at all: safe to repeat, to hedge and to cache.
    NoSideEffects,
}

/// A REST binding of a method, in the terms of `google.api.http`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RestBinding {
    /// HTTP method in upper case, e.g. `GET`.
    pub verb: Cow<'static, str>,
    /// Path template, e.g. `/hello/{name}`.
    pub path: Cow<'static, str>,
    /// Which request field is the body: empty for none, `*` for the whole message.
    pub body: Cow<'static, str>,
}

impl RestBinding {
    /// A binding known at compile time.
    #[must_use]
    pub const fn new(verb: &'static str, path: &'static str, body: &'static str) -> Self {
        Self {
            verb: Cow::Borrowed(verb),
            path: Cow::Borrowed(path),
            body: Cow::Borrowed(body),
        }
    }
}

/// Path, kind, idempotency and REST bindings of one method.
///
/// Generated code emits one `static` per method; methods learned at run time, by reflection, are
/// built with [`Method::parse`]. Both travel as a [`MethodRef`].
///
/// ```
/// use gufo_core::{Idempotency, Kind, Method};
///
/// static HELLO: Method =
///     Method::new(Kind::Unary, "/greeter.Greeter/Hello").with_idempotency(Idempotency::Idempotent);
/// assert_eq!(HELLO.service(), "greeter.Greeter");
/// assert_eq!(HELLO.name(), "Hello");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    path: Cow<'static, str>,
    slash: usize,
    kind: Kind,
    idempotency: Idempotency,
    rest: &'static [RestBinding],
    parsed_rest: Vec<RestBinding>,
}

impl Method {
    /// A method with the path `/package.Service/Method`.
    ///
    /// # Panics
    /// When the path does not have this form; in a `static` this is a compile error. For paths
    /// from outside use [`Method::parse`].
    #[must_use]
    pub const fn new(kind: Kind, path: &'static str) -> Self {
        let Some(slash) = split(path.as_bytes()) else {
            panic!("a method path has the form /package.Service/Method");
        };
        Self {
            path: Cow::Borrowed(path),
            slash,
            kind,
            idempotency: Idempotency::Unknown,
            rest: &[],
            parsed_rest: Vec::new(),
        }
    }

    /// A method learned at run time.
    ///
    /// # Errors
    /// `InvalidArgument` when the path does not have the form `/package.Service/Method`.
    pub fn parse(kind: Kind, path: &str) -> Result<Self> {
        let slash = split(path.as_bytes()).ok_or_else(|| {
            Error::invalid_argument(format!(
                "method path {path:?} does not have the form /package.Service/Method"
            ))
        })?;
        Ok(Self {
            path: Cow::Owned(path.to_owned()),
            slash,
            kind,
            idempotency: Idempotency::Unknown,
            rest: &[],
            parsed_rest: Vec::new(),
        })
    }

    /// States whether the method may be repeated.
    #[must_use]
    pub const fn with_idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// Sets the REST bindings, the main one first.
    #[must_use]
    pub const fn with_rest(mut self, bindings: &'static [RestBinding]) -> Self {
        self.rest = bindings;
        self
    }

    /// Sets the REST bindings of a method learned at run time, the main one first.
    #[must_use]
    pub fn with_parsed_rest(mut self, bindings: Vec<RestBinding>) -> Self {
        self.parsed_rest = bindings;
        self
    }

    /// `/package.Service/Method`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `package.Service`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.path[1..self.slash]
    }

    /// `Method`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.path[self.slash + 1..]
    }

    /// Which sides stream.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the method may be repeated.
    #[must_use]
    pub const fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// REST bindings, the main one first.
    #[must_use]
    pub fn rest(&self) -> &[RestBinding] {
        if self.parsed_rest.is_empty() {
            self.rest
        } else {
            &self.parsed_rest
        }
    }
}

/// The position of the second slash of `/service/method`.
const fn split(path: &[u8]) -> Option<usize> {
    if path.is_empty() || path[0] != b'/' {
        return None;
    }
    let mut slash = None;
    let mut index = 1;
    while index < path.len() {
        match path[index] {
            b'/' if slash.is_none() && index > 1 => slash = Some(index),
            b'/' | 0..=b' ' | 0x7f.. => return None,
            _ => {}
        }
        index += 1;
    }
    match slash {
        Some(position) if position + 1 < path.len() => Some(position),
        _ => None,
    }
}

/// A pointer to a [`Method`]: a `'static` one of generated code, or one learned at run time.
#[derive(Clone)]
pub struct MethodRef(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static Method),
    Shared(Arc<Method>),
}

impl Deref for MethodRef {
    type Target = Method;

    fn deref(&self) -> &Method {
        match &self.0 {
            Repr::Static(method) => method,
            Repr::Shared(method) => method,
        }
    }
}

impl From<&'static Method> for MethodRef {
    fn from(method: &'static Method) -> Self {
        Self(Repr::Static(method))
    }
}

impl From<Method> for MethodRef {
    fn from(method: Method) -> Self {
        Self(Repr::Shared(Arc::new(method)))
    }
}

impl fmt::Debug for MethodRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn paths_of_another_form_are_refused() {
        for path in [
            "", "/", "Hello", "/a", "/a/", "//b", "a/b", "/a/b/c", "/a b/c", "/a/b\n",
        ] {
            let error = Method::parse(Kind::Unary, path).expect_err(path);
            assert_eq!(error.code(), Code::InvalidArgument, "{path}");
        }
    }

    #[test]
    fn a_method_learned_at_run_time_equals_a_static_one() {
        static HELLO: Method = Method::new(Kind::Bidi, "/a.B/C");

        assert_eq!(Method::parse(Kind::Bidi, "/a.B/C").expect("legal"), HELLO);
    }
}
