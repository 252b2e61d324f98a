//! Every target over its corpus and some thousand mutations of it.
//!
//! `GUFO_FUZZ_SEED` repeats a run, `GUFO_FUZZ_ROUNDS` lengthens it.

use std::env;

use gufo_fuzz::{TARGETS, run};

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
    let (_, target) = TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("the target is in the table");
    let seed = setting("GUFO_FUZZ_SEED", SEED);
    let files = run::corpus(name)
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
    descriptors
    reflection_answer
}
