//! The `curl` of the system, over HTTP/1.1 and over HTTP/2 without TLS.

use super::{COUNT, Fixture, HELLO, SUM};

const VERSIONS: [&str; 2] = ["--http1.1", "--http2-prior-knowledge"];

/// What `curl` prints, with the HTTP status and version on a last line.
async fn curl(arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new("curl");
    command
        .args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--noproxy",
            "*",
        ])
        .args(["--write-out", "\n%{http_code} %{http_version}"])
        .args(arguments)
        .kill_on_drop(true);
    let output = command
        .output()
        .await
        .expect("curl is installed (cargo xtask test --install does it)");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn shown(version: &str) -> &str {
    if version == "--http1.1" { "1.1" } else { "2" }
}

#[tokio::test]
async fn curl_calls_with_nothing_but_a_message() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let said = curl(&[version, "-d", r#"{"name":"owl"}"#, &fixture.url(&HELLO)]).await;

        let expected = format!("{{\"message\":\"hello owl\"}}\n200 {}", shown(version));
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn curl_sees_metadata_and_trailers() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let said = curl(&[
            version,
            "--include",
            "-H",
            "x-owl: tawny",
            "-d",
            "{}",
            &fixture.url(&HELLO),
        ])
        .await
        .to_ascii_lowercase();

        assert!(said.contains("\r\nx-owl: tawny\r\n"), "{said}");
        assert!(said.contains("\r\ntrailer-x-end: done\r\n"), "{said}");
    }
}

#[tokio::test]
async fn curl_sees_errors_as_http_statuses() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let body = r#"{"name":"NOT_FOUND"}"#;
        let said = curl(&[version, "-d", body, &fixture.url(&HELLO)]).await;
        assert!(said.contains(r#""code":"NOT_FOUND""#), "{said}");
        assert!(
            said.ends_with(&format!("\n404 {}", shown(version))),
            "{said}"
        );

        let said = curl(&[version, &fixture.url(&HELLO)]).await;
        assert!(
            said.ends_with(&format!("\n405 {}", shown(version))),
            "{said}"
        );
    }
}

#[tokio::test]
async fn curl_reads_streams_and_sends_them() {
    let fixture = Fixture::start().await;
    for version in VERSIONS {
        let body = r#"{"number":2}"#;
        let said = curl(&[version, "-N", "-d", body, &fixture.url(&COUNT)]).await;
        assert!(
            said.starts_with("{\"message\":\"1\"}\n{\"message\":\"2\"}\n"),
            "{said}"
        );

        let accept = "accept: text/event-stream";
        let said = curl(&[
            version,
            "-N",
            "-H",
            accept,
            "-d",
            body,
            &fixture.url(&COUNT),
        ])
        .await;
        assert!(said.starts_with("data: {\"message\":\"1\"}\n\n"), "{said}");

        let lines = "{\"number\":1}\n{\"number\":2}\n";
        let said = curl(&[version, "--data-binary", lines, &fixture.url(&SUM)]).await;
        assert!(said.starts_with(r#"{"message":"3"}"#), "{said}");
    }
}

/// More than a window, and with `Expect: 100-continue` over HTTP/1.1.
#[tokio::test]
async fn curl_sends_and_gets_two_megabytes() {
    let fixture = Fixture::start().await;
    let name = "o".repeat(2 << 20);
    let file = std::env::temp_dir().join(format!("gufo-http-json-{}.json", std::process::id()));
    std::fs::write(&file, format!(r#"{{"name":"{name}"}}"#)).expect("a place for a file");
    let data = format!("@{}", file.display());
    for version in VERSIONS {
        let expect = "Expect: 100-continue";
        let said = curl(&[version, "-H", expect, "-d", &data, &fixture.url(&HELLO)]).await;

        assert!(said.ends_with(&format!("\n200 {}", shown(version))));
        assert!(said.starts_with(r#"{"message":"hello ooo"#));
        assert!(said.len() > 2 << 20);
    }
    // What is left behind is small, and in the place for such.
    let _ = std::fs::remove_file(&file);
}
