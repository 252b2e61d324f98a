//! [`UrlReader`]: every part of a URL is taken or refused.

use super::{BackendUrl, Host};
use crate::name::Namespace;
use crate::secret::Secret;
use crate::value::{FromValue, nearest};
use crate::{Error, Result};

/// Takes the parts of a [`BackendUrl`] that a backend understands; [`finish`](Self::finish) refuses what is left.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use gufo_core::BackendUrl;
///
/// let url = BackendUrl::parse("etcd://127.0.0.1:2379/prod?tttl=10s")?;
/// let mut reader = url.reader();
/// let hosts = reader.take_hosts();
/// let namespace = reader.take_namespace()?;
/// let ttl: Option<Duration> = reader.take("ttl")?;
/// let error = reader.finish().unwrap_err();
///
/// assert_eq!((hosts.len(), namespace.unwrap().as_str(), ttl), (1, "prod", None));
/// assert!(error.message().contains("key `tttl`; did you mean `ttl`?"));
/// # Ok::<(), gufo_core::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "call finish(), or unknown parts pass unnoticed"]
pub struct UrlReader<'a> {
    url: &'a BackendUrl,
    tls: bool,
    unix: bool,
    user: bool,
    password: bool,
    hosts: bool,
    path: bool,
    /// The keys asked for, whether or not the URL has them.
    known: Vec<&'static str>,
}

impl<'a> UrlReader<'a> {
    pub(super) fn new(url: &'a BackendUrl) -> Self {
        Self {
            tls: url.tls,
            unix: url.unix,
            user: url.user.is_some(),
            password: url.password.is_some(),
            hosts: !url.hosts.is_empty(),
            path: !url.path.is_empty(),
            known: Vec::new(),
            url,
        }
    }

    /// Takes `+tls`: whether the scheme carries it.
    pub fn take_tls(&mut self) -> bool {
        self.tls = false;
        self.url.tls
    }

    /// Takes `+unix` together with the path of the socket.
    pub fn take_socket(&mut self) -> Option<&'a str> {
        if !self.url.unix {
            return None;
        }
        (self.unix, self.path) = (false, false);
        Some(&self.url.path)
    }

    /// Takes the user.
    pub fn take_user(&mut self) -> Option<&'a str> {
        self.user = false;
        self.url.user.as_deref()
    }

    /// Takes the password in front of the hosts.
    pub fn take_password(&mut self) -> Option<Secret> {
        self.password = false;
        self.url.password.clone()
    }

    /// Takes all hosts, possibly none.
    pub fn take_hosts(&mut self) -> &'a [Host] {
        self.hosts = false;
        &self.url.hosts
    }

    /// Takes the host of a URL that may have one.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when there are several.
    pub fn take_host(&mut self) -> Result<Option<&'a Host>> {
        match self.take_hosts() {
            [] => Ok(None),
            [host] => Ok(Some(host)),
            hosts => Err(Error::invalid_argument(format!(
                "`{}` urls take one host, found {}",
                self.url.scheme,
                hosts.len()
            ))),
        }
    }

    /// Takes the path as text, decoded and without its first slash.
    pub fn take_path(&mut self) -> Option<&'a str> {
        if self.url.unix || self.url.path.is_empty() {
            return None;
        }
        self.path = false;
        Some(&self.url.path)
    }

    /// Takes the path as a namespace.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the path is not a legal namespace.
    pub fn take_namespace(&mut self) -> Result<Option<Namespace>> {
        self.take_path().map(Namespace::parse).transpose()
    }

    /// Takes the value of `key`; `None` when the URL does not have it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming the key, when the value is missing or not a `T`.
    pub fn take<T: FromValue>(&mut self, key: &'static str) -> Result<Option<T>> {
        match self.value(key) {
            None => Ok(None),
            Some(None) => Err(Error::invalid_argument(format!(
                "key `{key}` has no value; expected {key}=..."
            ))),
            Some(Some(value)) => {
                let wrong = |error: Error| {
                    Error::new(error.code(), format!("key `{key}`: {}", error.message()))
                };
                T::from_value(value.expose()).map(Some).map_err(wrong)
            }
        }
    }

    /// Takes the switch `key`: on for `key` and `key=true`, off for `key=false`; `None` when the URL does not have it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, naming the key, for any other value.
    pub fn take_flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        match self.value(key) {
            Some(None) => Ok(Some(true)),
            _ => self.take(key),
        }
    }

    /// Notes that `key` is known and looks it up: the outer `None` is "absent", the inner "key alone".
    fn value(&mut self, key: &'static str) -> Option<Option<&'a Secret>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.url
            .query
            .iter()
            .find(|(found, _)| found == key)
            .map(|(_, value)| value.as_ref())
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when a part or key was not taken; it names that part, for a key also the nearest known one and
    /// all known ones.
    pub fn finish(self) -> Result<()> {
        let scheme = &self.url.scheme;
        let left = [
            (self.tls, "`+tls`"),
            (self.unix, "`+unix`"),
            (self.user, "a user"),
            (self.password, "a password"),
            (self.hosts, "a host"),
            (self.path, "a path"),
        ];
        if let Some((_, part)) = left.into_iter().find(|(is_left, _)| *is_left) {
            return Err(Error::invalid_argument(format!(
                "`{scheme}` urls do not take {part}"
            )));
        }
        let unknown = self
            .url
            .query
            .iter()
            .find(|(key, _)| !self.known.contains(&key.as_str()));
        let Some((key, _)) = unknown else {
            return Ok(());
        };
        let hint = match nearest(key, self.known.iter().copied()) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        let known = match self.known.as_slice() {
            [] => "it takes no keys".to_owned(),
            known => format!("known keys: {}", known.join(", ")),
        };
        Err(Error::invalid_argument(format!(
            "`{scheme}` urls do not take the key `{key}`{hint} ({known})"
        )))
    }
}
