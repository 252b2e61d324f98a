//! Metadata: what travels beside a message.

use std::{borrow::Borrow, fmt, sync::Arc};

use bytes::Bytes;

use crate::{Error, Result};

/// Default upper limit for the [`size`](Metadata::size) of the metadata of one call, in bytes.
pub const DEFAULT_METADATA_LIMIT: usize = 16 * 1024;

/// Names only gufo and the protocols below it may set.
const RESERVED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "accept-encoding",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A multimap of names to text or binary values, in the order of insertion.
///
/// Names are ASCII, looked up without regard to case and kept in lower case. A name that ends in
/// `-bin` holds binary values; every other holds printable ASCII text. Names that start with
/// `grpc-` or `gufo-`, and those of HTTP framing, are reserved for the protocol.
///
/// ```
/// use gufo_core::Metadata;
///
/// let mut metadata = Metadata::new();
/// metadata.insert("x-user", "owl")?;
/// metadata.append_bin("x-key-bin", vec![0, 255])?;
/// assert_eq!(metadata.get("X-User"), Some("owl"));
/// # Ok::<(), gufo_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(Key, Bytes)>);

/// The validated, lower-case name of a metadata entry.
#[derive(Clone, Eq)]
pub struct Key(Repr);

#[derive(Clone, Eq, PartialEq)]
enum Repr {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Metadata {
    /// Empty metadata; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets a text value, replacing all values of the name.
    ///
    /// # Errors
    /// `InvalidArgument` for an illegal or reserved name, or a value that is not printable ASCII.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<()> {
        let key = Key::for_user(name, Kind::Text)?;
        check_text(&key, value)?;
        self.remove(key.as_str());
        self.0.push((key, Bytes::copy_from_slice(value.as_bytes())));
        Ok(())
    }

    /// Adds a text value.
    ///
    /// # Errors
    /// As [`Metadata::insert`].
    pub fn append(&mut self, name: &str, value: &str) -> Result<()> {
        let key = Key::for_user(name, Kind::Text)?;
        check_text(&key, value)?;
        self.0.push((key, Bytes::copy_from_slice(value.as_bytes())));
        Ok(())
    }

    /// Sets a binary value, replacing all values of the name, which must end in `-bin`.
    ///
    /// # Errors
    /// `InvalidArgument` for an illegal or reserved name.
    pub fn insert_bin(&mut self, name: &str, value: impl Into<Bytes>) -> Result<()> {
        let key = Key::for_user(name, Kind::Binary)?;
        self.remove(key.as_str());
        self.0.push((key, value.into()));
        Ok(())
    }

    /// Adds a binary value under a name that ends in `-bin`.
    ///
    /// # Errors
    /// As [`Metadata::insert_bin`].
    pub fn append_bin(&mut self, name: &str, value: impl Into<Bytes>) -> Result<()> {
        let key = Key::for_user(name, Kind::Binary)?;
        self.0.push((key, value.into()));
        Ok(())
    }

    /// Adds an entry as a transport received it: reserved names are let through, text must be
    /// printable ASCII.
    ///
    /// # Errors
    /// `InvalidArgument` when the value does not fit the name.
    pub fn push(&mut self, key: Key, value: Bytes) -> Result<()> {
        if !key.is_binary() {
            let text = std::str::from_utf8(&value).unwrap_or("\u{fffd}");
            check_text(&key, text)?;
        }
        self.0.push((key, value));
        Ok(())
    }

    /// The first text value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All text values of a name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name)
            .filter(|(key, _)| !key.is_binary())
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The first binary value of a name that ends in `-bin`.
    #[must_use]
    pub fn get_bin(&self, name: &str) -> Option<&Bytes> {
        self.get_all_bin(name).next()
    }

    /// All binary values of a name that ends in `-bin`, in order.
    pub fn get_all_bin(&self, name: &str) -> impl Iterator<Item = &Bytes> {
        self.values(name)
            .filter(|(key, _)| key.is_binary())
            .map(|(_, value)| value)
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &(Key, Bytes)> {
        self.0
            .iter()
            .filter(move |(key, _)| key.as_str().eq_ignore_ascii_case(name))
    }

    /// Removes all values of a name and tells whether there were any.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0
            .retain(|(key, _)| !key.as_str().eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// Adds all entries of another metadata, keeping what is here.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All entries in order; binary values are those whose key [is binary](Key::is_binary).
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Bytes)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The size in bytes as HTTP/2 counts it: name + value + 32 per entry (RFC 9113, 6.5.2).
    #[must_use]
    pub fn size(&self) -> usize {
        self.0
            .iter()
            .map(|(key, value)| key.as_str().len() + value.len() + 32)
            .sum()
    }

    /// Refuses metadata whose size is over the limit.
    ///
    /// # Errors
    /// `ResourceExhausted` that names both sizes.
    pub fn check_size(&self, limit: usize) -> Result<()> {
        let size = self.size();
        if size <= limit {
            return Ok(());
        }
        Err(Error::resource_exhausted(format!(
            "metadata of {size} bytes is over the limit of {limit}"
        )))
    }
}

/// Shows names, and values of names that do not sound like secrets.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter() {
            if key.is_secret() {
                map.entry(key, &"[redacted]");
            } else {
                map.entry(key, value);
            }
        }
        map.finish()
    }
}

