//! What the documents at the root say is there: files, commands, and what `curl` gets.
//!
//! Their Rust code is compiled and run by the doctests of `gufo-examples`.

use std::{fs, path::Path};

use gufo::Server;
use gufo_examples::{GreeterServer, Polite};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

fn root() -> &'static Path {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.parent().expect("the package lies in the workspace")
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect(name)
}

/// The words in backticks that are paths: of a Rust file, or of a folder.
fn paths(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let quoted = prose.flat_map(|part| part.split('`').skip(1).step_by(2));
    let is_path = |word: &&str| {
        (word.ends_with(".rs") || word.ends_with('/')) && !word.contains([' ', ':', '*', '<'])
    };
    quoted.filter(is_path).collect()
}

fn missing(text: &str) -> Vec<&str> {
    let gone = |path: &&str| !root().join(path).exists();
    paths(text).into_iter().filter(gone).collect()
}

#[test]
fn every_file_and_folder_that_is_named_exists() {
    for name in ["README.md", "ARCHITECTURE.md"] {
        assert_eq!(missing(&document(name)), [""; 0], "in {name}");
    }
    // A document that was rewritten so that no path is found would pass all too easily.
    assert!(paths(&document("ARCHITECTURE.md")).len() > 40);
}

#[test]
fn a_file_that_does_not_exist_is_caught() {
    let text = "`tests/tests/readme.rs`, `tests/`, `no/such.rs`, `nowhere/`, `grpc://` and `a b/`\n\
                ```text\n`in/code.rs`\n```\nand `gone.rs`";

    assert_eq!(missing(text), ["no/such.rs", "nowhere/", "gone.rs"]);
}

#[test]
fn the_readme_names_the_two_commands_that_set_everything_up() {
    let readme = document("README.md");

    for command in [
        "cargo run --release -p gufo-examples --bin quickstart",
        "cargo xtask test --install",
    ] {
        assert!(readme.lines().any(|line| line == command), "{command}");
    }
}

/// One `curl` line of the README.
#[derive(Debug)]
struct Curl {
    body: String,
    header: Option<String>,
    path: String,
}

fn curls(readme: &str) -> Vec<Curl> {
    let lines = readme.lines().filter(|line| line.starts_with("curl "));
    let quoted = |line: &str, flag: &str| {
        let (_, rest) = line.split_once(&format!("{flag} '"))?;
        Some(rest.split_once('\'')?.0.to_owned())
    };
    let curl = |line: &str| {
        let (_, path) = line.split_once("http://127.0.0.1:50051")?;
        Some(Curl {
            body: quoted(line, "-d")?,
            header: quoted(line, "-H"),
            path: path.to_owned(),
        })
    };
    lines.map(|line| curl(line).expect(line)).collect()
}

/// What `curl` would send, and the whole answer.
async fn send(address: &str, curl: &Curl) -> std::io::Result<String> {
    let Curl { body, header, path } = curl;
    let header = header
        .as_ref()
        .map(|it| format!("{it}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{header}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn the_curl_lines_of_the_readme_get_what_it_says() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(GreeterServer::new(Polite))
        .start()
        .await?;
    let address = server.urls()[0].trim_start_matches("grpc://").to_owned();

    let curls = curls(&document("README.md"));
    let mut answers = Vec::new();
    for curl in &curls {
        answers.push(send(&address, curl).await?);
    }

    let [hello, lines, events] = answers.as_slice() else {
        panic!("the README shows three calls, not {curls:?}");
    };
    for answer in &answers {
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert!(hello.ends_with("{\"message\":\"hello owl\"}"), "{hello}");
    for number in 1..=3 {
        let message = format!("{{\"number\":{number}}}\n");
        assert!(lines.contains(&message), "{lines}");
        assert!(events.contains(&format!("data: {message}")), "{events}");
    }
    assert!(
        events.contains("content-type: text/event-stream"),
        "{events}"
    );
    server.stop().await;
    Ok(())
}
