#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gufo_fuzz::target("native_metadata")(input));
