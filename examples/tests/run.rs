//! Every example is started as its user would start it, and held to what it says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

/// Runs a program to its end.
fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One test per program that ends by itself: exit code 0, and each text in its output, in order.
macro_rules! ends_well {
    ($($name:ident: $program:literal says [$($said:literal),* $(,)?];)*) => {$(
        #[test]
        fn $name() {
            let output = run(env!(concat!("CARGO_BIN_EXE_", $program)), &[]);

            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{}\n{out}{err}", output.status);
            let mut rest = out.as_str();
            for said in [$($said),*] {
                let Some((_, after)) = rest.split_once(said) else {
                    panic!("{said:?} is missing, or not in its place:\n{out}");
                };
                rest = after;
            }
        }
    )*};
}

ends_well! {
    quickstart_keeps_all_its_promises: "quickstart" says [
        "A listens at tcp://127.0.0.1:",
        " and grpc://127.0.0.1:",
        "B listens at tcp://127.0.0.1:",
        "knows 2 nodes",
        "connected to tcp://127.0.0.1:",
        "40 calls:",
        ", over memory://quickstart-",
        ", over grpc://127.0.0.1:",
        "HTTP/1.1 200 OK: {\"message\":\"hello owl\"}",
        "HTTP/1.1 400 Bad Request",
        "count to 5 gives [1, 2, 3, 4, 5]",
        "the sum of 1 to 100 is 5050",
        "you said hoo-hoo",
        "the handler was dropped",
        "its handler was dropped as well",
        ", 0 aborted",
        "calls answered, 0 failed",
        "all as promised",
    ];
    streaming_shows_all_kinds_and_an_early_end: "streaming" says [
        "3 readings, the highest Some(2110)",
        "Some(9)",
        "left, and the server has noticed",
        "Some(6800)",
        "ended in the middle by below absolute zero",
    ];
    interceptors_refuse_and_let_pass: "interceptor" says [
        "Hello ended UNAUTHENTICATED",
        "without a token: a token is needed",
        "Hello ended OK",
        "with a token: hello owl",
        "counted to 3",
    ];
    a_codec_of_ones_own_carries_calls: "custom-codec" says [
        "x-compact: 5 bytes",
        "application/grpc+x-compact: hello owl",
    ];
    a_registry_of_ones_own_is_followed: "custom-registry" says [
        "one node: hello owl",
        "the channel has 2 connections",
        "its server stopped: hello owl",
    ];
    tonic_and_gufo_call_each_other: "tonic-interop" says [
        "tonic client, gufo server: hello owl",
        "tonic client, gufo server: InvalidArgument, name is empty",
        "gufo client, tonic server: hello owl",
        "gufo client, tonic server: INVALID_ARGUMENT, name is empty",
    ];
    the_tested_service_works_outside_of_its_tests: "testing" says ["hello owl", "hello lynx"];
}

/// A running `greeter-server`; killed with the test.
struct GreeterServer {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl GreeterServer {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_greeter-server"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("readable");
        line.trim_end().to_owned()
    }

    /// The URL on the next line.
    fn url(&mut self) -> String {
        let line = self.line();
        let url = line.strip_prefix("listening at ");
        url.unwrap_or_else(|| panic!("no url: {line:?}")).to_owned()
    }

    fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(run("kill", &["-TERM", &id]).status.success());
    }

    /// What it still says, and whether its exit code is 0.
    fn end(mut self) -> (String, bool) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("readable");
        (rest, self.child.wait().expect("ended").success())
    }
}

impl Drop for GreeterServer {
    fn drop(&mut self) {
        // It may have ended already, which is what most tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn greeter_client(args: &[&str]) -> Output {
    run(env!("CARGO_BIN_EXE_greeter-client"), args)
}

fn assert_sums_up(output: &Output, summary: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.starts_with(summary), "{out}");
    assert!(out.contains("\nconnected to "), "{out}");
    for part in ["requests/s", "p50", "p99"] {
        assert!(out.contains(part), "{part} is missing: {out}");
    }
}

