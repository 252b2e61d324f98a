//! Reflection: asks a server what it serves, over `grpc.reflection.v1` or `v1alpha`.

mod messages;

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use gufo_core::{
    Bytes, Call, Caller, Code, Error, Format, Idempotency, Kind, Many, Method, Result, Sender,
    Streaming,
    codec::{Prost, Raw},
};
use prost_reflect::{DescriptorPool, prost::Message, prost_types::FileDescriptorProto};

use super::form::Form;
use messages::{Ask, Give, Request, Response};

static V1: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
)
.with_idempotency(Idempotency::NoSideEffects);
static V1ALPHA: Method = Method::new(
    Kind::Bidi,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
.with_idempotency(Idempotency::NoSideEffects);

/// How long a server may take to tell what was asked.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most files one service may need, and their size in bytes.
const MAX_FILES: usize = 1000;
const MAX_BYTES: usize = 16 << 20;

/// What is asked to learn whether a server speaks JSON: any question does.
const JSON_QUESTION: &[u8] = br#"{"listServices":"*"}"#;

/// A server's reflection.
pub(super) struct Reflection {
    caller: Caller,
    /// The version it has, once known.
    version: OnceLock<&'static Method>,
    form: OnceLock<Form>,
}

impl Reflection {
    pub(super) const fn new(caller: Caller) -> Self {
        Self {
            caller,
            version: OnceLock::new(),
            form: OnceLock::new(),
        }
    }

    /// The services the server tells of.
    pub(super) async fn list(&self) -> Result<Vec<String>> {
        let (_, given) = self.open(Ask::ListServices(String::new())).await?;
        match given {
            Give::Services(services) => Ok(services
                .service
                .into_iter()
                .map(|service| service.name)
                .collect()),
            _ => Err(off_topic()),
        }
    }

    /// The files that describe a service, with everything they import.
    pub(super) async fn files(&self, service: &str) -> Result<Vec<FileDescriptorProto>> {
        let asked = self
            .open(Ask::FileContainingSymbol(service.to_owned()))
            .await;
        let (mut session, given) = asked.map_err(|error| match error.code() {
            Code::NotFound => {
                Error::not_found(format!("the server tells of no service {service}")).source(error)
            }
            _ => error,
        })?;
        let mut files = Files::default();
        files.add(given)?;
        while let Some(missing) = files.missing() {
            if let Some(known) = DescriptorPool::global().get_file_by_name(&missing) {
                files.insert(known.file_descriptor_proto().clone());
                continue;
            }
            match session.ask(Ask::FileByFilename(missing.clone())).await {
                Ok(given) => files.add(given)?,
                // Imported for options at most, such as annotations; types that are missing are
                // told of when the files are put together.
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
            files.give_up(missing);
        }
        Ok(files.by_name.into_values().collect())
    }

    /// The form calls to this server most likely take: JSON where it is understood. What a server
    /// that knows no JSON answers varies; `Unimplemented` is what one says that knows JSON, but
    /// not for its reflection.
    pub(super) async fn form(&self) -> Form {
        if let Some(form) = self.form.get() {
            return *form;
        }
        let Some(version) = self.version.get() else {
            return Form::Protobuf;
        };
        let question = Many(Streaming::iter([Bytes::from_static(JSON_QUESTION)]));
        let call = Call::<Raw, Many<Bytes>, Many<Bytes>>::new(&self.caller, *version, question)
            .timeout(TIMEOUT)
            .format(Format::Json);
        let answer = async { call.await?.next().await }.await;
        let form = match answer {
            Ok(Some(reply)) if serde_json::from_slice::<serde::de::IgnoredAny>(&reply).is_ok() => {
                Form::Json
            }
            Err(error) if error.code() == Code::Unimplemented => Form::Json,
            // The server is away: whatever is answered now must not be kept.
            Err(error) if error.is_unavailable() => return Form::Protobuf,
            _ => Form::Protobuf,
        };
        *self.form.get_or_init(|| form)
    }

    /// Asks a first question, in the version the server has.
    async fn open(&self, ask: Ask) -> Result<(Session, Give)> {
        if let Some(version) = self.version.get() {
            return Session::open(&self.caller, version, ask).await;
        }
        let (version, answer) = match Session::open(&self.caller, &V1, ask.clone()).await {
            Err(error) if error.code() == Code::Unimplemented => {
                (&V1ALPHA, Session::open(&self.caller, &V1ALPHA, ask).await)
            }
            answer => (&V1, answer),
        };
        let has_none = |error: &Error| error.code() == Code::Unimplemented;
        match answer {
            Err(error) if has_none(&error) => {
                Err(Error::unimplemented("the server has no reflection").source(error))
            }
            // A question without an answer is an answer of the version.
            Err(error) if error.code() != Code::NotFound => Err(error),
            answer => {
                let _ = self.version.set(version); // Another call may have been faster.
                answer
            }
        }
    }
}

/// A stream of questions and answers.
struct Session {
    questions: Sender<Request>,
    answers: Streaming<Response, Error>,
}

impl Session {
    async fn open(caller: &Caller, version: &'static Method, ask: Ask) -> Result<(Self, Give)> {
        let (questions, requests) = Streaming::channel(1);
        // Before the call, since servers answer nothing before they are asked something.
        questions.send(Request::new(ask)).await?;
        let call =
            Call::<Prost, Many<Request>, Many<Response>>::new(caller, version, Many(requests));
        let mut session = Self {
            questions,
            answers: call.timeout(TIMEOUT).format(Format::Protobuf).await?,
        };
        let given = session.answer().await?;
        Ok((session, given))
    }

    async fn ask(&mut self, ask: Ask) -> Result<Give> {
        self.questions.send(Request::new(ask)).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Give> {
        let answer = self.answers.next().await?;
        match answer.and_then(|answer| answer.message_response) {
            Some(Give::Error(error)) => Err(error.into()),
            Some(given) => Ok(given),
            None => Err(Error::internal("the server's reflection did not answer")),
        }
    }
}

/// Files by name, until no import is missing.
#[derive(Default)]
struct Files {
    by_name: BTreeMap<String, FileDescriptorProto>,
    bytes: usize,
}

impl Files {
    fn add(&mut self, given: Give) -> Result<()> {
        let Give::Files(files) = given else {
            return Err(off_topic());
        };
        for encoded in files.file_descriptor_proto {
            self.bytes += encoded.len();
            if self.bytes > MAX_BYTES || self.by_name.len() >= MAX_FILES {
                return Err(Error::failed_precondition(format!(
                    "the server's description takes more than {MAX_FILES} files or {MAX_BYTES} bytes"
                )));
            }
            let file = FileDescriptorProto::decode(encoded).map_err(|error| {
                Error::failed_precondition("the server's description is not valid protobuf")
                    .source(error)
            })?;
            self.insert(file);
        }
        Ok(())
    }

    fn insert(&mut self, file: FileDescriptorProto) {
        self.by_name.entry(file.name().to_owned()).or_insert(file);
    }

    /// An import that is not there yet.
    fn missing(&self) -> Option<String> {
        self.by_name
            .values()
            .flat_map(|file| &file.dependency)
            .find(|name| !self.by_name.contains_key(*name))
            .cloned()
    }

    /// Puts an empty file where the server did not give one.
    fn give_up(&mut self, name: String) {
        self.by_name
            .entry(name.clone())
            .or_insert_with(|| FileDescriptorProto {
                name: Some(name),
                ..FileDescriptorProto::default()
            });
    }
}

fn off_topic() -> Error {
    Error::internal("the server's reflection answered something else than asked")
}
