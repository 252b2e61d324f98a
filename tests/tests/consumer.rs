//! The crate outside the workspace is what it claims to be. `cargo xtask test` runs its own tests.

use std::{collections::BTreeSet, fs, path::Path};

use toml::{Table, Value};

fn read(name: &str) -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let text = fs::read_to_string(&path).expect(name);
    text.parse().expect(name)
}

/// Name and version of every package of a lock file.
fn locked(name: &str) -> BTreeSet<(String, String)> {
    let lock = read(name);
    let packages = lock["package"].as_array().expect("packages");
    let text = |package: &Value, key: &str| package[key].as_str().expect(key).to_owned();
    let named = packages.iter();
    named
        .map(|it| (text(it, "name"), text(it, "version")))
        .collect()
}

#[test]
fn the_consumer_needs_one_part_of_gufo_and_one_transport() {
    let manifest = read("examples/consumer/Cargo.toml");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");

    let gufo: Vec<_> = dependencies
        .keys()
        .filter(|name| name.starts_with("gufo"))
        .collect();

    assert_eq!(gufo, ["gufo-server", "gufo-transport"]);
    assert!(
        manifest.contains_key("workspace"),
        "it stands outside the workspace"
    );
    for kind in ["dev-dependencies", "build-dependencies", "patch"] {
        assert!(!manifest.contains_key(kind), "it needs no {kind}");
    }
    let locked = locked("examples/consumer/Cargo.lock");
    for absent in ["gufo", "gufo-client", "gufo-registry"] {
        assert!(
            locked.iter().all(|(name, _)| name != absent),
            "{absent} came along"
        );
    }
}

#[test]
fn the_consumer_is_tested_with_the_versions_of_the_workspace() {
    let workspace = locked("Cargo.lock");
    let mut consumer = locked("examples/consumer/Cargo.lock");
    consumer.retain(|(name, _)| name != "consumer");

    let others: Vec<_> = consumer.difference(&workspace).collect();

    assert!(others.is_empty(), "{others:?}");
}
