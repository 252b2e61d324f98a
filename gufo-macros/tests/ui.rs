//! Everything unsupported is a compile error that says what to write, where it was written.
//!
//! `TRYBUILD=overwrite cargo test -p gufo-macros --test ui` writes the expected output anew.

#[test]
fn mistakes_are_explained_where_they_are_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
