//! Words and contracts of gufo: what a call is, and the traits everything else implements.
//!
//! No sockets, no files, no environment, no client of anybody's server. Start reading at
//! [`Handler`], the one shape of a call; then [`Context`], which accompanies it, and
//! [`Transport`], which carries it. [`Registry`] and [`Broker`] are the contracts of discovery and
//! messaging.
//!
//! # Features
//! - `json` (default), `msgpack`, `protobuf`: the formats of messages.
//! - `conformance`: the suite every codec has to pass, and what all suites share.

mod answer;
mod boxed;
pub mod broker;
mod call;
mod caller;
mod cancel;
mod code;
pub mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod context;
mod deadline;
pub mod describe;
mod details;
mod error;
#[cfg(feature = "protobuf")]
pub mod generated;
pub mod handler;
mod interceptor;
mod messages;
mod metadata;
mod method;
mod name;
mod node;
mod payload;
mod peer;
pub mod random;
pub mod registry;
mod scheme;
mod secret;
mod service;
mod status;
mod streaming;
mod task;
mod trace;
mod transport;
mod url;
pub mod value;
mod watchdog;

pub use answer::Answer;
pub use async_trait::async_trait;
pub use boxed::{BoxError, BoxFuture};
pub use bytes::{Bytes, BytesMut};

pub use broker::Broker;
pub use call::{Call, Many, One, Unary};
pub use caller::{Caller, Defaults, TypedClient};
pub use cancel::Cancel;
pub use code::Code;
pub use codec::{Codec, Format, Formats, Wire};
pub use context::{Context, NESTED_MARGIN, Values};
pub use deadline::Deadline;
pub use describe::Describe;
pub use error::{Error, Result, Retry};
pub use handler::{Handler, Response};
pub use interceptor::{Interceptor, Next, intercept};
pub use messages::{MessageStream, Messages, Replies, Written};
pub use metadata::{DEFAULT_METADATA_LIMIT, Key, Metadata};
pub use method::{Idempotency, Kind, Method, MethodRef, RestBinding, Streams};
pub use name::{Namespace, NodeId, ServiceName, Topic, TopicFilter, Version};
pub use node::{Endpoint, Health, Node, Visibility};
pub use payload::{Payload, Reply, Value};
pub use peer::Peer;
pub use registry::Registry;
pub use scheme::Schemes;
pub use secret::Secret;
pub use service::{Route, Service};
pub use status::{Detail, Status};
pub use streaming::{Sender, Streaming};
pub use task::Tasks;
pub use trace::Trace;
pub use transport::{
    Compression, ConnectOptions, Connection, ConnectionState, Dispatch, Incoming, Limits,
    ListenOptions, Listener, Sharing, Transport, Transports,
};
pub use url::{BackendUrl, Host, UrlReader};
pub use watchdog::Watchdog;
