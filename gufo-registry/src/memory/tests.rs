use super::*;
use gufo_core::{BackendUrl, Code, NodeId};

fn open(url: &str) -> Result<MemoryRegistry> {
    MemoryRegistry::open(Config::from_url(&BackendUrl::parse(url)?)?)
}

fn service() -> ServiceName {
    ServiceName::parse("greeter").unwrap()
}

fn node(id: &str) -> Node {
    Node::new(service(), NodeId::parse(id).unwrap())
}

#[tokio::test]
async fn an_open_without_a_name_is_private() {
    let (one, two) = (open("memory://").unwrap(), open("memory://").unwrap());

    let _lease = one
        .register(node("n1"), RegisterOptions::default())
        .await
        .unwrap();

    assert_eq!(one.lookup(&service()).await.unwrap().len(), 1);
    assert!(two.lookup(&service()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_is_shared_until_its_last_handle_is_gone() {
    let (one, two) = (
        open("memory://shared-name").unwrap(),
        open("memory://shared-name").unwrap(),
    );
    let other = open("memory://shared-name/prod").unwrap();
    let lease = one
        .register(node("n1"), RegisterOptions::permanent())
        .await
        .unwrap();
    assert_eq!(two.lookup(&service()).await.unwrap().len(), 1);
    assert!(other.lookup(&service()).await.unwrap().is_empty());

    drop((one, two));
    let through_lease = open("memory://shared-name").unwrap();
    assert_eq!(through_lease.lookup(&service()).await.unwrap().len(), 1);
    drop((through_lease, lease));

    let fresh = open("memory://shared-name").unwrap();
    assert!(fresh.lookup(&service()).await.unwrap().is_empty());
}

#[test]
fn expiry_survives_the_runtime_it_started_in() {
    let registry = MemoryRegistry::new();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let register = |id| {
        registry.register(
            node(id),
            RegisterOptions::ttl(Duration::from_secs(5)).manual(),
        )
    };
    runtime().block_on(async { drop(register("n1").await.unwrap()) });

    runtime().block_on(async {
        let mut watch = registry.watch(&service()).await.unwrap();
        drop(register("n2").await.unwrap());
        while !watch.current().is_empty() {
            watch.changed().await.unwrap();
        }
    });
}

#[tokio::test(start_paused = true)]
async fn dropped_watches_and_unknown_names_leave_nothing_behind() {
    let registry = MemoryRegistry::new();
    for _ in 0..100 {
        drop(registry.watch(&service()).await.unwrap());
    }
    let watch = registry.watch(&service()).await.unwrap();
    assert_eq!(registry.open_watches(), 1);
    drop(watch);

    let other = registry
        .watch(&ServiceName::parse("other").unwrap())
        .await
        .unwrap();

    assert_eq!(registry.open_watches(), 1);
    assert!(
        !format!("{registry:?}").contains("greeter"),
        "the unused service is kept: {registry:?}"
    );
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn the_expiry_task_ends_with_the_last_handle() {
    let registry = MemoryRegistry::new();
    let lease = registry
        .register(node("n1"), RegisterOptions::default())
        .await
        .unwrap();
    let notify = Arc::downgrade(&registry.shared.earlier);

    drop((registry, lease));
    tokio::task::yield_now().await;

    assert!(notify.upgrade().is_none(), "the task still holds its half");
}

#[test]
fn what_is_wrong_in_the_url_is_refused() {
    for (url, wanted) in [
        ("memory://a,b", "one host"),
        ("memory://a:80", "without a port"),
        ("memory+tls://a", "+tls"),
        ("memory:///prod", "name it"),
        ("memory://a/p%20q", "' '"),
        ("memory://a?max_meta=1KiB", "did you mean `max_metadata`?"),
        ("memory://a?max_metadata=1KB", "expected a size"),
    ] {
        let error = open(url).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{url}");
        assert!(error.message().contains(wanted), "{url}: {error}");
    }
}

#[test]
fn one_name_has_one_limit() {
    let _first = open("memory://one-limit?max_metadata=1KiB").unwrap();

    assert!(open("memory://one-limit?max_metadata=1024").is_ok());
    assert_eq!(
        open("memory://one-limit").unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[test]
fn a_config_reads_like_the_url() {
    let config: Config =
        serde_json::from_str(r#"{"name":"demo","namespace":"prod","max_metadata":"1KiB"}"#)
            .unwrap();

    let url = BackendUrl::parse("memory://demo/prod?max_metadata=1KiB").unwrap();
    assert_eq!(config, Config::from_url(&url).unwrap());
    assert!(serde_json::from_str::<Config>(r#"{"nam":"demo"}"#).is_err());
}