#[test]
fn a_client_process_calls_a_server_process_over_every_transport_with_a_port() {
    for listen in ["tcp://127.0.0.1:0", "grpc://127.0.0.1:0"] {
        let mut server = GreeterServer::start(&["--listen", listen]);
        let url = server.url();

        let client = greeter_client(&[
            "--address",
            &url,
            "--name",
            "owl",
            "--count",
            "200",
            "--concurrency",
            "8",
        ]);

        assert_sums_up(&client, "ok 200, failed 0, ");
    }
}

#[test]
fn a_server_process_listens_at_a_port_and_at_a_unix_socket_at_once() {
    let socket = std::env::temp_dir().join(format!("gufo-run-{}.sock", std::process::id()));
    let unix = format!("unix://{}", socket.display());
    let mut server = GreeterServer::start(&["--listen", "grpc://127.0.0.1:0", &unix]);
    let urls = [server.url(), server.url()];

    for url in &urls {
        let client = greeter_client(&["--address", url, "--name", "owl"]);
        assert_sums_up(&client, "ok 1, failed 0, ");
    }

    assert_eq!(urls[1], unix);
}

#[test]
fn a_client_process_finds_a_server_process_in_a_registry() {
    let mut server = GreeterServer::start(&["--listen", "grpc://127.0.0.1:0"]);
    let registry = server.url().replace("grpc://", "fixed://");

    let client = greeter_client(&["--registry", &registry, "--name", "owl", "--count", "5"]);

    assert_sums_up(&client, "ok 5, failed 0, ");
}

#[test]
fn a_server_process_says_what_it_is_registered_as() {
    let mut server = GreeterServer::start(&[
        "--listen",
        "grpc://127.0.0.1:0",
        "--registry",
        "memory://run",
        "--name",
        "owls",
        "--version",
        "1.2.3",
        "--zone",
        "eu-1a",
    ]);
    let url = server.url();

    assert_eq!(server.line(), format!("registered as owls 1.2.3 at {url}"));
}

#[test]
fn a_client_process_takes_the_best_transport_of_a_server_process_with_two() {
    let mut server = GreeterServer::start(&[
        "--listen",
        "grpc://127.0.0.1:0",
        "--listen",
        "tcp://127.0.0.1:0",
        "--registry",
        "memory://run",
        "--threads",
        "2",
    ]);
    let (grpc, tcp) = (server.url(), server.url());
    assert_eq!(
        server.line(),
        format!("registered as greeter 0.0.0 at {grpc} and {tcp}")
    );
    let connected = |args: &[&str]| {
        let node = ["--address", &grpc, &tcp, "--name", "owl", "--count", "20"];
        let client = greeter_client(&[&node[..], args].concat());
        assert_sums_up(&client, "ok 20, failed 0, ");
        text(&client.stdout).lines().skip(1).collect::<String>()
    };

    assert_eq!(connected(&[]), format!("connected to {tcp}"));
    assert_eq!(
        connected(&["--prefer", "grpc"]),
        format!("connected to {grpc}")
    );
}

#[test]
fn a_client_process_ends_with_an_error_when_a_call_failed() {
    let mut server = GreeterServer::start(&["--listen", "grpc://127.0.0.1:0"]);
    let url = server.url();

    let client = greeter_client(&["--address", &url, "--name=", "--count", "3"]);

    assert!(!client.status.success());
    let (out, err) = (text(&client.stdout), text(&client.stderr));
    assert!(out.starts_with("ok 0, failed 3, "), "{out}");
    assert!(
        err.contains("3 calls failed, the first: name is empty"),
        "{err}"
    );
}

