//! Dynamic calls: JSON to services that are known by reflection only.

mod described;
mod form;
mod reflection;

use std::{collections::BTreeMap, fmt, sync::Arc};

use gufo_core::{
    Bytes, Call, Caller, Code, Error, Idempotency, Kind, Many, Method, MethodRef, One, Result,
    Streaming, codec::Raw,
};
use parking_lot::Mutex;

use described::{Described, DescribedMethod};
use form::{Form, Transcoder, mapped};
use reflection::Reflection;

/// Calls in JSON to services whose types this process does not have.
///
/// What a service looks like is asked once, over `grpc.reflection.v1` or, where that is missing,
/// `v1alpha`, and kept. Servers that speak JSON are called in JSON; for those that speak protobuf
/// only, messages are transcoded by the proto3 JSON mapping. Which of the two it is, is asked by
/// reflection as well; a unary call that ends in `Unimplemented` is sent once more in the other
/// form, and the service is called in the form that worked from then on.
///
/// ```no_run
/// use gufo_client::{Channel, DynamicClient};
///
/// # async fn example(channel: Channel) -> gufo_core::Result<()> {
/// let client = DynamicClient::new(channel);
/// let reply = client.call("greeter.Greeter/Hello", r#"{"name":"owl"}"#).await?;
/// assert_eq!(reply, r#"{"message":"hello owl"}"#);
/// # Ok(()) }
/// ```
///
/// Clones share what was learned.
#[derive(Clone)]
pub struct DynamicClient {
    caller: Caller,
    reflection: Arc<Reflection>,
    services: Arc<Mutex<BTreeMap<String, Arc<Service>>>>,
}

/// A service and how it is called.
struct Service {
    described: Described,
    form: Mutex<Form>,
}

/// What a server says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceDescription {
    /// Full name, e.g. `greeter.Greeter`.
    pub name: String,
    /// The methods, in the order of the declaration.
    pub methods: Vec<MethodDescription>,
}

/// What a server says of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodDescription {
    /// Name without the service, e.g. `Hello`.
    pub name: String,
    /// Which sides stream.
    pub kind: Kind,
    /// Whether it may be repeated.
    pub idempotency: Idempotency,
    /// Full name of the request type.
    pub request: String,
    /// Full name of the reply type.
    pub reply: String,
}

impl DynamicClient {
    /// Calls through a channel, or anything else that is a caller; its defaults hold, but for the
    /// format.
    #[must_use]
    pub fn new(caller: impl Into<Caller>) -> Self {
        let caller = caller.into();
        Self {
            reflection: Arc::new(Reflection::new(caller.clone())),
            caller,
            services: Arc::default(),
        }
    }

    /// Full names of the services the server tells of, sorted.
    ///
    /// # Errors
    /// `Unimplemented` when the server has no reflection; otherwise how the call ended.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call.
    pub async fn list_services(&self) -> Result<Vec<String>> {
        let mut services = self.reflection.list().await?;
        services.sort();
        Ok(services)
    }

    /// The methods of a service.
    ///
    /// # Errors
    /// `NotFound` for a service the server does not tell of, `Unimplemented` when it has no
    /// reflection, `FailedPrecondition` for descriptors that make no sense or are too large;
    /// otherwise how the call ended.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call.
    pub async fn describe(&self, service: &str) -> Result<ServiceDescription> {
        Ok(self.service(service).await?.described.description())
    }

    /// Calls a unary method, e.g. `greeter.Greeter/Hello`, with a request in JSON; answers the
    /// reply in JSON.
    ///
    /// # Errors
    /// As [`describe`](Self::describe); `InvalidArgument` for a path of another form, a method that
    /// streams, and a request that does not fit; otherwise how the call ended.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call.
    pub async fn call(&self, path: &str, request: &str) -> Result<String> {
        let (service, method) = self.method(path).await?;
        if method.kind != Kind::Unary {
            return Err(Error::invalid_argument(format!(
                "{path} streams: call it by stream()"
            )));
        }
        let form = *service.form.lock();
        match self.unary(form, &method, request).await {
            Err(error) if error.code() == Code::Unimplemented => {
                let Ok(reply) = self.unary(form.other(), &method, request).await else {
                    return Err(error);
                };
                *service.form.lock() = form.other();
                Ok(reply)
            }
            answer => answer,
        }
    }

