//! Names that are legal by construction: what is not a legal name never gets past `parse`.
//!
//! Letters and digits are ASCII, positions count bytes from 0, and names are compared byte by byte, case included.

use crate::value::shown;
use crate::{Error, Result};

/// The rules of one kind of name.
struct Grammar {
    what: &'static str,
    max: usize,
    /// Joins the parts; `None` when the name is one part.
    separator: Option<char>,
    starts: fn(char) -> bool,
    continues: fn(char) -> bool,
    allowed: &'static str,
}

impl Grammar {
    fn check(&self, text: &str) -> Result<()> {
        let what = self.what;
        if text.is_empty() {
            return Err(Error::invalid_argument(format!("{what} is empty")));
        }
        if text.len() > self.max {
            return Err(Error::invalid_argument(format!(
                "{what} {} is {} bytes long, the limit is {}",
                shown(text),
                text.len(),
                self.max
            )));
        }
        let mut at_start = true;
        for (position, found) in text.char_indices() {
            let is_separator = Some(found) == self.separator;
            let legal = match (is_separator, at_start) {
                (true, at_start) => !at_start,
                (false, true) => (self.starts)(found),
                (false, false) => (self.continues)(found),
            };
            if !legal {
                return Err(Error::invalid_argument(format!(
                    "{what} {} has {found:?} at position {position}; {}",
                    shown(text),
                    self.allowed
                )));
            }
            at_start = is_separator;
        }
        if at_start {
            return Err(Error::invalid_argument(format!(
                "{what} {} ends with its separator at position {}; {}",
                shown(text),
                text.len() - 1,
                self.allowed
            )));
        }
        Ok(())
    }
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Checks `text` and keeps it unchanged.
            ///
            /// # Errors
            ///
            /// `InvalidArgument`, naming the first offending character and its position in bytes, counted from 0.
            pub fn parse(text: &str) -> $crate::Result<Self> {
                let check: fn(&str) -> $crate::Result<()> = $check;
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::Error;

            fn try_from(text: &str) -> $crate::Result<Self> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl $crate::value::FromValue for $name {
            fn from_value(text: &str) -> $crate::Result<Self> {
                Self::parse(text)
            }
        }
    };
}

name! {
    /// The name of a service: a full protobuf name (`greeter.Greeter`) or a simple one (`greeter`).
    ///
    /// Parts joined by `.`; a part starts with an ASCII letter or `_`, then letters, digits, `_` and `-`. At most 255 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use gufo_core::ServiceName;
    ///
    /// let name = ServiceName::parse("greeter.Greeter")?;
    /// assert_eq!(name.as_str(), "greeter.Greeter");
    ///
    /// let error = ServiceName::parse("greeter/Greeter").unwrap_err();
    /// assert!(error.message().contains("'/' at position 7"));
    /// # Ok::<(), gufo_core::Error>(())
    /// ```
    ServiceName, |text| {
        Grammar {
            what: "service name",
            max: 255,
            separator: Some('.'),
            starts: |c| c.is_ascii_alphabetic() || c == '_',
            continues: word,
            allowed: "expected parts joined by '.', each a letter or '_' followed by letters, digits, '_' or '-'",
        }
        .check(text)
    }
}

name! {
    /// The id of a [`Node`](crate::Node), unique among the nodes of its service.
    ///
    /// 1 to 128 ASCII letters, digits, `-`, `_`, `.`, `:` and `@`.
    NodeId, |text| {
        fn legal(c: char) -> bool {
            word(c) || matches!(c, '.' | ':' | '@')
        }
        Grammar {
            what: "node id",
            max: 128,
            separator: None,
            starts: legal,
            continues: legal,
            allowed: "expected letters, digits, '-', '_', '.', ':' or '@'",
        }
        .check(text)
    }
}

// 249 is Kafka's limit, the smallest among the brokers in common use.
const MAX_TOPIC: usize = 249;

