//! Form: how the messages of a dynamic call cross the wire.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use gufo_core::{Bytes, Format, Status, Streaming};
use prost_reflect::{DynamicMessage, MessageDescriptor, prost::Message};

/// How the messages of a dynamic call cross the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Json,
    /// Transcoded.
    Protobuf,
}

impl Form {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Json => Self::Protobuf,
            Self::Protobuf => Self::Json,
        }
    }

    pub(super) const fn format(self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Protobuf => Format::Protobuf,
        }
    }
}

/// Messages of one type between JSON text and the wire.
#[derive(Clone, Debug)]
pub(super) struct Transcoder(pub(super) MessageDescriptor);

impl Transcoder {
    /// JSON text as it goes on the wire.
    pub(super) fn encode(&self, form: Form, json: &str) -> Result<Bytes, Status> {
        match form {
            Form::Json => Ok(Bytes::copy_from_slice(json.as_bytes())),
            Form::Protobuf => Ok(self.parse(json)?.encode_to_vec().into()),
        }
    }

    fn parse(&self, json: &str) -> Result<DynamicMessage, Status> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let message = DynamicMessage::deserialize(self.0.clone(), &mut deserializer);
        message
            .and_then(|message| deserializer.end().map(|()| message))
            .map_err(|error| {
                let name = self.0.full_name();
                Status::invalid_argument(format!("the json is not a {name}: {error}"))
            })
    }

    /// What came over the wire as JSON text.
    pub(super) fn decode(&self, form: Form, bytes: Bytes) -> Result<String, Status> {
        let refused = |error: &dyn std::fmt::Display| {
            let name = self.0.full_name();
            Status::internal(format!("the reply cannot be read as a {name}: {error}"))
        };
        match form {
            Form::Json => String::from_utf8(bytes.into()).map_err(|error| refused(&error)),
            Form::Protobuf => {
                let message = DynamicMessage::decode(self.0.clone(), bytes)
                    .map_err(|error| refused(&error))?;
                serde_json::to_string(&message).map_err(|error| refused(&error))
            }
        }
    }
}

/// A stream with each message changed; an error of the change is the stream's last item.
pub(super) fn mapped<A, B, E, F>(stream: Streaming<A, E>, change: F) -> Streaming<B, E>
where
    A: Send + 'static,
    B: Send + 'static,
    E: From<Status> + Send + 'static,
    F: FnMut(A) -> Result<B, E> + Send + Unpin + 'static,
{
    Streaming::new(Mapped {
        stream: Some(stream),
        change,
    })
}

struct Mapped<A, E, F> {
    /// `None` after the end.
    stream: Option<Streaming<A, E>>,
    change: F,
}

impl<A, B, E, F> Stream for Mapped<A, E, F>
where
    A: Send + 'static,
    E: From<Status> + Send + 'static,
    F: FnMut(A) -> Result<B, E> + Unpin,
{
    type Item = Result<B, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(stream) = &mut this.stream else {
            return Poll::Ready(None);
        };
        let item = ready!(Pin::new(stream).poll_next(cx));
        let item = item.map(|item| item.and_then(&mut this.change));
        if !matches!(item, Some(Ok(_))) {
            this.stream = None;
        }
        Poll::Ready(item)
    }
}
