//! Text to [`BackendUrl`]. Messages name parts and single characters, never a stretch of text that may be a password.

use std::net::Ipv6Addr;

use super::{ALLOW_PASSWORD, BackendUrl, Host, MAX_LEN};
use crate::secret::Secret;
use crate::value::FromValue;
use crate::{Error, Result};

fn refuse(message: impl Into<String>) -> Error {
    Error::invalid_argument(message)
}

pub(super) fn parse(text: &str) -> Result<BackendUrl> {
    if text.len() > MAX_LEN {
        return Err(refuse(format!(
            "url is {} bytes long, the limit is {MAX_LEN}",
            text.len()
        )));
    }
    if let Some((position, found)) = text
        .char_indices()
        .find(|(_, c)| !c.is_ascii_graphic() || *c == '#')
    {
        return Err(refuse(format!(
            "url has {found:?} at position {position}; percent-encode it"
        )));
    }
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        refuse("url has no `://`; expected scheme://host:port/namespace?key=value")
    })?;
    let (scheme, tls, unix) = parse_scheme(scheme)?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, parse_query(query)?),
        None => (rest, Vec::new()),
    };
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    // A raw `@` behind the authority is most likely the end of a password with a raw `/` in it.
    if path.contains('@') {
        return Err(refuse(
            "path of the url has a raw '@'; write %40, and %2F for a '/' in a password",
        ));
    }
    let (user, password, hosts) = parse_authority(authority)?;
    let url = BackendUrl {
        scheme,
        tls,
        unix,
        user,
        password,
        hosts,
        path: parse_path(path, unix)?,
        query,
    };
    if unix && (path.is_empty() || url.user.is_some() || !url.hosts.is_empty()) {
        return Err(refuse(
            "a `+unix` url names a socket and no host: scheme+unix:///absolute/path",
        ));
    }
    allow_password(url)
}

fn parse_scheme(text: &str) -> Result<(String, bool, bool)> {
    let lower = text.to_ascii_lowercase();
    let mut parts = lower.split('+');
    let scheme = parts.next().unwrap_or_default();
    let legal =
        |(index, c): (usize, char)| c.is_ascii_lowercase() || (index > 0 && c.is_ascii_digit());
    if scheme.is_empty() || !scheme.char_indices().all(legal) {
        return Err(refuse(
            "scheme of the url is not a letter followed by letters and digits",
        ));
    }
    let (mut tls, mut unix) = (false, false);
    for modifier in parts {
        let seen = match modifier {
            "tls" => std::mem::replace(&mut tls, true) || unix,
            "unix" => std::mem::replace(&mut unix, true),
            _ => true,
        };
        if seen {
            return Err(refuse(format!(
                "scheme `{scheme}` has a modifier that is unknown, repeated or out of order; expected {scheme}[+tls][+unix]"
            )));
        }
    }
    Ok((scheme.to_owned(), tls, unix))
}

fn parse_authority(text: &str) -> Result<(Option<String>, Option<Secret>, Vec<Host>)> {
    // The last `@`, so that one inside a password does not push half of it into the host.
    let (user_info, hosts) = match text.rsplit_once('@') {
        Some((user_info, hosts)) => (Some(user_info), hosts),
        None => (None, text),
    };
    let hosts = match hosts {
        "" => Vec::new(),
        hosts => hosts.split(',').map(host).collect::<Result<_>>()?,
    };
    let Some(user_info) = user_info else {
        return Ok((None, None, hosts));
    };
    if user_info.contains(['@', ',']) {
        return Err(refuse(
            "user part of the url has a raw '@' or ','; write %40 or %2C",
        ));
    }
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user_info, None),
    };
    if user.is_empty() || hosts.is_empty() {
        return Err(refuse(
            "url has an '@' without a user in front or a host behind it",
        ));
    }
    let password = password.map(|text| decode(text, "password")).transpose()?;
    Ok((
        Some(decode(user, "user")?),
        password.map(Secret::new),
        hosts,
    ))
}

pub(super) fn host(text: &str) -> Result<Host> {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest
                .split_once(']')
                .ok_or_else(|| refuse("host starts with '[' and has no ']'"))?;
            if address.parse::<Ipv6Addr>().is_err() {
                return Err(refuse("host in brackets is not an IPv6 address"));
            }
            let port = match rest.strip_prefix(':') {
                None if !rest.is_empty() => {
                    return Err(refuse("only ':' and a port may follow ']' in a host"));
                }
                port => port,
            };
            (address, port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        },
    };
    if name.is_empty() {
        return Err(refuse(
            "a host is empty; to listen on every address write 0.0.0.0 or [::]",
        ));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.starts_with('[')
        && let Some((position, found)) = name.char_indices().find(|(_, c)| !legal(*c))
    {
        return Err(refuse(format!(
            "host has {found:?} at position {position}; expected letters, digits, '.', '-' or '_'"
        )));
    }
    let port = match port {
        None => None,
        // `parse` alone would take `+80`.
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Some(
            port.parse()
                .map_err(|_| refuse("port is not a number from 0 to 65535"))?,
        ),
        Some(_) => {
            return Err(refuse(
                "port is not a number from 0 to 65535; an IPv6 address is written in brackets",
            ));
        }
    };
    Ok(Host {
        name: name.to_owned(),
        port,
    })
}

fn parse_path(text: &str, unix: bool) -> Result<String> {
    let path = decode(text, "path")?;
    Ok(if unix {
        path
    } else {
        path.strip_prefix('/').map(str::to_owned).unwrap_or(path)
    })
}

fn parse_query(text: &str) -> Result<Vec<(String, Option<Secret>)>> {
    let mut query: Vec<(String, Option<Secret>)> = Vec::new();
    for pair in text.split('&') {
        let (key, value) = match pair.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (pair, None),
        };
        let legal =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        if key.is_empty() {
            return Err(refuse("query of the url has an empty key"));
        }
        if let Some((position, found)) = key.char_indices().find(|(_, c)| !legal(*c)) {
            return Err(refuse(format!(
                "a key of the url has {found:?} at position {position}; expected lower-case letters, digits, '_', '-' or '.'"
            )));
        }
        if query.iter().any(|(known, _)| known == key) {
            return Err(refuse(format!("key `{key}` stands twice in the url")));
        }
        let value = value
            .map(|text| decode(text, &format!("value of `{key}`")))
            .transpose()?;
        query.push((key.to_owned(), value.map(Secret::new)));
    }
    Ok(query)
}

fn decode(text: &str, part: &str) -> Result<String> {
    let bad = || {
        refuse(format!(
            "{part} in the url is not percent-encoded UTF-8 without control characters"
        ))
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2).ok_or_else(bad)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(bad);
        bytes.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
        rest = tail;
    }
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    if text.contains(char::is_control) {
        Err(bad())
    } else {
        Ok(text)
    }
}

/// Takes [`ALLOW_PASSWORD`] out of the query, and insists on it when the URL holds a secret.
fn allow_password(mut url: BackendUrl) -> Result<BackendUrl> {
    let allowed = match url.query.iter().position(|(key, _)| key == ALLOW_PASSWORD) {
        None => false,
        Some(index) => match url.query.remove(index).1 {
            None => true,
            Some(value) => bool::from_value(value.expose())?,
        },
    };
    match (url.has_secret(), allowed) {
        (true, false) => Err(refuse(format!(
            "url has a password in it, where logs and process lists show it; use a file or the config, or add {ALLOW_PASSWORD}=true"
        ))),
        (false, true) => Err(refuse(format!(
            "url has {ALLOW_PASSWORD}=true and no password"
        ))),
        _ => Ok(url),
    }
}
