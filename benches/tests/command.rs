//! The command as a whole: short runs, whose numbers nobody looks at.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_gufo-benches");

/// A folder of this test alone.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()))
}

fn run(words: &[&str], out: &Path) -> Output {
    Command::new(BINARY)
        .args(words)
        .arg("--out")
        .arg(out)
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_short_run_measures_every_peer_without_errors_and_leaves_json_and_plot() {
    let out = folder("rpc");

    let output = run(
        &[
            "rpc",
            "--quick",
            "--no-pin",
            "--rounds",
            "1",
            "--seconds",
            "1.0",
            "--scenario",
            "64 B 64/8",
            // Those that need no other build.
            "--only",
            "raw,raw-spawn,tonic,gufo-memory,gufo-grpc,gufo-grpc-full",
        ],
        &out,
    );

    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: Value =
        serde_json::from_slice(&std::fs::read(out.join("rpc.json")).unwrap()).unwrap();
    for block in report["blocks"].as_array().unwrap() {
        let peers = block["scenarios"][0]["peers"].as_array().unwrap();
        let names: Vec<&str> = peers
            .iter()
            .filter_map(|peer| peer["peer"].as_str())
            .collect();
        assert_eq!(
            names,
            [
                "raw",
                "raw-spawn",
                "tonic",
                "gufo-memory",
                "gufo-grpc",
                "gufo-grpc-full"
            ]
        );
        for peer in peers {
            assert_eq!(peer["rounds"][0]["errors"], 0, "{peer}");
            assert!(
                peer["rounds"][0]["completed"].as_u64().unwrap() > 0,
                "{peer}"
            );
        }
    }
    assert!(
        std::fs::read_to_string(out.join("rpc.svg"))
            .unwrap()
            .ends_with("</svg>\n")
    );
    std::fs::remove_dir_all(out).unwrap();
}

#[test]
fn what_cannot_be_measured_is_refused_with_the_usage() {
    for words in [
        &["rcp"][..],
        &["rpc", "--only", "telepathy"],
        &["rpc", "--scenario", "7 MiB"],
    ] {
        let out = folder("refused");

        let output = run(words, &out);

        assert!(!output.status.success(), "{words:?}");
        assert!(!out.exists(), "{words:?} left results");
    }
}

#[test]
fn a_server_ends_when_whoever_started_it_goes_away() {
    for peer in ["raw", "raw-spawn", "tonic", "gufo-grpc"] {
        let job = format!(r#"{{"peer":"{peer}","runtime":"current-thread"}}"#);
        let mut server = Command::new(BINARY)
            .args(["serve", &job])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        assert!(address.contains("127.0.0.1:"), "{peer}: {address}");

        drop(server.stdin.take());

        assert!(server.wait().unwrap().success(), "{peer}");
    }
}
