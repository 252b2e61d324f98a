//! Unary calls over HTTP/1.1.

use base64::Engine;
use gufo_testkit::raw::Http1;

use super::{Fixture, HELLO, Reply, Request};

const JSON: (&str, &str) = ("content-type", "application/json");
const GREETING: &str = r#"{"message":"hello owl"}"#;
const OWL: &[u8] = br#"{"name":"owl"}"#;

#[tokio::test]
async fn a_unary_call_is_json_in_and_json_out() {
    let mut fixture = Fixture::start().await;

    let answer = fixture.post(&HELLO, &[JSON], OWL).await;

    assert_eq!((answer.status, &*answer.text()), (200, GREETING));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-length"), Some("23"));
}

#[tokio::test]
async fn the_content_type_may_be_missing_or_that_of_a_form_and_have_parameters() {
    let mut fixture = Fixture::start().await;
    for content_type in [
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"utf-8\"",
        "application/x-www-form-urlencoded",
        "text/json",
    ] {
        let headers = [("content-type", content_type)];
        let answer = fixture.post(&HELLO, &headers, OWL).await;
        assert_eq!((answer.status, &*answer.text()), (200, GREETING));
    }

    let answer = fixture.post(&HELLO, &[], OWL).await;

    assert_eq!((answer.status, &*answer.text()), (200, GREETING));
}

#[tokio::test]
async fn an_empty_body_is_the_empty_message() {
    let mut fixture = Fixture::start().await;

    let answer = fixture.post(&HELLO, &[JSON], b"").await;

    assert_eq!(answer.text(), r#"{"message":"hello "}"#);
}

#[tokio::test]
async fn messagepack_is_answered_in_messagepack() {
    let mut fixture = Fixture::start().await;
    let request = Request {
        name: "owl".into(),
        number: 0,
    };
    let body = rmp_serde::to_vec_named(&request).expect("legal");
    for name in ["msgpack", "x-msgpack", "vnd.msgpack"] {
        let content_type = format!("application/{name}");
        let headers = [("content-type", &*content_type)];

        let answer = fixture.post(&HELLO, &headers, &body).await;

        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/msgpack"));
        let reply: Reply = rmp_serde::from_slice(&answer.body).expect("a reply");
        assert_eq!(reply, super::reply("hello owl"));
    }
}

#[tokio::test]
async fn headers_are_metadata_and_trailers_are_headers_with_a_prefix() {
    let mut fixture = Fixture::start().await;
    let bytes = base64::engine::general_purpose::STANDARD.encode([0, 1, 254, 255]);
    let headers = [
        JSON,
        ("X-Owl", "tawny"),
        ("x-owl", "barn"),
        ("x-owl-bin", &bytes),
    ];

    let answer = fixture.post(&HELLO, &headers, OWL).await;

    let owls: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "x-owl")
        .map(|(_, value)| &**value)
        .collect();
    assert_eq!(owls, ["tawny", "barn"]);
    let sent = answer.header("x-owl-bin").expect("it comes back");
    assert_eq!(sent.trim_end_matches('='), bytes.trim_end_matches('='));
    assert_eq!(answer.header("trailer-x-end"), Some("done"));
    assert_eq!(answer.header("trailer-x-end-bin"), Some("AP8"));
}

#[tokio::test]
async fn a_timeout_is_the_deadline_of_the_call() {
    let mut fixture = Fixture::start().await;

    let timeout = [JSON, ("grpc-timeout", "10S")];
    let answer = fixture.post(&HELLO, &timeout, OWL).await;

    assert_eq!(answer.header("x-deadline"), Some("true"));
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let mut fixture = Fixture::start().await;

    for _ in 0..100 {
        let answer = fixture.post(&HELLO, &[JSON], OWL).await;
        assert_eq!(answer.status, 200);
        let answer = fixture.post(&HELLO, &[JSON], b"not json").await;
        assert_eq!(answer.status, 400);
    }

    assert_eq!(fixture.server.connections(), 1);
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let mut fixture = Fixture::start().await;
    let mut requests = Vec::new();
    for number in 0..100 {
        let body = format!(r#"{{"name":"{number}"}}"#);
        requests.extend_from_slice(&Http1::post(HELLO.path(), &[JSON], body.as_bytes()));
    }
    let sent = fixture.client.socket.write(&requests).await;
    sent.expect("the connection is open");

    for number in 0..100 {
        let answer = fixture.client.answer().await.expect("an answer");
        assert_eq!(answer.text(), format!(r#"{{"message":"hello {number}"}}"#));
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let mut fixture = Fixture::start().await;
    let headers = [
        ("host", "owl"),
        ("content-length", "14"),
        ("expect", "100-continue"),
    ];
    let head = Http1::head("POST", HELLO.path(), &headers);

    let go_on = fixture.client.call(&head).await.expect("an answer");
    assert_eq!(go_on.status, 100);
    let answer = fixture.client.call(OWL).await.expect("an answer");

    assert_eq!((answer.status, &*answer.text()), (200, GREETING));
}

#[tokio::test]
async fn a_client_that_asks_first_is_refused_before_it_sends_anything() {
    let mut fixture = Fixture::start().await;
    let headers = [
        ("host", "owl"),
        ("content-length", "1000000000"),
        ("expect", "100-continue"),
        ("content-type", "application/owl"),
    ];
    let head = Http1::head("POST", HELLO.path(), &headers);

    let answer = fixture.client.call(&head).await.expect("an answer");

    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn a_body_in_chunks_is_one_message() {
    let mut fixture = Fixture::start().await;
    let headers = [("host", "owl"), ("transfer-encoding", "chunked")];
    let mut request = Http1::head("POST", HELLO.path(), &headers);
    for byte in OWL {
        request.extend_from_slice(b"1;owl=1\r\n");
        request.extend_from_slice(&[*byte]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\nx-trailer: ignored\r\n\r\n");

    let answer = fixture.client.call(&request).await.expect("an answer");

    assert_eq!((answer.status, &*answer.text()), (200, GREETING));
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_its_answer_and_the_end() {
    let mut fixture = Fixture::start().await;
    let request = format!(
        "POST {} HTTP/1.0\r\ncontent-length: 14\r\n\r\n",
        HELLO.path()
    );
    let sent = fixture.client.socket.write(request.as_bytes()).await;
    sent.expect("open");
    fixture.client.socket.write(OWL).await.expect("open");

    let said = fixture.client.socket.read_to_end().await;

    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.starts_with("HTTP/1.0 200"), "{said}");
    assert!(said.ends_with(GREETING), "{said}");
}
