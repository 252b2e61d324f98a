use super::*;
use gufo_core::{BackendUrl, Code};

fn open(url: &str) -> Result<FixedRegistry> {
    FixedRegistry::open(Config::from_url(&BackendUrl::parse(url)?)?)
}

fn service(name: &str) -> ServiceName {
    ServiceName::parse(name).unwrap()
}

async fn endpoints(url: &str) -> Vec<String> {
    let snapshot = open(url)
        .unwrap()
        .lookup(&service("greeter"))
        .await
        .unwrap();
    snapshot
        .nodes()
        .iter()
        .flat_map(|node| &node.endpoints)
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn each_host_is_a_node() {
    assert_eq!(
        endpoints("fixed://a:1,b:2/greeter").await,
        ["grpc://a:1", "grpc://b:2"]
    );
    assert_eq!(
        endpoints("fixed+tls://[::1]:1/greeter").await,
        ["grpc+tls://[::1]:1"]
    );
    assert_eq!(
        endpoints("fixed://a/greeter?transport=memory").await,
        ["memory://a"]
    );
}

#[tokio::test]
async fn the_version_is_that_of_every_node() {
    let registry = open("fixed://a:1/greeter?version=1.2.3").unwrap();

    let snapshot = registry.lookup(&service("greeter")).await.unwrap();

    assert_eq!(snapshot.nodes()[0].version.as_str(), "1.2.3");
}

#[tokio::test]
async fn with_a_service_others_are_unknown_and_it_is_listed() {
    let registry = open("fixed://a:1/greeter").unwrap();

    assert!(registry.lookup(&service("other")).await.unwrap().is_empty());
    assert_eq!(registry.list().await.unwrap(), [service("greeter")]);
}

#[tokio::test]
async fn without_a_service_the_list_stands_for_all() {
    let registry = open("fixed://a:1").unwrap();

    assert_eq!(registry.lookup(&service("any")).await.unwrap().len(), 1);
    assert!(!registry.capabilities().list);
    assert_eq!(
        registry.list().await.unwrap_err().code(),
        Code::Unimplemented
    );
}

#[tokio::test]
async fn a_watch_stays_open_as_long_as_the_registry() {
    let registry = open("fixed://a:1/greeter").unwrap();
    let mut watch = registry.watch(&service("greeter")).await.unwrap();
    assert_eq!(watch.current().len(), 1);

    let ended = poll_once(watch.changed()).await;
    assert_eq!(ended, None, "the watch ended while the registry lives");
    drop(registry);

    assert_eq!(watch.changed().await, None);
}

/// What `future` answers when polled once, or `None`.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn what_is_wrong_in_the_url_is_refused() {
    for (url, wanted) in [
        ("fixed://", "needs an endpoint"),
        ("fixed://a:1,a:1/greeter", "two endpoints"),
        ("fixed://a:1/gree%20ter", "' '"),
        ("fixed+unix:///run/a.sock", "+unix"),
        ("fixed://ann@a:1", "a user"),
        ("fixed://a:1?transport=grpc%2Btls", "without modifiers"),
        ("fixed://a:1?transprot=grpc", "did you mean `transport`?"),
    ] {
        let error = open(url).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{url}");
        assert!(error.message().contains(wanted), "{url}: {error}");
    }
}

#[test]
fn a_config_reads_like_the_url() {
    let text = r#"{"endpoints":["grpc://a:1"],"service":"greeter","version":"1.0.0"}"#;

    let config: Config = serde_json::from_str(text).unwrap();

    let url = BackendUrl::parse("fixed://a:1/greeter?version=1.0.0").unwrap();
    assert_eq!(config, Config::from_url(&url).unwrap());
    assert!(serde_json::from_str::<Config>(r#"{"endpoint":[]}"#).is_err());
}
