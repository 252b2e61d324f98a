//! What lies at the path of a Unix socket.
#![cfg(feature = "grpc")]

use gufo_core::{BackendUrl, Code, ListenOptions, Transport};
use gufo_transport::grpc::GrpcTransport;

fn path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("gufo-{}-{name}", std::process::id()))
}

async fn listen(path: &std::path::Path) -> gufo_core::Result<Box<dyn gufo_core::Listener>> {
    let url = BackendUrl::parse(&format!("grpc+unix://{}", path.display()))?;
    GrpcTransport::new()
        .listen(url, ListenOptions::default())
        .await
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let path = path("file");
    std::fs::write(&path, "precious").expect("written");

    let error = listen(&path).await.expect_err("in use");

    assert_eq!(error.code(), Code::AlreadyExists);
    assert_eq!(std::fs::read(&path).expect("still there"), b"precious");
    std::fs::remove_file(&path).expect("removed");
}

#[tokio::test]
async fn a_socket_nobody_listens_at_is_replaced_and_one_in_use_is_not() {
    let path = path("socket");
    let stale = std::os::unix::net::UnixListener::bind(&path).expect("binds");
    drop(stale);

    let listener = listen(&path).await.expect("replaces it");
    let error = listen(&path).await.expect_err("in use");

    assert_eq!(error.code(), Code::AlreadyExists);
    drop(listener);
    assert!(!path.exists());
}
