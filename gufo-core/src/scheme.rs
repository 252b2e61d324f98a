//! [`Schemes`]: from the scheme of a URL to the code that opens it.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::url::BackendUrl;
use crate::value::nearest;
use crate::{BoxFuture, Error, Result};

type Opener<T> = Arc<dyn Fn(BackendUrl) -> BoxFuture<'static, Result<T>> + Send + Sync>;

/// An open table of schemes; a plain value, so that applications add their own backends exactly as gufo adds its own.
///
/// # Examples
///
/// ```
/// use gufo_core::Schemes;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let schemes = Schemes::new("registry")
///     .with("acme", |url| async move { Ok(url.to_string()) })
///     .known_but_off("etcd", "etcd", "gufo-registry");
/// assert_eq!(schemes.open("acme://host").await?, "acme://host");
///
/// let error = schemes.open("etcd://host").await.unwrap_err();
/// assert!(error.message().contains("feature `etcd` of `gufo-registry`"));
/// # Ok::<(), gufo_core::Error>(()) }).unwrap();
/// ```
pub struct Schemes<T> {
    what: &'static str,
    entries: BTreeMap<&'static str, Entry<T>>,
}

enum Entry<T> {
    On(Opener<T>),
    Off {
        feature: &'static str,
        package: &'static str,
    },
}

impl<T: 'static> Schemes<T> {
    /// An empty table of openers for a `what`, such as `registry`, which errors name.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            entries: BTreeMap::new(),
        }
    }

    /// Adds `scheme` (lower case, without modifiers), in place of an earlier entry of that name.
    #[must_use]
    pub fn with<F, Fut>(mut self, scheme: &'static str, opener: F) -> Self
    where
        F: Fn(BackendUrl) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        self.entries.insert(
            scheme,
            Entry::On(Arc::new(move |url| Box::pin(opener(url)))),
        );
        self
    }

    /// Notes that `feature` of `package` would add `scheme`; an opener that is already there stays.
    #[must_use]
    pub fn known_but_off(
        mut self,
        scheme: &'static str,
        feature: &'static str,
        package: &'static str,
    ) -> Self {
        self.entries
            .entry(scheme)
            .or_insert(Entry::Off { feature, package });
        self
    }

    /// The schemes that can be opened, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries
            .iter()
            .filter(|(_, entry)| matches!(entry, Entry::On(_)))
            .map(|(scheme, _)| *scheme)
    }

    /// Opens `url` with the opener of its scheme.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a malformed URL or an unknown scheme, naming those known and the nearest; `FailedPrecondition`
    /// for a scheme whose feature is off, naming the feature; otherwise what the opener answers.
    ///
    /// # Cancel safety
    ///
    /// As safe as the opener: nothing is kept here.
    pub async fn open(&self, url: &str) -> Result<T> {
        self.open_url(BackendUrl::parse(url)?).await
    }

    /// Like [`open`](Self::open), for a URL that is already parsed.
    ///
    /// # Errors
    ///
    /// See [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// See [`open`](Self::open).
    pub async fn open_url(&self, url: BackendUrl) -> Result<T> {
        let (what, scheme) = (self.what, url.scheme());
        match self.entries.get(scheme) {
            Some(Entry::On(opener)) => opener(url).await,
            Some(Entry::Off { feature, package }) => Err(Error::failed_precondition(format!(
                "{what} scheme `{scheme}` is not compiled in; enable feature `{feature}` of `{package}`"
            ))),
            None => {
                let hint = match nearest(scheme, self.entries.keys().copied()) {
                    Some(nearest) => format!("; did you mean `{nearest}`?"),
                    None => String::new(),
                };
                let known = self.names().collect::<Vec<_>>().join(", ");
                Err(Error::invalid_argument(format!(
                    "unknown {what} scheme `{scheme}`{hint} (compiled in: {known})"
                )))
            }
        }
    }
}

impl<T> Clone for Schemes<T> {
    fn clone(&self) -> Self {
        Self {
            what: self.what,
            entries: self.entries.clone(),
        }
    }
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        match self {
            Self::On(opener) => Self::On(Arc::clone(opener)),
            Self::Off { feature, package } => Self::Off { feature, package },
        }
    }
}

impl<T> fmt::Debug for Schemes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = |entry: &Entry<T>| {
            if matches!(entry, Entry::On(_)) {
                "on"
            } else {
                "off"
            }
        };
        f.debug_map()
            .entries(
                self.entries
                    .iter()
                    .map(|(scheme, entry)| (scheme, state(entry))),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn schemes() -> Schemes<String> {
        Schemes::new("registry")
            .with("memory", |url| async move { Ok(url.to_string()) })
            .with("fixed", |_| async {
                Err(Error::unavailable("fixed is away"))
            })
            .known_but_off("etcd", "etcd", "gufo-registry")
    }

    #[tokio::test]
    async fn the_scheme_chooses_the_opener() {
        assert_eq!(
            schemes().open("memory://demo").await.unwrap(),
            "memory://demo"
        );
        assert_eq!(
            schemes().open("fixed://a").await.unwrap_err().code(),
            Code::Unavailable
        );
        assert_eq!(
            schemes().open("nonsense").await.unwrap_err().code(),
            Code::InvalidArgument
        );
    }

    #[tokio::test]
    async fn an_unknown_scheme_lists_those_compiled_in_and_the_nearest() {
        let error = schemes().open("memry://demo").await.unwrap_err();

        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(
            error.message(),
            "unknown registry scheme `memry`; did you mean `memory`? (compiled in: fixed, memory)"
        );
    }

    #[tokio::test]
    async fn a_scheme_that_is_off_names_its_feature() {
        let error = schemes().open("etcd://host").await.unwrap_err();

        assert_eq!(error.code(), Code::FailedPrecondition);
        assert!(
            error
                .message()
                .contains("feature `etcd` of `gufo-registry`"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn an_opener_wins_over_the_note_that_it_is_off() {
        let before = schemes().with("etcd", |_| async { Ok(String::from("acme")) });
        let after = before
            .clone()
            .known_but_off("etcd", "etcd", "gufo-registry");

        assert_eq!(after.open("etcd://host").await.unwrap(), "acme");
    }
}