#[derive(PartialEq)]
enum Kind {
    Text,
    Binary,
}

impl Key {
    /// A name known at compile time.
    ///
    /// # Panics
    /// When the name is empty or holds anything but `a-z 0-9 - _ .`; in a `const` this is a
    /// compile error.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty(), "a metadata name is not empty");
        let mut index = 0;
        while index < bytes.len() {
            assert!(
                is_legal(bytes[index]),
                "a metadata name holds only a-z 0-9 - _ ."
            );
            index += 1;
        }
        Self(Repr::Static(name))
    }

    /// Parses a name; upper case is folded to lower case, reserved names are accepted.
    ///
    /// # Errors
    /// `InvalidArgument` that names the offending character.
    pub fn parse(name: &str) -> Result<Self> {
        if name.is_empty() {
            return Err(Error::invalid_argument("a metadata name is empty"));
        }
        let lower = name.to_ascii_lowercase();
        if let Some(position) = lower.bytes().position(|byte| !is_legal(byte)) {
            return Err(Error::invalid_argument(format!(
                "metadata name {name:?} has an illegal character at byte {position}; legal are a-z 0-9 - _ ."
            )));
        }
        Ok(Self(Repr::Shared(lower.into())))
    }

    fn for_user(name: &str, kind: Kind) -> Result<Self> {
        let key = Self::parse(name)?;
        if key.is_reserved() {
            return Err(Error::invalid_argument(format!(
                "metadata name {:?} is reserved",
                key.as_str()
            )));
        }
        match (key.is_binary(), kind) {
            (true, Kind::Text) => Err(Error::invalid_argument(format!(
                "metadata name {:?} ends in -bin and holds binary values",
                key.as_str()
            ))),
            (false, Kind::Binary) => Err(Error::invalid_argument(format!(
                "metadata name {:?} must end in -bin to hold binary values",
                key.as_str()
            ))),
            _ => Ok(key),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Static(name) => name,
            Repr::Shared(name) => name,
        }
    }

    /// True when values under this name are binary: it ends in `-bin`.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.as_str().ends_with("-bin")
    }

    /// True when only the protocol may set this name.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let name = self.as_str();
        name.starts_with("grpc-") || name.starts_with("gufo-") || RESERVED.contains(&name)
    }

    fn is_secret(&self) -> bool {
        let name = self.as_str();
        [
            "authorization",
            "cookie",
            "token",
            "secret",
            "password",
            "sign",
            "key",
        ]
        .iter()
        .any(|word| name.contains(word))
    }
}

const fn is_legal(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

fn check_text(key: &Key, value: &str) -> Result<()> {
    match value
        .bytes()
        .position(|byte| !(0x20..=0x7e).contains(&byte))
    {
        None => Ok(()),
        Some(position) => Err(Error::invalid_argument(format!(
            "metadata value of {:?} is not printable ASCII at byte {position}; use a name that ends in -bin",
            key.as_str()
        ))),
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn lookup_ignores_case_and_values_keep_their_order() {
        let mut metadata = Metadata::new();
        metadata.append("X-Owl", "one").expect("legal");
        metadata.append("x-owl", "two").expect("legal");

        assert_eq!(
            metadata.get_all("x-OWL").collect::<Vec<_>>(),
            ["one", "two"]
        );
    }

    #[test]
    fn insert_replaces_all_values() {
        let mut metadata = Metadata::new();
        metadata.append("a", "1").expect("legal");
        metadata.append("a", "2").expect("legal");
        metadata.insert("A", "3").expect("legal");

        assert_eq!(metadata.get_all("a").collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn binary_and_text_do_not_mix() {
        let mut metadata = Metadata::new();

        assert_eq!(
            metadata.insert("a-bin", "text").expect_err("binary").code(),
            Code::InvalidArgument
        );
        assert_eq!(
            metadata.insert_bin("a", vec![1]).expect_err("text").code(),
            Code::InvalidArgument
        );
        metadata.insert_bin("a-bin", vec![0, 255]).expect("legal");
        assert_eq!(metadata.get("a-bin"), None);
        assert_eq!(
            metadata.get_bin("A-BIN").map(|value| &value[..]),
            Some(&[0, 255][..])
        );
    }

    #[test]
    fn reserved_and_illegal_names_are_refused() {
        let mut metadata = Metadata::new();

        for name in [
            "",
            "a b",
            "ü",
            ":path",
            "grpc-timeout",
            "gufo-node",
            "Content-Type",
        ] {
            assert!(metadata.insert(name, "x").is_err(), "{name}");
        }
        for value in ["line\nbreak", "ü"] {
            assert!(metadata.insert("a", value).is_err(), "{value}");
        }
        assert!(metadata.is_empty());
    }

    #[test]
    fn debug_hides_what_sounds_secret() {
        let mut metadata = Metadata::new();
        metadata
            .insert("authorization", "Bearer abc")
            .expect("legal");

        assert!(!format!("{metadata:?}").contains("abc"));
    }

    #[test]
    fn size_over_the_limit_is_refused() {
        let mut metadata = Metadata::new();
        metadata.insert("a", "b").expect("legal");

        assert_eq!(metadata.size(), 34);
        assert!(metadata.check_size(34).is_ok());
        assert_eq!(
            metadata.check_size(33).expect_err("over").code(),
            Code::ResourceExhausted
        );
    }
}
