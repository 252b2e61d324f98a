//! `docs/native-protocol.md` shows the golden files of the native transport, as they are.

use std::{fs, path::Path};

#[test]
fn the_document_shows_every_golden_file_and_nothing_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = root.join("docs/native-protocol.md");
    let document = fs::read_to_string(document).expect("the document is there");
    let folder = root.join("gufo-transport/tests/golden/native");
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let file = entry.expect("an entry").path();
        let text = fs::read_to_string(&file).expect("a file");
        let shown = format!("```text\n{text}```\n");
        assert!(document.contains(&shown), "not shown: {}", file.display());
        files += 1;
    }

    let blocks = document.matches("```text\n").count();

    assert!(files >= 12, "a file for each kind of frame");
    assert_eq!(blocks, files, "a block that is no golden file");
}

/// The tables of the document have the numbers of the code, as far as the files show them.
#[test]
fn the_document_names_every_kind_of_frame() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = root.join("docs/native-protocol.md");
    let document = fs::read_to_string(document).expect("the document is there");
    let kinds = [
        "HELLO", "DEFINE", "OPEN", "DATA", "HEAD", "REPLY", "END", "CANCEL", "CREDIT", "PING",
        "PONG", "GOAWAY",
    ];

    for (number, kind) in (1..).zip(kinds) {
        let row = format!("| {number} | {kind} | ");
        assert!(document.contains(&row), "no row begins with {row:?}");
        // As the golden files label it.
        let label = format!("{number:02x}                      # {kind}\n");
        assert!(document.contains(&label), "no frame is labelled {kind}");
    }
}
