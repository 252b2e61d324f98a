//! [`BackendUrl`]: how everything in gufo is addressed and configured.

mod parse;
mod reader;

use std::fmt;
use std::str::FromStr;

pub use reader::UrlReader;

use crate::name::Namespace;
use crate::secret::Secret;
use crate::{Error, Result};

/// The longest URL that is parsed, in bytes.
pub(crate) const MAX_LEN: usize = 4096;

/// The key that permits a password inside the URL.
const ALLOW_PASSWORD: &str = "allow_inline_password";

/// Keys whose value is a secret.
const SECRET_KEYS: [&str; 4] = ["password", "passwd", "secret", "token"];

/// How everything in gufo is addressed and configured: a URL, parsed.
///
/// ```text
/// scheme[+tls][+unix]://[user[:password]@][host[:port]{,host[:port]}][/path][?key[=value]{&key[=value]}]
/// ```
///
/// * `scheme`: a lower-case letter, then lower-case letters and digits; upper case is lowered.
/// * `host`: letters, digits, `.`, `-`, `_`, or an IPv6 address in brackets; `port` is 0 to 65535.
/// * `path`: a [`Namespace`], or with `+unix` the absolute path of a socket (and then there is no host).
/// * `key`: lower-case letters, digits, `_`, `-`, `.`; each at most once. A key alone is a flag.
/// * User, password, path and values are percent-decoded; `+` is a plus sign. Anything but printable ASCII is encoded.
/// * A password (also as the value of `password`, `passwd`, `secret` or `token`) needs `allow_inline_password=true`
///   beside it, since URLs end up in process lists and logs; a `password_file` or a config value is better.
/// * At most 4096 bytes.
///
/// Parsing checks the grammar; the backend then takes what it understands through a [`UrlReader`], which refuses the rest.
///
/// `Debug` and `Display` print `***` in place of secrets. Without one, `Display` prints a URL that parses to the same parts.
///
/// # Examples
///
/// ```
/// use gufo_core::BackendUrl;
///
/// let url = BackendUrl::parse("etcd+tls://a.example:2379,b.example:2379/prod?ttl=10s")?;
/// assert_eq!(url.scheme(), "etcd");
/// assert!(url.is_tls());
/// assert_eq!(url.hosts()[1].to_string(), "b.example:2379");
/// assert_eq!(url.path(), "prod");
/// # Ok::<(), gufo_core::Error>(())
/// ```
#[derive(Clone)]
pub struct BackendUrl {
    scheme: String,
    tls: bool,
    unix: bool,
    user: Option<String>,
    password: Option<Secret>,
    hosts: Vec<Host>,
    path: String,
    /// Decoded, in the order of the text; `None` for a key alone.
    query: Vec<(String, Option<Secret>)>,
}

impl BackendUrl {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming the part that is wrong; the text of a secret is never in the message.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text)
    }

    /// Starts taking parts out, so that what nobody took can be refused.
    pub fn reader(&self) -> UrlReader<'_> {
        UrlReader::new(self)
    }

    /// The scheme without its modifiers, in lower case: `grpc` of `grpc+tls://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme carries `+tls`.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether the scheme carries `+unix`: then [`path`](Self::path) is a socket and there are no hosts.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        self.unix
    }

    /// The hosts in the order of the text, possibly none.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// This URL once per host; the URL itself when it has none.
    pub fn per_host(&self) -> impl Iterator<Item = Self> {
        let alone = self.hosts.is_empty().then(|| self.clone());
        let each = self.hosts.iter().map(|host| Self {
            hosts: vec![host.clone()],
            ..self.clone()
        });
        alone.into_iter().chain(each)
    }

    /// The path, decoded and without its first slash; with `+unix` the absolute path of the socket. Empty when absent.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as a namespace; `None` when there is no path.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the path is not a legal namespace.
    pub fn namespace(&self) -> Result<Option<Namespace>> {
        if self.path.is_empty() {
            return Ok(None);
        }
        Namespace::parse(&self.path).map(Some)
    }

    /// The user, decoded.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password in front of the hosts, decoded.
    #[must_use]
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// Whether it names a user or holds a secret, anywhere.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.user.is_some() || self.has_secret()
    }

    fn has_secret(&self) -> bool {
        let is_secret = |(key, value): &(String, Option<Secret>)| {
            SECRET_KEYS.contains(&key.as_str()) && value.is_some()
        };
        self.password.is_some() || self.query.iter().any(is_secret)
    }
}

impl FromStr for BackendUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        f.write_str(if self.tls { "+tls" } else { "" })?;
        f.write_str(if self.unix { "+unix" } else { "" })?;
        f.write_str("://")?;
        if let Some(user) = &self.user {
            encode(f, user, "")?;
            f.write_str(if self.password.is_some() {
                ":***@"
            } else {
                "@"
            })?;
        }
        for (index, host) in self.hosts.iter().enumerate() {
            write!(f, "{}{host}", if index == 0 { "" } else { "," })?;
        }
        if !self.path.is_empty() {
            f.write_str(if self.unix { "" } else { "/" })?;
            encode(f, &self.path, "/:")?;
        }
        for (index, (key, value)) in self.query.iter().enumerate() {
            write!(f, "{}{key}", if index == 0 { '?' } else { '&' })?;
            match value {
                None => {}
                Some(_) if SECRET_KEYS.contains(&key.as_str()) => f.write_str("=***")?,
                Some(value) => {
                    f.write_str("=")?;
                    encode(f, value.expose(), "/:,@*>+=")?;
                }
            }
        }
        Ok(())
    }
}

/// Writes `text` percent-encoded but for unreserved characters and `also`.
fn encode(f: &mut fmt::Formatter<'_>, text: &str, also: &str) -> fmt::Result {
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') || also.contains(c) {
            write!(f, "{c}")?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackendUrl({self})")
    }
}

/// One host of a [`BackendUrl`], with its port when the text has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

impl Host {
    /// Parses `host`, `host:port`, `[v6]` or `[v6]:port`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        parse::host(text)
    }

    /// The host name or address; an IPv6 address without its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// `host:port` as resolvers take it, with `default` for an absent port.
    #[must_use]
    pub fn with_port(&self, default: u16) -> String {
        let port = self.port.or(Some(default));
        Self {
            name: self.name.clone(),
            port,
        }
        .to_string()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]", self.name)?;
        } else {
            f.write_str(&self.name)?;
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
