//! `tests/python/client.py` calls a gufo server; each check is a function there.

use gufo_tests::polite::serve;

use crate::python::run_client;

macro_rules! checks {
    ($($check:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            let server = serve("grpc://127.0.0.1:0").await;
            let address = server.urls()[0].trim_start_matches("grpc://").to_owned();

            let output = run_client(&address, stringify!($check)).await;

            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{text}");
            assert_eq!(output.stdout, b"ok\n", "{text}");
            server.stop().await;
        })*
    };
}

checks! {
    unary
    server_stream
    client_stream
    bidi
    error_with_details
    deadline
    cancellation
    compression
    unknown_method
    large_message
    health
    reflection
}
