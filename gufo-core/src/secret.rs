//! [`Secret`]: text that never shows in a log.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::Result;
use crate::value::FromValue;

/// A password, token or key: `Debug` and `Display` print `***`, and its memory is wiped on drop.
///
/// It deserializes from text and deliberately does not serialize.
///
/// # Examples
///
/// ```
/// use gufo_core::Secret;
///
/// let secret = Secret::new("hoot");
/// assert_eq!(format!("{secret} {secret:?}"), "*** Secret(***)");
/// assert_eq!(secret.expose(), "hoot");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromValue for Secret {
    fn from_value(text: &str) -> Result<Self> {
        Ok(Self::new(text))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        #[derive(Debug)]
        struct Config {
            #[expect(dead_code, reason = "read by Debug only, which is what is tested")]
            password: Secret,
        }

        let printed = format!(
            "{:?} {}",
            Config {
                password: Secret::new("hoot")
            },
            Secret::new("hoot")
        );

        assert!(!printed.contains("hoot"), "{printed}");
    }
}