#[test]
fn flags_that_do_not_exist_are_refused_with_the_usage() {
    for program in [
        env!("CARGO_BIN_EXE_greeter-server"),
        env!("CARGO_BIN_EXE_greeter-client"),
    ] {
        let output = run(program, &["--name", "owl", "--prot", "1"]);

        assert!(!output.status.success());
        let err = text(&output.stderr);
        assert!(
            err.contains("unknown flag --prot") && err.contains("--name"),
            "{err}"
        );
    }
}

#[test]
fn the_flags_that_the_readme_shows_exist() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let programs = [
        ("greeter-server", env!("CARGO_BIN_EXE_greeter-server")),
        ("greeter-client", env!("CARGO_BIN_EXE_greeter-client")),
    ];

    for (name, program) in programs {
        let start = format!("--bin {name} -- ");
        let line = readme.lines().find_map(|line| line.split_once(&start));
        let (_, flags) = line.unwrap_or_else(|| panic!("the README does not start {name}"));
        let usage = text(&run(program, &["--help"]).stdout);
        for flag in flags
            .split_whitespace()
            .filter(|word| word.starts_with("--"))
        {
            assert!(usage.contains(flag), "{name} has no {flag}");
        }
    }
}

#[test]
fn an_idle_server_process_stops_at_once_on_sigterm() {
    let mut server = GreeterServer::start(&["--listen", "grpc://127.0.0.1:0"]);
    server.url();

    server.terminate();

    assert_eq!(server.line(), "stopping, 0 calls run");
    assert_eq!(
        server.end(),
        ("stopped: 0 calls finished, 0 aborted\n".to_owned(), true)
    );
}

/// A chat over HTTP/1.1, by hand: a call that runs for as long as this side wants.
struct Chat {
    socket: TcpStream,
    seen: String,
}

impl Chat {
    fn begin(url: &str) -> Self {
        let address = url.trim_start_matches("grpc://");
        let mut socket = TcpStream::connect(address).expect("listening");
        let limit = Some(Duration::from_secs(30));
        socket.set_read_timeout(limit).expect("legal");
        let head = format!(
            "POST /greeter.Greeter/Chat HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).expect("open");
        Self {
            socket,
            seen: String::new(),
        }
    }

    /// Sends a line and waits until it is answered.
    fn say(&mut self, word: &str) {
        let line = format!("{{\"text\":\"{word}\"}}\n");
        let chunk = format!("{:x}\r\n{line}\r\n", line.len());
        self.socket.write_all(chunk.as_bytes()).expect("open");
        let answer = format!("{{\"text\":\"you said {word}\"}}");
        let mut buffer = [0; 1024];
        while !self.seen.contains(&answer) {
            let count = self.socket.read(&mut buffer).expect("an answer");
            assert_ne!(count, 0, "ended before {answer}: {}", self.seen);
            self.seen += &text(&buffer[..count]);
        }
    }

    /// Waits until the server takes no more connections.
    fn wait_until_refused(&self) {
        let address = self.socket.peer_addr().expect("connected");
        while TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
    }

    /// Ends the call; everything that was answered.
    fn end(mut self) -> String {
        self.socket.write_all(b"0\r\n\r\n").expect("open");
        self.socket.read_to_string(&mut self.seen).expect("an end");
        self.seen
    }
}

#[test]
fn a_server_process_finishes_a_running_call_on_sigterm() {
    let mut server = GreeterServer::start(&["--listen", "grpc://127.0.0.1:0"]);
    let mut chat = Chat::begin(&server.url());
    chat.say("hoo");

    server.terminate();
    assert_eq!(server.line(), "stopping, 1 calls run");
    // It prints that before it begins to stop; what ends before it has begun is not counted.
    chat.wait_until_refused();
    chat.say("still here");
    let answers = chat.end();

    assert!(answers.starts_with("HTTP/1.1 200 OK"), "{answers}");
    assert!(!answers.contains("error"), "{answers}");
    assert_eq!(
        server.end(),
        ("stopped: 1 calls finished, 0 aborted\n".to_owned(), true)
    );
}
