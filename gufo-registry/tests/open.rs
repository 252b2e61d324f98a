//! Opening registries by URL, bundled ones and others.

use std::sync::Arc;

use gufo_core::{Code, Registry, ServiceName};
use gufo_registry::memory::MemoryRegistry;

#[tokio::test]
async fn the_scheme_chooses_the_registry() {
    let memory = gufo_registry::open("memory://").await.unwrap();
    let fixed = gufo_registry::open("fixed://127.0.0.1:50051/greeter")
        .await
        .unwrap();

    let service = ServiceName::parse("greeter").unwrap();
    assert!(memory.lookup(&service).await.unwrap().is_empty());
    assert_eq!(fixed.lookup(&service).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_scheme_names_those_compiled_in() {
    let error = gufo_registry::open("memori://").await.unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(
        error.message().contains("did you mean `memory`?"),
        "{error}"
    );
    assert!(error.message().contains("fixed, memory"), "{error}");
}

#[tokio::test]
async fn an_unknown_key_is_refused() {
    let error = gufo_registry::open("memory://demo?ttl=10s")
        .await
        .unwrap_err();

    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.message().contains("`ttl`"), "{error}");
}

#[tokio::test]
async fn applications_add_their_own() {
    let schemes = gufo_registry::builtin().with("acme", |url| async move {
        url.reader().finish()?;
        Ok(Arc::new(MemoryRegistry::new()) as Arc<dyn Registry>)
    });

    assert!(schemes.open("acme://").await.is_ok());
    assert!(schemes.open("memory://").await.is_ok());
    assert_eq!(
        schemes.open("acme://host").await.unwrap_err().code(),
        Code::InvalidArgument
    );
}
