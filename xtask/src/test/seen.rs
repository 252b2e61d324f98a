//! What a test run said, read from its output line by line.

use std::time::Duration;

use super::times::Timed;

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    /// The tests, in the order of the output.
    pub(crate) seen: Vec<Seen>,
    /// How long their targets took.
    pub(crate) times: Vec<Timed>,
}

/// One test that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) package: String,
    /// The name of the test target.
    pub(crate) target: String,
    pub(crate) kind: Kind,
    /// The path of the test, `module::name`; for a doctest its file, item and line.
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// What kind of target a test stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Unit tests of a library.
    Lib,
    /// Doctests.
    Doc,
    /// Tests of a binary, an example, a bench or a file in `tests/`.
    Other,
}

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Left out by an attribute.
    Ignored,
    /// The test binary ended without a result, or its lines do not add up.
    Crashed,
}

/// A test binary or the doctests of a library, as cargo announces them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    pub(crate) package: String,
    pub(crate) target: String,
    pub(crate) kind: Kind,
}

/// Reads the output of `cargo test`.
pub(crate) struct Reader<'a> {
    /// Finds the binary for the name of an executable, or for `doc:<library>`.
    find: &'a dyn Fn(&str) -> Option<Binary>,
    running: Option<Running>,
    /// What was announced last, and when.
    announced: Option<(Binary, Duration)>,
    ran: Ran,
}

struct Running {
    binary: Binary,
    /// Tests passed and failed so far.
    passed: usize,
    failed: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(find: &'a dyn Fn(&str) -> Option<Binary>) -> Self {
        Self {
            find,
            running: None,
            announced: None,
            ran: Ran::default(),
        }
    }

    /// Takes one line, without its end, that came so long after the start.
    pub(crate) fn line(&mut self, line: &str, at: Duration) {
        if let Some(key) = announced(line) {
            self.end(at);
            let unknown = || Binary {
                package: key.clone(),
                target: key.clone(),
                kind: Kind::Other,
            };
            let binary = (self.find)(&key).unwrap_or_else(unknown);
            self.announced = Some((binary.clone(), at));
            self.running = Some(Running {
                binary,
                passed: 0,
                failed: 0,
            });
        } else if let Some((name, outcome)) = test_line(line) {
            self.count(name, outcome);
        } else if let Some((passed, failed)) = result_line(line) {
            // Doctests end with one such line per edition; each closes what came before it.
            if let Some(running) = &mut self.running {
                let adds_up = (running.passed, running.failed) == (passed, failed);
                (running.passed, running.failed) = (0, 0);
                if !adds_up {
                    self.crashed("its lines do not add up to its result");
                } else if self
                    .running
                    .as_ref()
                    .is_some_and(|running| running.binary.kind != Kind::Doc)
                {
                    self.running = None;
                }
            }
        }
    }

    /// All that was seen, once the output has ended.
    pub(crate) fn finish(mut self, at: Duration) -> Ran {
        self.end(at);
        self.ran
    }

    fn count(&mut self, name: &str, outcome: Outcome) {
        let Some(running) = &mut self.running else {
            return;
        };
        match outcome {
            Outcome::Passed => running.passed += 1,
            Outcome::Failed | Outcome::Crashed => running.failed += 1,
            Outcome::Ignored => {}
        }
        let Binary {
            package,
            target,
            kind,
        } = running.binary.clone();
        self.ran.seen.push(Seen {
            package,
            target,
            kind,
            name: name.to_owned(),
            outcome,
        });
    }

    /// A binary that is still running here never printed its result. Doctests may close with
    /// nothing to say.
    fn end(&mut self, at: Duration) {
        if let Some((binary, since)) = self.announced.take() {
            let took = at.saturating_sub(since);
            self.ran.times.push(Timed { binary, took });
        }
        if let Some(running) = &self.running {
            if running.binary.kind != Kind::Doc || running.passed + running.failed > 0 {
                self.crashed("ended without a result");
            }
            self.running = None;
        }
    }

    fn crashed(&mut self, what: &str) {
        self.count(what, Outcome::Crashed);
        if let Some(running) = &mut self.running {
            (running.passed, running.failed) = (0, 0);
        }
    }
}

/// `     Running tests/x.rs (target/debug/deps/x-0123)` or `   Doc-tests x`.
fn announced(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(library) = line.strip_prefix("Doc-tests ") {
        return Some(format!("doc:{library}"));
    }
    let place = line.strip_prefix("Running ")?.strip_suffix(')')?;
    let (_, path) = place.rsplit_once('(')?;
    Some(path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned())
}

