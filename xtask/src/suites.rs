//! The rows of the final table: which tests are which suite on which backend.
//!
//! A row lists nothing by hand: it names a test target, and whatever ran there counts. To add a
//! row, add a line to [`SUITES`]; tests that no row claims are shown per package.

use crate::test::seen::{Kind, Outcome, Seen};

/// One row: a suite on a backend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    /// What is tested.
    pub(crate) suite: &'static str,
    /// On what.
    pub(crate) backend: &'static str,
    /// Which tests belong to it.
    pub(crate) tests: Tests,
}

/// Which tests a row claims: all that match every part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tests {
    /// The package, or the step of this program (`consumer`, `package`).
    pub(crate) package: &'static str,
    /// The test target: its name, [`LIB`], [`DOC`] or [`ANY`].
    pub(crate) target: &'static str,
    /// How the names of the tests begin; empty for all.
    pub(crate) prefix: &'static str,
}

/// The target of unit tests.
pub(crate) const LIB: &str = "<lib>";
/// The target of doctests.
pub(crate) const DOC: &str = "<doc>";
/// Any target, or any package.
pub(crate) const ANY: &str = "<any>";

/// A row that claims every test of a target.
pub(crate) const fn row(
    suite: &'static str,
    backend: &'static str,
    package: &'static str,
    target: &'static str,
) -> Suite {
    Suite {
        suite,
        backend,
        tests: Tests {
            package,
            target,
            prefix: "",
        },
    }
}

impl Suite {
    /// Claims only the tests whose names begin so.
    pub(crate) const fn named(mut self, prefix: &'static str) -> Self {
        self.tests.prefix = prefix;
        self
    }
}

/// The table. The first row that claims a test has it.
#[rustfmt::skip]
pub(crate) const SUITES: &[Suite] = &[
    row("codec conformance",     "json",                   "gufo-core",      "codec_conformance").named("json"),
    row("codec conformance",     "msgpack",                "gufo-core",      "codec_conformance").named("msgpack"),
    row("codec conformance",     "protobuf",               "gufo-core",      "codec_conformance").named("protobuf"),
    row("codec conformance",     "raw",                    "gufo-core",      "codec_conformance").named("raw"),
    row("codec conformance",     "custom",                 "gufo-core",      "codec_conformance").named("custom"),
    row("codec conformance",     "broken ones are caught", "gufo-core",      "codec_conformance").named("broken"),
    row("transport conformance", "memory",                 "gufo-transport", "conformance_memory"),
    row("transport conformance", "memory, through bytes",  "gufo-transport", "conformance_memory_encode"),
    row("transport conformance", "grpc",                   "gufo-transport", "conformance_grpc"),
    row("transport conformance", "grpc+unix",              "gufo-transport", "conformance_grpc_unix"),
    row("transport conformance", "tcp",                    "gufo-transport", "conformance_tcp"),
    row("transport conformance", "unix",                   "gufo-transport", "conformance_unix"),
    row("transport conformance", "http",                   "gufo-transport", "conformance_http"),
    row("transport conformance", "broken ones are caught", "gufo-transport", "conformance_broken"),
    row("registry conformance",  "memory",                 "gufo-registry",  "conformance").named("memory"),
    row("registry conformance",  "fixed",                  "gufo-registry",  "conformance").named("fixed"),
    row("registry conformance",  "broken ones are caught", "gufo-registry",  "broken"),
    row("hostile input",         "grpc",                   "gufo-tests",     "hostile").named("grpc"),
    row("hostile input",         "http/1.1",               "gufo-tests",     "hostile").named("http"),
    row("hostile input",         "tcp",                    "gufo-tests",     "hostile").named("native::tcp"),
    row("hostile input",         "unix",                   "gufo-tests",     "hostile").named("native::unix"),
    row("hostile input",         "tcp: memory, clients",   "gufo-tests",     "hostile").named("native"),
    row("native protocol",       "golden files",           "gufo-transport", LIB).named("native::golden"),
    row("native protocol",       "its document",           "gufo-tests",     "native_protocol"),
    row("fault proxy",           "raw sockets",            "gufo-testkit",   "proxy"),
    row("fault proxy",           "grpc+unix",              "gufo-tests",     "fault_proxy").named("grpc_unix"),
    row("fault proxy",           "grpc",                   "gufo-tests",     "fault_proxy").named("grpc"),
    row("fault proxy",           "tcp",                    "gufo-tests",     "fault_proxy").named("tcp"),
    row("fault proxy",           "unix",                   "gufo-tests",     "fault_proxy").named("unix"),
    row("plain json",            "http/1.1",               "gufo-tests",     "http_json"),
    row("interop",               "python grpcio",          "gufo-tests",     "interop_python"),
    row("interop",               "tonic",                  "gufo-tests",     "interop_tonic"),
    row("tower layers",          "clients and services",   "gufo-tower",     "layers"),
    row("http client",           "typed, JSON and REST",   "gufo-tests",     "http_client"),
    row("service code",          "from .proto",            "gufo-tests",     "generated"),
    row("service code",          "from traits",            "gufo-tests",     "described"),
    row("fuzz corpus",           "all decoders",           "gufo-fuzz",      "corpus"),
    row("macro errors",          "rustc",                  "gufo-macros",    "ui"),
    row("examples",              "all",                    "gufo-examples",  "run"),
    row("readme and guides",     "all",                    "gufo-examples",  DOC),
    row("readme and guides",     "files, commands, curl",  "gufo-tests",     "readme"),
    row("doctests",              "all",                    ANY,              DOC),
    row("micro benches",         "smoke",                  "gufo-benches",   ANY).named("micro"),
    row("consumer outside",      "own registry",           "consumer",       ANY),
    row("consumer outside",      "its dependencies",       "gufo-tests",     "consumer"),
    row("cargo package",         "published crates",       "package",        ANY),
];

impl Suite {
    /// True when the test belongs to this row.
    pub(crate) fn claims(&self, seen: &Seen) -> bool {
        let Tests {
            package,
            target,
            prefix,
        } = self.tests;
        let target_fits = match target {
            ANY => true,
            LIB => seen.kind == Kind::Lib,
            DOC => seen.kind == Kind::Doc,
            name => seen.kind == Kind::Other && seen.target == name,
        };
        // A target that ended without a result fails all of its rows.
        let name_fits = seen.name.starts_with(prefix) || seen.outcome == Outcome::Crashed;
        (package == ANY || package == seen.package) && target_fits && name_fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_are_the_same() {
        let mut names: Vec<_> = SUITES
            .iter()
            .map(|suite| (suite.suite, suite.backend))
            .collect();
        names.sort_unstable();
        names.dedup();

        assert_eq!(names.len(), SUITES.len());
    }
}
