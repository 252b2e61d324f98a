//! Code from the `.proto` files of the tests: gufo's, and tonic's for the same greeter.

use std::{error::Error, path::PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn Error>> {
    gufo_build::compile(&["proto/greeter.proto", "proto/zoo.proto"], &["proto"])?;

    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let responses = out.join("responses");
    std::fs::create_dir_all(&responses)?;
    gufo_build::configure()
        .responses()
        .out_dir(responses)
        .compile(&["proto/greeter.proto"], &["proto"])?;

    let descriptors = std::fs::read(out.join("greeter.descriptors.bin"))?;
    let tonic = out.join("tonic");
    std::fs::create_dir_all(&tonic)?;
    tonic_prost_build::configure()
        .out_dir(tonic)
        .compile_fds(FileDescriptorSet::decode(&descriptors[..])?)?;
    Ok(())
}