name! {
    /// The name under which messages are published: `orders.created`.
    ///
    /// Levels joined by `.`; a level is ASCII letters, digits, `_` and `-`. At most 249 bytes.
    Topic, |text| {
        Grammar {
            what: "topic",
            max: MAX_TOPIC,
            separator: Some('.'),
            starts: word,
            continues: word,
            allowed: "expected levels joined by '.', each of letters, digits, '_' or '-'",
        }
        .check(text)
    }
}

name! {
    /// A set of topics: `*` stands for exactly one level, `>` as the last level for one or more.
    ///
    /// Otherwise written like a [`Topic`].
    ///
    /// # Examples
    ///
    /// ```
    /// use gufo_core::{Topic, TopicFilter};
    ///
    /// let topic = Topic::parse("orders.eu.created")?;
    /// assert!(TopicFilter::parse("orders.*.created")?.matches(&topic));
    /// assert!(TopicFilter::parse("orders.>")?.matches(&topic));
    /// assert!(!TopicFilter::parse("orders.*")?.matches(&topic));
    /// # Ok::<(), gufo_core::Error>(())
    /// ```
    TopicFilter, check_filter
}

fn check_filter(text: &str) -> Result<()> {
    const ALLOWED: &str = "expected levels joined by '.', each of letters, digits, '_' or '-', or '*' alone, or '>' alone at the end";
    fn legal(c: char) -> bool {
        word(c) || matches!(c, '*' | '>')
    }
    Grammar {
        what: "topic filter",
        max: MAX_TOPIC,
        separator: Some('.'),
        starts: legal,
        continues: legal,
        allowed: ALLOWED,
    }
    .check(text)?;
    let mut start = 0;
    for level in text.split('.') {
        let end = start + level.len();
        let misplaced = match level {
            "*" => None,
            ">" => (end != text.len()).then_some(0),
            _ => level.find(['*', '>']),
        };
        if let Some(offset) = misplaced {
            let position = start + offset;
            return Err(Error::invalid_argument(format!(
                "topic filter {} has '{}' at position {position}; {ALLOWED}",
                shown(text),
                &text[position..=position],
            )));
        }
        start = end + 1;
    }
    Ok(())
}

impl TopicFilter {
    /// Whether `topic` is in the set.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        let mut levels = topic.as_str().split('.');
        for wanted in self.as_str().split('.') {
            match (wanted, levels.next()) {
                (_, None) => return false,
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(level)) if wanted == level => {}
                (_, Some(_)) => return false,
            }
        }
        levels.next().is_none()
    }
}

impl From<Topic> for TopicFilter {
    /// The filter that matches this topic alone.
    fn from(topic: Topic) -> Self {
        Self(topic.0)
    }
}

name! {
    /// What keeps the data of several users of one backend apart: `prod`, `prod/eu`.
    ///
    /// Parts joined by `/`; a part is ASCII letters, digits, `_`, `-` and `.`, and not only dots. At most 255 bytes.
    Namespace, |text| {
        Grammar {
            what: "namespace",
            max: 255,
            separator: Some('/'),
            starts: |c| word(c) || c == '.',
            continues: |c| word(c) || c == '.',
            allowed: "expected parts joined by '/', each of letters, digits, '_', '-' or '.'",
        }
        .check(text)?;
        match text.split('/').find(|part| part.bytes().all(|b| b == b'.')) {
            Some(part) => Err(Error::invalid_argument(format!(
                "namespace {} has the part {part:?}, which is only dots",
                shown(text)
            ))),
            None => Ok(()),
        }
    }
}

name! {
    /// The version of a service, such as `1.4.2` or `2026-08-01`; gufo compares versions for equality only.
    ///
    /// 1 to 64 ASCII letters, digits, `.`, `-`, `+` and `_`; `0.0.0` by default.
    Version, |text| {
        fn legal(c: char) -> bool {
            word(c) || matches!(c, '.' | '+')
        }
        Grammar {
            what: "version",
            max: 64,
            separator: None,
            starts: legal,
            continues: legal,
            allowed: "expected letters, digits, '.', '-', '+' or '_'",
        }
        .check(text)
    }
}

