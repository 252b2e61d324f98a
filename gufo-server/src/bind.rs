//! Bind: from the URLs a server is to listen at to its listeners.

use std::sync::Arc;

use gufo_core::{
    BackendUrl, Code, ListenOptions, Listener, Result, Sharing, Transport, Transports,
};

use crate::threads::Threads;

/// A listener and the thread of the server it belongs to; without one, to the caller's runtime.
pub(crate) struct Bound {
    pub(crate) listener: Box<dyn Listener>,
    pub(crate) thread: Option<usize>,
}

/// What `url` is listened at by: one listener on each thread that share the address, or a single
/// one without threads and for transports whose listeners do not share.
pub(crate) async fn bind(
    url: &str,
    transports: &Transports,
    options: &ListenOptions,
    threads: &Threads,
) -> Result<Vec<Bound>> {
    let parsed = BackendUrl::parse(url)?;
    let transport = transports.find(parsed.scheme())?;
    if threads.len() == 0 {
        return alone(transport, parsed, options).await;
    }
    if parsed
        .hosts()
        .iter()
        .any(|host| host.port().is_some_and(|port| port != 0))
    {
        // Whoever shares a port shares it with other processes too, silently: make sure that there
        // is none, unless the URL itself allows it.
        drop(alone(transport, parsed.clone(), options).await?);
    }
    let mut shared = options.clone();
    shared.sharing = Sharing::Shared;
    let first = match threads
        .run(0, transport.listen(parsed.clone(), shared.clone()))
        .await
    {
        Ok(first) => first,
        Err(error) if error.code() == Code::Unimplemented => {
            return alone(transport, parsed, options).await;
        }
        Err(error) => return Err(error),
    };
    let others = BackendUrl::parse(&with_authority_of(url, first.url()))?;
    let mut bound = vec![Bound {
        listener: first,
        thread: Some(0),
    }];
    for thread in 1..threads.len() {
        let listening = transport.listen(others.clone(), shared.clone());
        let listener = threads.run(thread, listening).await?;
        bound.push(Bound {
            listener,
            thread: Some(thread),
        });
    }
    Ok(bound)
}

async fn alone(
    transport: &Arc<dyn Transport>,
    url: BackendUrl,
    options: &ListenOptions,
) -> Result<Vec<Bound>> {
    let listener = transport.listen(url, options.clone()).await?;
    Ok(vec![Bound {
        listener,
        thread: None,
    }])
}

/// The same URL at the address of another, whose port is a real one.
fn with_authority_of(url: &str, other: &str) -> String {
    let (scheme, _, tail) = parts(url);
    let (_, authority, _) = parts(other);
    format!("{scheme}://{authority}{tail}")
}

/// Scheme, hosts with ports, and the rest of a URL without a user.
pub(crate) fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    (scheme, authority, tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_listeners_keep_everything_of_the_url_but_its_port() {
        let cases = [
            (
                "tcp://127.0.0.1:0",
                "tcp://127.0.0.1:7",
                "tcp://127.0.0.1:7",
            ),
            ("grpc://[::]:0?a=b", "grpc://[::]:7", "grpc://[::]:7?a=b"),
            (
                "grpc://host:0/x?a=b",
                "grpc://1.2.3.4:7",
                "grpc://1.2.3.4:7/x?a=b",
            ),
        ];
        for (url, first, expected) in cases {
            assert_eq!(with_authority_of(url, first), expected);
        }
    }
}
