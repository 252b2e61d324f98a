//! Trouble: why a channel has no connection, told to the calls that wait for one.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as _,
    sync::Arc,
};

use gufo_core::{Code, Error, Retry, Status};
use parking_lot::Mutex;

/// What is known about endpoints that cannot be reached.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Every endpoint the channel has now.
    endpoints: BTreeSet<Arc<str>>,
    /// The last failure of those that could not be reached.
    failures: BTreeMap<Arc<str>, Failure>,
    /// The endpoint that failed last.
    latest: Option<Arc<str>>,
    /// Why endpoints are not known.
    discovery: Option<String>,
}

#[derive(Debug)]
struct Failure {
    code: Code,
    retry: Retry,
    text: String,
}

impl Trouble {
    /// Replaces the endpoints; failures of those that are gone are forgotten.
    pub(crate) fn set_endpoints(&self, endpoints: BTreeSet<Arc<str>>) {
        let mut state = self.0.lock();
        state.failures.retain(|name, _| endpoints.contains(name));
        state.endpoints = endpoints;
        state.discovery = None;
    }

    /// Endpoints cannot be learned; those known stay.
    pub(crate) fn discovery_failed(&self, text: String) {
        self.0.lock().discovery = Some(text);
    }

    /// An endpoint could not be reached.
    pub(crate) fn failed(&self, endpoint: &Arc<str>, error: &Error) {
        let mut state = self.0.lock();
        if !state.endpoints.contains(endpoint) {
            return; // It was removed while it was tried.
        }
        let failure = Failure {
            code: error.code(),
            retry: error.retry(),
            text: with_causes(error),
        };
        state.failures.insert(Arc::clone(endpoint), failure);
        state.latest = Some(Arc::clone(endpoint));
    }

    /// An endpoint was reached.
    pub(crate) fn reached(&self, endpoint: &Arc<str>) {
        self.0.lock().failures.remove(endpoint);
    }

    /// The status of a call that need not wait: every endpoint failed in a way that repeating does
    /// not mend.
    pub(crate) fn is_final(&self) -> Option<Status> {
        let state = self.0.lock();
        let all_failed =
            !state.endpoints.is_empty() && state.failures.len() == state.endpoints.len();
        let for_good = |failure: &Failure| failure.retry == Retry::Never;
        if !all_failed || !state.failures.values().all(for_good) {
            return None;
        }
        let code = state.failures.values().next()?.code;
        Some(Status::new(code, state.describe()).with_retry(Retry::NotBegun))
    }

    /// Says what is missing and why.
    pub(crate) fn describe(&self) -> String {
        self.0.lock().describe()
    }
}

impl State {
    fn describe(&self) -> String {
        let mut text = match self.endpoints.len() {
            0 => "no endpoint is known".to_owned(),
            1 => {
                let only = self.endpoints.first().map_or("", AsRef::as_ref);
                format!("{only} is not connected")
            }
            many => format!("none of {many} endpoints is connected"),
        };
        let latest = self.latest.as_ref().and_then(|name| {
            let failure = self.failures.get(name)?;
            Some((name, failure))
        });
        if let Some((name, failure)) = latest {
            text.push_str(": ");
            if self.endpoints.len() > 1 {
                text.push_str(name);
                text.push_str(": ");
            }
            text.push_str(&failure.text);
        }
        if let Some(discovery) = &self.discovery {
            text.push_str("; ");
            text.push_str(discovery);
        }
        text
    }
}

/// One line with the causes, since the status of a call does not carry them.
fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let shown = error.to_string();
        if !text.contains(&shown) {
            text.push_str(": ");
            text.push_str(&shown);
        }
        cause = error.source();
    }
    text
}
