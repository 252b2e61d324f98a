//! Servers of different manners, as handlers: no transport stands between.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use futures_core::Stream;
use gufo_core::{
    Bytes, Context, Format, Handler, Messages, Payload, Replies, Reply, Status, Streaming,
    codec::Prost, handler,
};
use parking_lot::Mutex;
use prost::Message;
use prost_reflect::prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, MethodDescriptorProto,
    MethodOptions, ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
    method_options::IdempotencyLevel,
};

/// What a server understands besides protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// Nothing; its answer to JSON is that it cannot read it.
    Nowhere,
    Everywhere,
    ButForReflection,
    ButForServices,
}

/// A server with the service `greeter.Greeter` and, unless it is mute, reflection: v1alpha where it
/// knows no JSON, v1 elsewhere.
#[derive(Debug)]
pub(crate) struct Server {
    json: Json,
    mute: bool,
    calls: Mutex<Vec<(String, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(json: Json) -> Arc<Self> {
        Arc::new(Self {
            json,
            mute: false,
            calls: Mutex::default(),
            asked: Arc::default(),
        })
    }

    pub(crate) fn foreign() -> Arc<Self> {
        Self::new(Json::Nowhere)
    }

    pub(crate) fn mute() -> Arc<Self> {
        Arc::new(Self {
            json: Json::Nowhere,
            mute: true,
            calls: Mutex::default(),
            asked: Arc::default(),
        })
    }

    /// The formats of the calls of a method.
    pub(crate) fn calls(&self, method: &str) -> Vec<String> {
        let calls = self.calls.lock();
        let of_method = calls.iter().filter(|(name, _)| name == method);
        of_method.map(|(_, format)| format.clone()).collect()
    }

    /// What reflection was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }

    fn refusal(&self, ctx: &Context) -> Option<Status> {
        if *ctx.format() == Format::Protobuf {
            return None;
        }
        let is_reflection = ctx.method().name() == "ServerReflectionInfo";
        match self.json {
            Json::Nowhere => Some(Status::internal("cannot read this")),
            Json::Everywhere => None,
            Json::ButForReflection if !is_reflection => None,
            Json::ButForServices if is_reflection => None,
            _ => Some(Status::unimplemented("has no json form")),
        }
    }

    fn enter(&self, ctx: &Context) -> Result<(), Status> {
        let call = (ctx.method().name().to_owned(), ctx.format().to_string());
        self.calls.lock().push(call);
        self.refusal(ctx).map_or(Ok(()), Err)
    }

    fn reflection(&self) -> &'static str {
        match (self.mute, self.json) {
            (true, _) => "",
            (_, Json::Nowhere) => "grpc.reflection.v1alpha.ServerReflection",
            _ => "grpc.reflection.v1.ServerReflection",
        }
    }
}

impl Handler for Server {
    fn unary(&self, ctx: Context, request: Payload) -> gufo_core::Answer<Reply> {
        let entered = self.enter(&ctx);
        gufo_core::Answer::later(async move {
            entered?;
            let bytes = request.into_bytes(ctx.format())?;
            let name = read(&bytes, ctx.format());
            if name.is_empty() {
                return Err(Status::invalid_argument("name is empty"));
            }
            Ok(Reply::new(write(&name, ctx.format()).into()))
        })
    }

    fn stream(&self, ctx: Context, requests: Messages) -> gufo_core::Answer<Replies> {
        let is_reflection = ctx.method().service() == self.reflection();
        if !is_reflection && ctx.method().name() != "Chat" {
            return gufo_core::Answer::later(async {
                Err(Status::unimplemented("no such method"))
            });
        }
        if let Err(status) = self.enter(&ctx) {
            return gufo_core::Answer::later(async { Err(status) });
        }
        if !is_reflection || *ctx.format() == Format::Json {
            let format = ctx.format().clone();
            return gufo_core::Answer::later(async move {
                Ok(Replies::new(Messages::from_stream(Chat {
                    requests,
                    format,
                })))
            });
        }
        let asked = Arc::clone(&self.asked);
        handler::bidi::<Prost, Question, Answer, _, _, _>(move |_, questions| {
            let asked = Arc::clone(&asked);
            async move { Ok::<_, Status>(Streaming::new(Answers { questions, asked })) }
        })
        .stream(ctx, requests)
    }
}

/// Greets everyone in a stream; its own reflection in JSON answers like that too, being any JSON.
struct Chat {
    requests: Messages,
    format: Format,
}

impl Stream for Chat {
    type Item = Result<Payload, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let request = ready!(this.requests.poll_next_message(cx));
        Poll::Ready(request.map(|request| {
            let bytes = request?.into_bytes(&this.format)?;
            Ok(write(&read(&bytes, &this.format), &this.format).into())
        }))
    }
}

/// Both messages of the service: one text, with the number 1.
#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

