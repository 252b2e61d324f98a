//! Errors: an HTTP status and a JSON body.

use gufo_core::Code;
use gufo_testkit::raw::Http1;
use serde_json::{Value, json};

use super::{Fixture, HELLO};

/// As `google/rpc/code.proto` maps them.
const TABLE: [(Code, u16); 16] = [
    (Code::Cancelled, 499),
    (Code::Unknown, 500),
    (Code::InvalidArgument, 400),
    (Code::DeadlineExceeded, 504),
    (Code::NotFound, 404),
    (Code::AlreadyExists, 409),
    (Code::PermissionDenied, 403),
    (Code::ResourceExhausted, 429),
    (Code::FailedPrecondition, 400),
    (Code::Aborted, 409),
    (Code::OutOfRange, 400),
    (Code::Unimplemented, 501),
    (Code::Internal, 500),
    (Code::Unavailable, 503),
    (Code::DataLoss, 500),
    (Code::Unauthenticated, 401),
];

#[tokio::test]
async fn every_code_has_its_http_status_and_a_body_of_json() {
    let mut fixture = Fixture::start().await;
    for (code, status) in TABLE {
        let body = json!({ "name": code.name() }).to_string();

        let answer = fixture.post(&HELLO, &[], body.as_bytes()).await;

        assert_eq!(answer.status, status, "{code}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-why"), Some("asked"));
        let error: Value = serde_json::from_slice(&answer.body).expect("json");
        let expected = json!({
            "code": code.name(),
            "message": format!("on \"purpose\": {code}"),
            "details": [{ "type": "greeter.Why", "value": "AW93bA" }],
        });
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn what_the_server_itself_refuses_looks_the_same() {
    let mut fixture = Fixture::start().await;
    for (path, content_type, body, status, code) in [
        (
            "/greeter.Greeter/Nothing",
            "application/json",
            "{}",
            404,
            "UNIMPLEMENTED",
        ),
        (
            "/nobody.Nothing/Hello",
            "application/json",
            "{}",
            404,
            "UNIMPLEMENTED",
        ),
        (
            HELLO.path(),
            "application/xml",
            "<owl/>",
            415,
            "UNIMPLEMENTED",
        ),
        (
            HELLO.path(),
            "application/json",
            "{\"name\":1}",
            400,
            "INVALID_ARGUMENT",
        ),
        (
            HELLO.path(),
            "application/json",
            "{",
            400,
            "INVALID_ARGUMENT",
        ),
    ] {
        let headers = [("content-type", content_type)];
        let request = Http1::post(path, &headers, body.as_bytes());
        let address = fixture.server.urls()[0].trim_start_matches("grpc://");
        fixture.client = Http1::connect(address.parse().expect("an address")).await;

        let answer = fixture.client.call(&request).await.expect("an answer");

        assert_eq!(answer.status, status, "{path} {content_type} {body}");
        let error: Value = serde_json::from_slice(&answer.body).expect("json");
        assert_eq!(error["code"], code);
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
}

#[tokio::test]
async fn verbs_without_a_message_are_not_allowed() {
    let mut fixture = Fixture::start().await;
    for verb in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"] {
        let request = Http1::head(verb, HELLO.path(), &[("host", "owl")]);
        fixture.client.socket.write(&request).await.expect("open");

        let answer = match verb {
            // Its answer has a length and no body.
            "HEAD" => fixture.client.answer_head().await,
            _ => fixture.client.answer().await,
        };

        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 405, "{verb}");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}