/// `test name ... ok`. Output of other threads may stand before it on the same line.
fn test_line(line: &str) -> Option<(&str, Outcome)> {
    let (_, rest) = line.split_once("test ")?;
    let (name, outcome) = rest.rsplit_once(" ... ")?;
    let outcome = match outcome
        .split_once([',', ' '])
        .map_or(outcome, |(word, _)| word)
    {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Ignored,
        _ => return None,
    };
    Some((
        name.strip_suffix(" - should panic").unwrap_or(name),
        outcome,
    ))
}

/// `test result: ok. 5 passed; 0 failed; …`.
fn result_line(line: &str) -> Option<(usize, usize)> {
    let (_, rest) = line.split_once("test result: ")?;
    let (_, counts) = rest.split_once(". ")?;
    let number = |what: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(what));
        part.and_then(|part| part.trim().parse().ok())
    };
    Some((number("passed")?, number("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Vec<(String, String, Outcome)> {
        let find = |key: &str| {
            let kind = if key.starts_with("doc:") {
                Kind::Doc
            } else {
                Kind::Other
            };
            Some(Binary {
                package: "p".into(),
                target: key.to_owned(),
                kind,
            })
        };
        let mut reader = Reader::new(&find);
        let at = Duration::ZERO;
        output.lines().for_each(|line| reader.line(line, at));
        let ran = reader.finish(at);
        ran.seen
            .into_iter()
            .map(|seen| (seen.target, seen.name, seen.outcome))
            .collect()
    }

    fn expected(target: &str, name: &str, outcome: Outcome) -> (String, String, Outcome) {
        (target.into(), name.into(), outcome)
    }

    #[test]
    fn tests_are_read_with_their_binary() {
        let output = "\
     Running unittests src/lib.rs (target/debug/deps/gufo_core-12ab)

running 2 tests
test code::round_trip ... ok
test code::gap - should panic ... FAILED

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/python.rs (target/debug/deps/python-34cd)
test unary ... ignored, needs grpcio, the Python one
test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

        assert_eq!(
            read(output),
            [
                expected("gufo_core-12ab", "code::round_trip", Outcome::Passed),
                expected("gufo_core-12ab", "code::gap", Outcome::Failed),
                expected("python-34cd", "unary", Outcome::Ignored),
            ]
        );
    }

    #[test]
    fn doctests_of_several_editions_are_read() {
        let output = "\
   Doc-tests gufo_core
test gufo-core/src/lib.rs - test (line 5) ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test gufo-core/src/lib.rs - Name (line 9) - compile fail ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
all doctests ran in 0.41s; merged doctests compilation took 0.39s
   Doc-tests gufo_client
";

        let names: Vec<_> = read(output)
            .into_iter()
            .map(|(_, name, outcome)| (name, outcome))
            .collect();

        assert_eq!(
            names,
            [
                (
                    "gufo-core/src/lib.rs - test (line 5)".into(),
                    Outcome::Passed
                ),
                (
                    "gufo-core/src/lib.rs - Name (line 9) - compile fail".into(),
                    Outcome::Passed
                ),
            ]
        );
    }

    #[test]
    fn output_of_another_thread_before_a_test_does_not_hide_it() {
        let output = "     Running tests/x.rs (target/x-1)\nerrortest a::b ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";

        assert_eq!(read(output), [expected("x-1", "a::b", Outcome::Passed)]);
    }

    #[test]
    fn a_binary_that_ends_without_a_result_has_crashed() {
        let output = "     Running tests/x.rs (target/x-1)\ntest a ... ok\n     Running tests/y.rs (target/y-1)\n";

        assert_eq!(
            read(output),
            [
                expected("x-1", "a", Outcome::Passed),
                expected("x-1", "ended without a result", Outcome::Crashed),
                expected("y-1", "ended without a result", Outcome::Crashed),
            ]
        );
    }

    #[test]
    fn lines_that_do_not_add_up_are_a_failure() {
        let output = "     Running tests/x.rs (target/x-1)\ntest a ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n";

        assert_eq!(read(output)[1].2, Outcome::Crashed);
    }

    #[test]
    fn a_target_takes_until_the_next_one_is_announced() {
        let find = |_: &str| None;
        let mut reader = Reader::new(&find);
        let lines = [
            (5, "     Running tests/x.rs (target/x-1)"),
            (8, "test result: ok. 0 passed; 0 failed; 0 ignored"),
            (9, "   Doc-tests y"),
        ];

        for (seconds, line) in lines {
            reader.line(line, Duration::from_secs(seconds));
        }
        let ran = reader.finish(Duration::from_secs(29));

        let times: Vec<_> = ran
            .times
            .iter()
            .map(|timed| (timed.binary.target.as_str(), timed.took.as_secs()))
            .collect();
        assert_eq!(times, [("x-1", 4), ("doc:y", 20)]);
    }
}