fn read(bytes: &Bytes, format: &Format) -> String {
    if *format == Format::Protobuf {
        return Text::decode(bytes.clone())
            .map(|text| text.text)
            .unwrap_or_default();
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    value["name"].as_str().unwrap_or_default().to_owned()
}

fn write(name: &str, format: &Format) -> Bytes {
    let text = format!("hello {name}");
    if *format == Format::Protobuf {
        return Text { text }.encode_to_vec().into();
    }
    serde_json::json!({ "message": text }).to_string().into()
}

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "3")]
    file: String,
    #[prost(string, tag = "4")]
    symbol: String,
    #[prost(string, optional, tag = "7")]
    list: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(message, optional, tag = "4")]
    files: Option<Given>,
    #[prost(message, optional, tag = "6")]
    services: Option<Listed>,
    #[prost(message, optional, tag = "7")]
    error: Option<Refused>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Given {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    files: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Text>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Refused {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

struct Answers {
    questions: Streaming<Question>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stream for Answers {
    type Item = Result<Answer, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let question = ready!(Pin::new(&mut this.questions).poll_next(cx));
        Poll::Ready(question.map(|question| {
            let question = question?;
            this.asked.lock().push(match &question {
                Question { list: Some(_), .. } => "list".to_owned(),
                Question { symbol, .. } if !symbol.is_empty() => format!("symbol {symbol}"),
                Question { file, .. } => format!("file {file}"),
            });
            Ok(answer(&question))
        }))
    }
}

/// One file per answer, as the simplest servers do.
fn answer(question: &Question) -> Answer {
    if question.list.is_some() {
        return listed();
    }
    let file = match (question.symbol.as_str(), question.file.as_str()) {
        ("greeter.Greeter" | "greeter.HelloRequest", _) => greeter(),
        ("", "types.proto") => types(),
        ("hostile.Garbage", _) => return given(Bytes::from_static(b"\xff\xff\xff")),
        ("hostile.Dangling", _) => dangling(),
        ("hostile.Endless", _) => endless(0),
        ("", name) if name.starts_with("endless") => {
            endless(name.trim_start_matches("endless").parse().unwrap_or(0))
        }
        ("hostile.OffTopic", _) => return listed(),
        (symbol, file) => {
            return Answer {
                error: Some(Refused {
                    code: 5,
                    message: format!("no {symbol}{file}"),
                }),
                ..Answer::default()
            };
        }
    };
    given(file.encode_to_vec().into())
}

fn given(file: Bytes) -> Answer {
    Answer {
        files: Some(Given { files: vec![file] }),
        ..Answer::default()
    }
}

fn listed() -> Answer {
    let services = ["greeter.Greeter", "a.First"].map(|name| Text { text: name.into() });
    Answer {
        services: Some(Listed {
            services: services.into(),
        }),
        ..Answer::default()
    }
}

fn file(name: &str, imports: &[&str]) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.into()),
        package: Some("greeter".into()),
        syntax: Some("proto3".into()),
        dependency: imports.iter().map(|&name| name.into()).collect(),
        ..FileDescriptorProto::default()
    }
}

fn message(name: &str, field: &str) -> DescriptorProto {
    DescriptorProto {
        name: Some(name.into()),
        field: vec![FieldDescriptorProto {
            name: Some(field.into()),
            number: Some(1),
            label: Some(Label::Optional.into()),
            r#type: Some(Type::String.into()),
            ..FieldDescriptorProto::default()
        }],
        ..DescriptorProto::default()
    }
}

fn method(name: &str, streams: bool, level: IdempotencyLevel) -> MethodDescriptorProto {
    MethodDescriptorProto {
        name: Some(name.into()),
        input_type: Some(".greeter.HelloRequest".into()),
        output_type: Some(".greeter.HelloReply".into()),
        client_streaming: Some(streams),
        server_streaming: Some(streams),
        options: Some(MethodOptions {
            idempotency_level: Some(level.into()),
            ..MethodOptions::default()
        }),
    }
}

/// The service, with imports of its own, of the well-known types, and of a file nobody has.
fn greeter() -> FileDescriptorProto {
    let imports = [
        "types.proto",
        "google/protobuf/timestamp.proto",
        "nobody/has.proto",
    ];
    FileDescriptorProto {
        message_type: vec![message("HelloRequest", "name")],
        service: vec![ServiceDescriptorProto {
            name: Some("Greeter".into()),
            method: vec![
                method("Hello", false, IdempotencyLevel::NoSideEffects),
                method("Chat", true, IdempotencyLevel::IdempotencyUnknown),
            ],
            options: None,
        }],
        ..file("greeter.proto", &imports)
    }
}

fn types() -> FileDescriptorProto {
    FileDescriptorProto {
        message_type: vec![message("HelloReply", "message")],
        ..file("types.proto", &[])
    }
}

/// A service whose types are nowhere.
fn dangling() -> FileDescriptorProto {
    FileDescriptorProto {
        message_type: Vec::new(),
        ..greeter()
    }
}

/// A file that always imports one more.
fn endless(number: u32) -> FileDescriptorProto {
    let next = format!("endless{}", number + 1);
    file(&format!("endless{number}"), &[&next])
}
