//! Every target over its corpus and some thousand mutations of it.
//!
//! `GUFO_FUZZ_SEED` repeats a run, `GUFO_FUZZ_ROUNDS` lengthens it.

use std::{env, fs, path::Path};

use gufo_fuzz::{TARGETS, mutate, run, target};

const ROUNDS: usize = 5_000;
const SEED: u64 = 0x6775_666f;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) => match text.parse() {
            Ok(value) => value,
            Err(_) => panic!("{name} is {text:?} and not a number"),
        },
        Err(_) => default,
    }
}

fn check(name: &str) {
    let target = target(name);
    let seed = setting("GUFO_FUZZ_SEED", SEED);
    let files = run::corpus(&run::folder(name))
        .unwrap_or_else(|error| panic!("the corpus of {name} cannot be read: {error}"));
    for (path, input) in &files {
        if let Err(failure) = run::run(target, std::slice::from_ref(input), seed, 0) {
            panic!("{}: {failure}", path.display());
        }
    }
    let corpus: Vec<Vec<u8>> = files.into_iter().map(|(_, input)| input).collect();
    if let Err(failure) = run::run(target, &corpus, seed, setting("GUFO_FUZZ_ROUNDS", ROUNDS)) {
        panic!("{name}, GUFO_FUZZ_SEED={seed}: {failure}");
    }
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        #[test]
        fn every_target_of_the_table_is_run_here() {
            let here = [$(stringify!($name)),*];
            let table: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(here[..], table[..]);
            for name in table {
                let bin = format!("libfuzzer/fuzz_targets/{name}.rs");
                let bin = Path::new(env!("CARGO_MANIFEST_DIR")).join(bin);
                assert!(bin.is_file(), "{name} is not in libfuzzer/");
            }
        }
    };
}

targets! {
    url
    url_reader
    endpoint
    service_name
    topic
    topic_filter
    value
    method
    timeout
    trace
    content_type
    metadata_entry
    headers
    trailers
    grpc_message
    status_details
    json_error
    json
    msgpack
    protobuf
    node
    frames
    compression
    lines
    rest
    native_frames
    native_hello
    native_open
    native_end
    native_reply
    native_metadata
    native_numbers
    native_server
    native_client
    descriptors
    reflection_answer
}

/// A length and as many bytes; believes the length.
fn believes_the_length(input: &[u8]) {
    if let Some((length, rest)) = input.split_first() {
        let _ = &rest[..usize::from(*length)];
    }
}

/// Lines that are joined again; forgets that the last one may be empty.
fn loses_a_byte(input: &[u8]) {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    lines.pop_if(|line| line.is_empty());
    assert_eq!(lines.join(&b'\n'), input);
}

#[test]
fn broken_decoders_are_caught_and_their_input_is_shown_in_hex() {
    let seed = setting("GUFO_FUZZ_SEED", SEED);
    for (target, legal) in [
        (believes_the_length as fn(&[u8]), &b"\x03owl"[..]),
        (loses_a_byte, b"barn\nowl"),
    ] {
        target(legal);

        let failure = run::run(target, &[legal.to_vec()], seed, ROUNDS).expect_err("broken");

        let hex: String = failure
            .input
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(failure.to_string().contains(&hex), "{failure}");
        let again = run::run(target, &[failure.input], seed, 0).expect_err("still broken");
        assert_eq!(again.round, 0);
    }
}

#[test]
fn the_same_seed_makes_the_same_inputs() {
    let corpus = [b"one".to_vec(), b"two and more".to_vec()];
    let inputs = |seed| {
        let mut mutator = mutate::Mutator::new(&corpus, seed);
        (0..100).map(|_| mutator.next_input()).collect::<Vec<_>>()
    };

    assert_eq!(inputs(1), inputs(1));
    assert_ne!(inputs(1), inputs(2));
}

#[test]
fn a_corpus_that_is_missing_or_empty_is_an_error() {
    let folder = env::temp_dir().join(format!("gufo-fuzz-{}", std::process::id()));
    let missing = run::corpus(&folder);

    fs::create_dir(&folder).expect("the folder is new");
    let empty = run::corpus(&folder);
    fs::remove_dir(&folder).expect("the folder is empty");

    missing.expect_err("there was no folder");
    empty.expect_err("there was no file");
}
