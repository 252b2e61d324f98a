//! The generated code, as it is.
//!
//! `GOLDEN=write cargo test -p gufo-build --test golden` writes it anew.

use std::{env, fs, path::Path};

use prost_reflect::DescriptorPool;

fn generate(name: &str) -> std::path::PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&out).expect("a directory");
    gufo_build::configure()
        .out_dir(&out)
        .type_attribute("shop.v1.Item.Part", "#[derive(PartialOrd)]")
        .field_attribute("shop.v1.Item.id", "#[doc(alias = \"number\")]")
        .compile(&["tests/protos/shop.proto"], &["tests/protos"])
        .expect("code");
    out
}

#[test]
fn generated_code_is_the_golden_code() {
    let out = generate("golden");

    for file in ["shop.v1.rs", "common.rs"] {
        let found = fs::read_to_string(out.join(file)).expect(file);
        let golden = Path::new("tests/golden").join(file);
        if env::var_os("GOLDEN").is_some_and(|golden| golden == "write") {
            fs::write(&golden, &found).expect("written");
        }
        let golden = fs::read_to_string(&golden).expect(file);
        assert!(
            found == golden,
            "{file} differs from tests/golden:\n{found}"
        );
    }
}

#[test]
fn nothing_but_the_packages_and_their_descriptors_is_written() {
    let out = generate("written");

    let mut names: Vec<_> = fs::read_dir(out)
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();

    assert_eq!(
        names,
        ["common.rs", "shop.v1.descriptors.bin", "shop.v1.rs"]
    );
}

#[test]
fn files_that_stay_the_same_are_left_alone() {
    let out = generate("same");
    let file = out.join("shop.v1.rs");
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let opened = fs::File::options()
        .append(true)
        .open(&file)
        .expect("the file");
    opened.set_modified(long_ago).expect("set");

    generate("same");

    let modified = fs::metadata(file).and_then(|file| file.modified());
    assert_eq!(modified.expect("a time"), long_ago);
}

#[test]
fn descriptors_hold_imports_comments_and_options() {
    let out = generate("descriptors");
    let set = fs::read(out.join("shop.v1.descriptors.bin")).expect("the file");

    let pool = DescriptorPool::decode(&*set).expect("a whole set");

    let files: Vec<_> = pool.files().map(|file| file.name().to_owned()).collect();
    assert_eq!(
        files,
        [
            "google/api/http.proto",
            "google/protobuf/descriptor.proto",
            "google/api/annotations.proto",
            "common.proto",
            "shop.proto",
        ]
    );
    let shop = pool
        .get_service_by_name("shop.v1.Shop")
        .expect("the service");
    let method = shop.methods().next().expect("a method");
    let http = pool
        .get_extension_by_name("google.api.http")
        .expect("the option");
    assert!(method.options().has_extension(&http));
    let file = pool.get_file_by_name("shop.proto").expect("the file");
    let info = file.file_descriptor_proto().source_code_info.clone();
    let mut comments = info.into_iter().flat_map(|info| info.location);
    assert!(comments.any(|location| location.leading_comments() == " Finds one item.\n"));
}

#[test]
fn handlers_answer_with_metadata_where_that_is_asked_for() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("responses");
    fs::create_dir_all(&out).expect("a directory");
    gufo_build::configure()
        .out_dir(&out)
        .responses()
        .compile(&["tests/protos/shop.proto"], &["tests/protos"])
        .expect("code");

    let bare = fs::read_to_string("tests/golden/shop.v1.rs").expect("golden");
    let code = fs::read_to_string(out.join("shop.v1.rs")).expect("code");

    assert!(!bare.contains("Response<"));
    let methods = code.matches("async fn ").count();
    assert!(methods > 0);
    assert_eq!(code.matches("::gufo::core::Response<").count(), methods);
}
