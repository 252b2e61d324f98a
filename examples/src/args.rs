//! The flags of a program: taken one by one, and what nobody took is refused.

use std::{fmt::Display, process::ExitCode, str::FromStr};

use crate::BoxError;

/// Flags of the form `--name value`, `--name=value` or `--name value value`, in any order.
#[derive(Debug)]
pub struct Args {
    usage: &'static str,
    flags: Vec<(String, Vec<String>)>,
}

impl Args {
    /// The flags this program was started with; `None` for `--help`, after printing the usage.
    ///
    /// # Errors
    /// A word that belongs to no flag.
    pub fn read(usage: &'static str) -> Result<Option<Self>, BoxError> {
        let words: Vec<_> = std::env::args().skip(1).collect();
        if words.iter().any(|word| word == "--help" || word == "-h") {
            use std::io::Write;
            writeln!(std::io::stdout(), "{usage}")?;
            return Ok(None);
        }
        Self::parse(usage, words).map(Some)
    }

    fn parse(usage: &'static str, words: Vec<String>) -> Result<Self, BoxError> {
        let mut flags: Vec<(String, Vec<String>)> = Vec::new();
        for word in words {
            match (word.strip_prefix("--"), flags.last_mut()) {
                (Some(flag), _) => {
                    let (name, value) = match flag.split_once('=') {
                        Some((name, value)) => (name, Some(value.to_owned())),
                        None => (flag, None),
                    };
                    flags.push((name.to_owned(), value.into_iter().collect()));
                }
                (None, Some((_, values))) => values.push(word),
                (None, None) => return Err(format!("{word} belongs to no flag\n{usage}").into()),
            }
        }
        Ok(Self { usage, flags })
    }

    /// Takes all values of a flag, over all its occurrences.
    ///
    /// # Errors
    /// The flag is there and has no value.
    pub fn all(&mut self, name: &str) -> Result<Vec<String>, BoxError> {
        let mut found = Vec::new();
        for (_, values) in self.flags.extract_if(.., |(known, _)| known == name) {
            if values.is_empty() {
                return Err(format!("--{name} needs a value\n{}", self.usage).into());
            }
            found.extend(values);
        }
        Ok(found)
    }

    /// Takes the value of a flag that is given once or not at all.
    ///
    /// # Errors
    /// The flag has no value, or several, or one that is not a `T`.
    pub fn one<T>(&mut self, name: &str) -> Result<Option<T>, BoxError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let mut values = self.all(name)?;
        let Some(value) = values.pop() else {
            return Ok(None);
        };
        if !values.is_empty() {
            return Err(format!("--{name} takes one value\n{}", self.usage).into());
        }
        match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(format!("--{name} {value}: {error}").into()),
        }
    }

    /// Takes the value of a flag that must be there.
    ///
    /// # Errors
    /// As [`one`](Self::one), or the flag is missing.
    pub fn required<T>(&mut self, name: &str) -> Result<T, BoxError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let usage = self.usage;
        self.one(name)?
            .ok_or_else(|| format!("--{name} is missing\n{usage}").into())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A flag nobody took.
    pub fn finish(self) -> Result<(), BoxError> {
        match self.flags.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("unknown flag --{name}\n{}", self.usage).into()),
        }
    }
}

/// How a program ends: an error goes to standard error, with everything that caused it.
#[must_use]
pub fn exit(result: Result<(), BoxError>) -> ExitCode {
    use std::io::Write;
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    // Where standard error is closed nobody reads the reason; the exit code is left.
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &str) -> Args {
        let words = words.split_whitespace().map(str::to_owned).collect();
        Args::parse("usage", words).expect("flags")
    }

    #[test]
    fn values_may_follow_be_joined_and_be_repeated() {
        let mut args = args("--listen a b --count=3 --listen c");

        assert_eq!(args.all("listen").expect("values"), ["a", "b", "c"]);
        assert_eq!(args.one::<u32>("count").expect("a number"), Some(3));
        assert_eq!(args.one::<u32>("count").expect("taken"), None);
        args.finish().expect("nothing is left");
    }

    #[test]
    fn what_is_wrong_missing_or_unknown_is_an_error() {
        assert!(args("--count three").one::<u32>("count").is_err());
        assert!(args("--count 3 4").one::<u32>("count").is_err());
        assert!(args("--count").one::<u32>("count").is_err());
        assert!(args("").required::<String>("name").is_err());
        assert!(args("--nmae owl").finish().is_err());
        assert!(Args::parse("usage", vec!["owl".into()]).is_err());
    }
}
