//! [`Node`]: one running instance of a service, as registries store and answer it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::{NodeId, ServiceName, Version};
use crate::url::BackendUrl;
use crate::{Error, Result};

/// One running instance of a service.
///
/// A missing field deserializes to its default and an unknown one is skipped, so that records of other versions are read.
///
/// # Examples
///
/// ```
/// use gufo_core::{Endpoint, Node, NodeId, ServiceName};
///
/// let mut node = Node::new(ServiceName::parse("greeter.Greeter")?, NodeId::parse("greeter-1")?)
///     .with_endpoint(Endpoint::parse("grpc://127.0.0.1:50051")?);
/// node.zone = Some("eu-1a".into());
///
/// assert_eq!(node.endpoint("grpc").unwrap().to_string(), "grpc://127.0.0.1:50051");
/// # Ok::<(), gufo_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// The service it is an instance of.
    pub service: ServiceName,
    /// Unique among the nodes of the service, and kept over restarts where that makes sense.
    pub id: NodeId,
    /// Tells one start of the node from the next; empty when nobody set it. See [`random::id`](crate::random::id).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boot: String,
    /// The version of the service it runs; `0.0.0` by default.
    #[serde(default)]
    pub version: Version,
    /// Where it can be called, one per transport. A caller takes the one whose transport it prefers; of several of one
    /// transport the first.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// Where endpoints lead to this node that do not do so from everywhere, such as the path of a socket: callers in
    /// another [`place`](crate::Transport::place) leave such an endpoint alone. One that is not named here is for all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<Endpoint, String>,
    /// The region it runs in, such as `eu-west`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The zone within the region, such as `eu-west-1a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The groups it belongs to, such as `canary`; callers may ask for one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Who may call it; internal by default.
    #[serde(default)]
    pub visibility: Visibility,
    /// Its share of the calls relative to the other nodes: 100 by default, 0 for none.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Whether it can take calls; healthy by default.
    #[serde(default)]
    pub health: Health,
    /// A hash over the descriptors of its methods: nodes that differ here speak different APIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptor: Option<String>,
    /// Whatever else callers should know; structured values as JSON text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

fn default_weight() -> u32 {
    100
}

impl Node {
    /// A node with every other field at its default.
    #[must_use]
    pub fn new(service: ServiceName, id: NodeId) -> Self {
        Self {
            service,
            id,
            boot: String::new(),
            version: Version::default(),
            endpoints: Vec::new(),
            places: BTreeMap::new(),
            region: None,
            zone: None,
            groups: BTreeSet::new(),
            visibility: Visibility::default(),
            weight: default_weight(),
            health: Health::default(),
            descriptor: None,
            metadata: BTreeMap::new(),
        }
    }

    /// Adds an endpoint behind those it has.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Sets one metadata entry.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// The first endpoint with this scheme, its modifiers aside: `grpc` finds `grpc+tls://` too.
    #[must_use]
    pub fn endpoint(&self, scheme: &str) -> Option<&Endpoint> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.scheme() == scheme)
    }

    /// The bytes of all metadata keys and values, which registries limit.
    #[must_use]
    pub fn metadata_len(&self) -> usize {
        self.metadata
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum()
    }
}

/// Who may call a [`Node`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Visibility {
    /// Gateways may offer it to the outside.
    External,
    /// Other services only. A value this version does not know reads as this one.
    #[default]
    #[serde(other)]
    Internal,
}

/// Whether a [`Node`] can take calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Health {
    /// It takes calls.
    #[default]
    Healthy,
    /// It takes calls, others should be preferred.
    Degraded,
    /// It takes no calls. A value this version does not know reads as this one.
    #[serde(other)]
    Unhealthy,
}

/// One address of a [`Node`]: a URL with a scheme and hosts or a path, and without a user.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint(Arc<str>);

impl Endpoint {
    /// Checks `text` and keeps it unchanged: `grpc://[::1]:50051`, `unix:///run/greeter.sock`, `memory://greeter`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when it is no URL, has neither host nor path, or has a user or secret, which a registry would
    /// show to everybody.
    pub fn parse(text: &str) -> Result<Self> {
        let url = BackendUrl::parse(text)?;
        if url.has_credentials() {
            return Err(Error::invalid_argument(
                "an endpoint must not contain a user or a secret: registries publish it",
            ));
        }
        if url.hosts().is_empty() && url.path().is_empty() {
            return Err(Error::invalid_argument(format!(
                "endpoint {url} has neither host nor path"
            )));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme without its modifiers: `grpc` of `grpc+tls://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        let end = self.0.find(['+', ':']).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// The parsed URL.
    ///
    /// # Panics
    ///
    /// Never: the text was parsed when the endpoint was made.
    #[must_use]
    pub fn url(&self) -> BackendUrl {
        BackendUrl::parse(&self.0).expect("invariant: parse() above accepted this text")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({:?})", &*self.0)
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn node() -> Node {
        Node::new(
            ServiceName::parse("greeter").unwrap(),
            NodeId::parse("n1").unwrap(),
        )
    }

    #[test]
    fn an_endpoint_is_a_url_with_an_address_and_without_secrets() {
        for text in [
            "grpc://[::]:10004",
            "grpc+tls://127.0.0.1:9999",
            "grpc+unix:///run/x.sock",
            "unix:///run/x.sock",
            "memory://greeter",
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "127.0.0.1:9999",
            "grpc://",
            "grpc://ann@host:1",
            "grpc://h?token=hoot&allow_inline_password=true",
        ] {
            assert_eq!(
                Endpoint::parse(text).unwrap_err().code(),
                Code::InvalidArgument,
                "{text}"
            );
        }
    }

    #[test]
    fn an_endpoint_is_found_by_its_scheme() {
        let node = node()
            .with_endpoint(Endpoint::parse("grpc+tls://a:1").unwrap())
            .with_endpoint(Endpoint::parse("memory://b").unwrap());

        assert_eq!(node.endpoint("memory").unwrap().as_str(), "memory://b");
        assert!(node.endpoint("grpc").unwrap().url().is_tls());
        assert_eq!(node.endpoint("tcp"), None);
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_node_comes_back_from_json_and_a_sparse_one_gets_defaults() {
        let mut full = node()
            .with_endpoint(Endpoint::parse("grpc://a:1").unwrap())
            .with_metadata("k", "wert ü");
        full.places
            .insert(Endpoint::parse("grpc://a:1").unwrap(), "attic".into());
        full.boot = "b1".into();
        full.groups.insert("canary".into());
        full.health = Health::Degraded;

        let again: Node = serde_json::from_str(&serde_json::to_string(&full).unwrap()).unwrap();
        let sparse: Node = serde_json::from_str(
            r#"{"service":"greeter","id":"n1","health":"on_fire","visibility":"x","new":1}"#,
        )
        .unwrap();

        assert_eq!(again, full);
        assert_eq!(sparse.weight, 100);
        assert_eq!(
            (sparse.health, sparse.visibility),
            (Health::Unhealthy, Visibility::Internal)
        );
    }
}