impl Default for Version {
    /// `0.0.0`.
    fn default() -> Self {
        Self("0.0.0".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T>, wanted: &str) {
        let error = result.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(
            error.message().contains(wanted),
            "{:?} lacks {wanted:?}",
            error.message()
        );
    }

    #[test]
    fn legal_names_are_kept_unchanged() {
        for text in [
            "greeter",
            "greeter.Greeter",
            "_a.b-c.D9",
            "google.protobuf.Empty",
        ] {
            assert_eq!(ServiceName::parse(text).unwrap().to_string(), text);
        }
        for text in ["1", "greeter-7f3a", "host:8080@zone.a"] {
            assert_eq!(NodeId::parse(text).unwrap().as_str(), text);
        }
        for text in ["prod", "prod/eu-1", "a.b/..c"] {
            assert_eq!(Namespace::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_illegal_name_says_which_character_and_where() {
        refused(ServiceName::parse("gree ter"), "' ' at position 4");
        refused(ServiceName::parse("greeter.9"), "'9' at position 8");
        refused(ServiceName::parse(".greeter"), "'.' at position 0");
        refused(ServiceName::parse("a..b"), "'.' at position 2");
        refused(ServiceName::parse("greeter."), "separator at position 7");
        refused(ServiceName::parse("grüß"), "'ü' at position 2");
        refused(ServiceName::parse("a\nb"), "'\\n' at position 1");
        refused(NodeId::parse("a/b"), "'/' at position 1");
        refused(Topic::parse("orders.*"), "'*' at position 7");
        refused(Namespace::parse("prod/../other"), "only dots");
        refused(Namespace::parse("/prod"), "'/' at position 0");
        refused(Version::parse("1 beta"), "' ' at position 1");
    }

    #[test]
    fn an_empty_or_overlong_name_is_refused() {
        refused(ServiceName::parse(""), "empty");
        refused(
            ServiceName::parse(&"a".repeat(256)),
            "256 bytes long, the limit is 255",
        );
        refused(Topic::parse(&"a".repeat(250)), "limit is 249");
        assert!(Topic::parse(&"a".repeat(249)).is_ok());
    }

    #[test]
    fn a_filter_matches_level_by_level() {
        let matches = |filter: &str, topic: &str| {
            TopicFilter::parse(filter)
                .unwrap()
                .matches(&Topic::parse(topic).unwrap())
        };

        assert!(matches("a.b", "a.b"));
        assert!(matches("a.*", "a.b"));
        assert!(matches("*", "a"));
        assert!(matches(">", "a.b.c"));
        assert!(matches("a.>", "a.b.c"));
        assert!(!matches("a.>", "a"));
        assert!(!matches("a.*", "a.b.c"));
        assert!(!matches("a.*", "a"));
        assert!(!matches("a.b", "a.bb"));
        assert!(!matches("a.b.c", "a.b"));
    }

    #[test]
    fn a_misplaced_wildcard_is_refused() {
        refused(TopicFilter::parse("a.>.b"), "'>' at position 2");
        refused(TopicFilter::parse("a.b*"), "'*' at position 3");
        refused(TopicFilter::parse("a.**"), "'*' at position 2");
    }

    #[test]
    fn an_illegal_name_does_not_deserialize() {
        let good: ServiceName = serde::Deserialize::deserialize(text("greeter")).unwrap();
        let bad: Result<ServiceName, _> = serde::Deserialize::deserialize(text("gree ter"));

        assert_eq!(good.as_str(), "greeter");
        assert!(bad.is_err());
    }

    fn text(text: &str) -> serde::de::value::StrDeserializer<'_, serde::de::value::Error> {
        serde::de::IntoDeserializer::into_deserializer(text)
    }
}
