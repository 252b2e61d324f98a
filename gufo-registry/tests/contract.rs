//! The contract in the docs of `Registry` and the suite name each other completely.
#![cfg(feature = "conformance")]

use std::collections::BTreeSet;

use gufo_registry::conformance::CHECKS;

#[test]
fn the_contract_names_every_check_and_no_other() {
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../gufo-core/src/registry/mod.rs"
    );
    let source = std::fs::read_to_string(source).unwrap();
    let contract = source
        .split("# Contract")
        .nth(1)
        .unwrap()
        .split("pub trait Registry")
        .next()
        .unwrap();

    // Check names are what stands in backticks, in lower case and with an underscore.
    let named: BTreeSet<_> = contract
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
        .collect();
    let checks: BTreeSet<_> = CHECKS
        .iter()
        .filter_map(|check| check.name.split("::").nth(1))
        .collect();

    assert_eq!(named, checks);
}
