//! URLs.

use gufo_core::{BackendUrl, Code, Endpoint, Host};

use crate::text;

/// What was parsed parses again from its own text, to the same parts.
pub(crate) fn url(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let url = match BackendUrl::parse(text) {
        Ok(url) => url,
        Err(error) => return assert_eq!(error.code(), Code::InvalidArgument),
    };
    for host in url.hosts() {
        let again = Host::parse(&host.to_string()).expect("what was shown is legal");
        assert_eq!(&again, host);
    }
    let _ = url.namespace();
    assert_eq!(url.per_host().count(), url.hosts().len().max(1));
    let shown = url.to_string();
    if url.has_credentials() && shown.contains("***") {
        // A secret is not shown, so that its URL does not come back.
        return;
    }
    let again = BackendUrl::parse(&shown).expect("what was shown is legal");
    assert_eq!(again.to_string(), shown);
    assert_eq!(
        (again.scheme(), again.is_tls(), again.is_unix()),
        (url.scheme(), url.is_tls(), url.is_unix())
    );
    assert_eq!(
        (again.user(), again.hosts(), again.path()),
        (url.user(), url.hosts(), url.path())
    );
}

/// An endpoint keeps its text, and its URL has a host or a path and no secret to show.
pub(crate) fn endpoint(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let Ok(endpoint) = Endpoint::parse(text) else {
        return;
    };
    assert_eq!(endpoint.as_str(), text);
    let url = endpoint.url();
    assert!(!url.has_credentials());
    assert!(!url.hosts().is_empty() || !url.path().is_empty());
    assert!(url.scheme().eq_ignore_ascii_case(endpoint.scheme()));
}
