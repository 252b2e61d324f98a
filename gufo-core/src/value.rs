//! Reading configuration values from text: one spelling for durations, sizes, flags and lists in every URL and file.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::{Error, Result};

/// A type that reads itself from one configuration value, such as the `10s` of `?ttl=10s`.
pub trait FromValue: Sized {
    /// Reads `text`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, saying what was expected.
    fn from_value(text: &str) -> Result<Self>;
}

/// A number of bytes, written `512`, `64KiB`, `16MiB` or `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

fn refuse(expected: &str, text: &str) -> Error {
    Error::invalid_argument(format!("expected {expected}, found {}", shown(text)))
}

/// Splits `10s` into 10 and `s`; `None` without a number in front or when it does not fit.
fn split_unit(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

impl FromValue for Duration {
    /// Reads a whole number with a unit: `500us`, `250ms`, `10s`, `5m`, `1h`, `2d`.
    fn from_value(text: &str) -> Result<Self> {
        let refused = || refuse("a duration such as 250ms, 10s, 5m or 1h", text);
        let (number, unit) = split_unit(text).ok_or_else(refused)?;
        let seconds = |each: u64| number.checked_mul(each).map(Self::from_secs);
        match unit {
            "us" => Some(Self::from_micros(number)),
            "ms" => Some(Self::from_millis(number)),
            "s" => Some(Self::from_secs(number)),
            "m" => seconds(60),
            "h" => seconds(60 * 60),
            "d" => seconds(24 * 60 * 60),
            _ => None,
        }
        .ok_or_else(refused)
    }
}

impl FromValue for ByteSize {
    fn from_value(text: &str) -> Result<Self> {
        let refused = || refuse("a size such as 512, 64KiB, 16MiB or 1GiB", text);
        let (number, unit) = split_unit(text).ok_or_else(refused)?;
        let shift = match unit {
            "" | "B" => 0,
            "KiB" => 10,
            "MiB" => 20,
            "GiB" => 30,
            _ => return Err(refused()),
        };
        number.checked_mul(1 << shift).map(Self).ok_or_else(refused)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    /// Reads the same text as in a URL.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_value(&text).map_err(|error| serde::de::Error::custom(error.message()))
    }
}

impl FromValue for bool {
    fn from_value(text: &str) -> Result<Self> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(refuse("true or false", text)),
        }
    }
}

impl FromValue for String {
    fn from_value(text: &str) -> Result<Self> {
        Ok(text.to_owned())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    /// Reads a list separated by commas; an empty text is an empty list, an empty item goes to `T`.
    fn from_value(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::new());
        }
        text.split(',').map(T::from_value).collect()
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl FromValue for $type {
            fn from_value(text: &str) -> Result<Self> {
                text.parse().map_err(|_| {
                    refuse(&format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX), text)
                })
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 usize);

/// `text` quoted, with control characters escaped, cut after 64 characters.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(64) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// The candidate closest to `word` by edit distance, if one is close enough to be what was meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let worst = (word.chars().count() / 2).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= worst && *distance < candidate.len())
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let read = |text| Duration::from_value(text).ok();

        assert_eq!(read("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read("10s"), Some(Duration::from_secs(10)));
        assert_eq!(read("5m"), Some(Duration::from_secs(300)));
        assert_eq!(read("1h"), Some(Duration::from_secs(3600)));
        for wrong in [
            "",
            "10",
            "s",
            "-1s",
            "1.5s",
            "10 s",
            "10sec",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        let read = |text| ByteSize::from_value(text).ok();

        assert_eq!(read("512"), Some(ByteSize(512)));
        assert_eq!(read("64KiB"), Some(ByteSize(65_536)));
        assert_eq!(read("16MiB"), Some(ByteSize(16_777_216)));
        for wrong in ["", "MiB", "16MB", "16mib", "-1", "18446744073709551615GiB"] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_value_says_what_was_expected() {
        let error = Duration::from_value("10").unwrap_err();

        assert_eq!(
            error.message(),
            "expected a duration such as 250ms, 10s, 5m or 1h, found \"10\""
        );
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(Vec::<u16>::from_value("1,2").unwrap(), [1, 2]);
        assert_eq!(Vec::<u16>::from_value("").unwrap(), [0_u16; 0]);
        assert!(Vec::<u16>::from_value("1,,2").is_err());
    }

    #[test]
    fn the_nearest_word_is_one_that_was_plausibly_meant() {
        assert_eq!(nearest("tttl", ["timeout", "ttl"]), Some("ttl"));
        assert_eq!(
            nearest("pasword_file", ["password_file", "ttl"]),
            Some("password_file")
        );
        assert_eq!(nearest("colour", ["ttl", "timeout"]), None);
    }
}
