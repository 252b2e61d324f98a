//! What is wrong in a `.proto` file is said with its place.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Compiles one file and gives the error.
fn mistake(name: &str, source: &str) -> String {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("mistakes")
        .join(name);
    fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("test.proto");
    fs::write(&file, source).expect("written");
    let error = gufo_build::configure()
        .out_dir(&directory)
        .compile(&[file], &[directory])
        .expect_err("a mistake");
    assert_eq!(format!("{error}"), format!("{error:?}"));
    error.to_string()
}

fn service(name: &str, methods: &str) -> String {
    mistake(
        name,
        &format!(
            "syntax = \"proto3\"; package p; import \"google/api/annotations.proto\";\n\
             message M {{}}\nservice S {{ {methods} }}"
        ),
    )
}

fn contains(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error:?}");
    }
}

#[test]
fn a_syntax_error_has_file_and_line() {
    let error = mistake(
        "syntax",
        "syntax = \"proto3\";\n\nmessage Owl {\n  string name 1;\n}\n",
    );

    contains(&error, &["cannot compile", "test.proto:4:15", "expected"]);
}

#[test]
fn an_unknown_type_has_file_and_line() {
    let error = mistake(
        "unknown",
        "syntax = \"proto3\";\nmessage Owl {\n  Wing left = 1;\n}\n",
    );

    contains(&error, &["test.proto:3:3", "'Wing' is not defined"]);
}

#[test]
fn a_missing_file_is_named() {
    let includes: &[PathBuf] = &["tests/protos".into()];

    let error = gufo_build::compile(&["tests/protos/owl.proto"], includes).expect_err("no file");

    // Outside of a build script there is no OUT_DIR.
    contains(&error.to_string(), &["OUT_DIR"]);
    let error = gufo_build::configure()
        .out_dir(env!("CARGO_TARGET_TMPDIR"))
        .compile(&["tests/protos/owl.proto"], includes)
        .expect_err("no file");
    contains(&error.to_string(), &["tests/protos/owl.proto"]);
}

#[test]
fn a_missing_import_has_file_and_line() {
    let error = mistake("import", "syntax = \"proto3\";\nimport \"owl.proto\";\n");

    contains(&error, &["test.proto:2:", "owl.proto", "not found"]);
}

#[test]
fn an_include_path_that_is_no_directory_is_named() {
    let error = gufo_build::configure()
        .out_dir(env!("CARGO_TARGET_TMPDIR"))
        .compile(&["tests/protos/shop.proto"], &["tests/nowhere"])
        .expect_err("no directory");

    contains(&error.to_string(), &["tests/nowhere is not a directory"]);
}

#[test]
fn groups_are_refused() {
    let error = mistake(
        "group",
        "syntax = \"proto2\"; package p;\nmessage M { message N { optional group G = 1 {} } }",
    );

    contains(
        &error,
        &["test.proto", "p.M.N.g is a group", "use a message"],
    );
}

#[test]
fn custom_verbs_and_response_bodies_are_refused() {
    let custom = service(
        "custom",
        "rpc A(M) returns (M) { option (google.api.http) = { custom { kind: \"HEAD\" path: \"/a\" } }; }",
    );
    let body = service(
        "body",
        "rpc A(M) returns (M) { option (google.api.http) = { get: \"/a\" response_body: \"b\" }; }",
    );
    let nothing = service(
        "nothing",
        "rpc A(M) returns (M) { option (google.api.http) = { body: \"*\" }; }",
    );

    contains(
        &custom,
        &["p.S.A", "custom verb", "get, put, post, delete, patch"],
    );
    contains(&body, &["p.S.A", "response_body"]);
    contains(&nothing, &["p.S.A", "has no path"]);
}

#[test]
fn names_that_would_be_generated_twice_are_refused() {
    let client = mistake(
        "client",
        "syntax = \"proto3\"; package p; message OwlClient {} service Owl {}",
    );
    let methods = service(
        "methods",
        "rpc GetM(M) returns (M); rpc get_m(M) returns (M);",
    );

    contains(
        &client,
        &[
            "service p.Owl needs the name OwlClient",
            "message p.OwlClient",
        ],
    );
    contains(&methods, &["p.S.GetM and p.S.get_m", "one function"]);
}
