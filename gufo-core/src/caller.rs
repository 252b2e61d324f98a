//! Caller: what typed clients are made of.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Compression, Format, Handler, Interceptor, intercept,
    random::{Random, SplitMix},
};

/// A handler with the defaults of a client: what generated clients are made of.
///
/// Made from a channel (`gufo_client::Channel`), or from any [`Handler`] for tests. Clones share
/// everything.
#[derive(Clone)]
pub struct Caller {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) defaults: Arc<Defaults>,
}

/// What calls use unless told otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Defaults {
    /// How long a call may take. Default: as long as it wants.
    pub timeout: Option<Duration>,
    /// The format of messages. Default: what the service prefers.
    pub format: Option<Format>,
    /// How requests are compressed. Default: not at all.
    pub compression: Option<Compression>,
    /// Where span ids come from. Default: seeded by the system; tests give a seed.
    pub random: Arc<dyn Random>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            timeout: None,
            format: None,
            compression: None,
            random: Arc::new(SplitMix::from_entropy()),
        }
    }
}

impl Caller {
    /// Calls a handler.
    #[must_use]
    pub fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            defaults: Arc::default(),
        }
    }

    /// Replaces the defaults.
    #[must_use]
    pub fn with_defaults(self, defaults: Defaults) -> Self {
        Self {
            defaults: Arc::new(defaults),
            ..self
        }
    }

    /// Puts interceptors around every call, the first one outermost.
    #[must_use]
    pub fn with_interceptors(self, chain: impl IntoIterator<Item = Arc<dyn Interceptor>>) -> Self {
        Self {
            handler: intercept(self.handler, &chain.into_iter().collect()),
            ..self
        }
    }

    /// The defaults.
    #[must_use]
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// What answers the calls.
    #[must_use]
    pub fn handler(&self) -> &Arc<dyn Handler> {
        &self.handler
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}

impl From<Arc<dyn Handler>> for Caller {
    fn from(handler: Arc<dyn Handler>) -> Self {
        Self::new(handler)
    }
}

/// A typed client that knows which service it calls; generated clients do.
///
/// What turns a URL into a client, such as the facade's `connect`, needs no more than this.
pub trait TypedClient: From<Caller> + Send {
    /// Full name of the service, e.g. `greeter.Greeter`.
    const SERVICE: &'static str;
}