    /// Calls a method that streams, on one side or both, with requests in JSON; a method without a
    /// stream of requests takes exactly one, and one without a stream of replies gives one.
    ///
    /// # Errors
    /// As [`call`](Self::call), for a unary method `InvalidArgument`. A request that does not fit
    /// ends the stream with `InvalidArgument`.
    ///
    /// # Cancel safety
    /// Dropping the future, or the stream it gives, cancels the call.
    pub async fn stream(
        &self,
        path: &str,
        requests: Streaming<String>,
    ) -> Result<Streaming<String, Error>> {
        let (service, method) = self.method(path).await?;
        if method.kind == Kind::Unary {
            return Err(Error::invalid_argument(format!(
                "{path} does not stream: call it by call()"
            )));
        }
        let form = *service.form.lock();
        let outgoing: Transcoder = method.request.clone();
        let incoming: Transcoder = method.reply.clone();
        let requests = mapped(requests, move |json| outgoing.encode(form, &json));
        let call =
            Call::<Raw, Many<Bytes>, Many<Bytes>>::new(&self.caller, method.method, Many(requests));
        let replies = call.format(form.format()).await?;
        Ok(mapped(replies, move |bytes| {
            incoming.decode(form, bytes).map_err(Error::from)
        }))
    }

    async fn unary(&self, form: Form, method: &DescribedMethod, request: &str) -> Result<String> {
        let request = method.request.encode(form, request)?;
        let call = Call::<Raw, One<Bytes>, One<Bytes>>::new(
            &self.caller,
            method.method.clone(),
            One(request),
        );
        let reply = call.format(form.format()).await?;
        Ok(method.reply.decode(form, reply)?)
    }

    async fn method(&self, path: &str) -> Result<(Arc<Service>, DescribedMethod)> {
        let (service, method) = split(path)?;
        let service = self.service(service).await?;
        let method = service.described.method(method)?;
        Ok((service, method))
    }

    async fn service(&self, name: &str) -> Result<Arc<Service>> {
        if let Some(known) = self.services.lock().get(name) {
            return Ok(Arc::clone(known));
        }
        let described = Described::new(name, self.reflection.files(name).await?)?;
        let service = Arc::new(Service {
            described,
            form: Mutex::new(self.reflection.form().await),
        });
        let mut services = self.services.lock();
        let known = services.entry(name.to_owned()).or_insert(service);
        Ok(Arc::clone(known))
    }
}

/// The service and the method of `package.Service/Method` or `package.Service.Method`.
fn split(path: &str) -> Result<(&str, &str)> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let parts = path.split_once('/').or_else(|| path.rsplit_once('.'));
    match parts {
        Some((service, method))
            if !service.is_empty() && !method.is_empty() && !method.contains('/') =>
        {
            Ok((service, method))
        }
        _ => Err(Error::invalid_argument(format!(
            "method {path:?} does not have the form package.Service/Method"
        ))),
    }
}

/// The descriptor of a method learned by reflection.
fn method_ref(
    kind: Kind,
    service: &str,
    name: &str,
    idempotency: Idempotency,
) -> Result<MethodRef> {
    let method = Method::parse(kind, &format!("/{service}/{name}"))?;
    Ok(method.with_idempotency(idempotency).into())
}

impl fmt::Debug for DynamicClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.services.lock();
        f.debug_struct("DynamicClient")
            .field("known", &services.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_named_with_a_slash_or_a_dot() {
        for path in ["a.B/C", "/a.B/C", "a.B.C"] {
            assert_eq!(split(path).unwrap(), ("a.B", "C"), "{path}");
        }
        for path in ["", "/", "B", "a.B/", "/C", "a.B/C/d", "B."] {
            let error = split(path).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{path}");
        }
    }
}
