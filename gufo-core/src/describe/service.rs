//! ServiceDescription: the descriptors of a service, for reflection.

use std::collections::BTreeSet;

use bytes::BytesMut;

use super::{
    Field, Types,
    file::{Comments, Files, file_name, header},
    types::last_part,
};
use crate::{
    Idempotency, Method, RestBinding,
    details::{put_field, put_number},
};

/// The extension of method options that states REST bindings: `google.api.http`.
const HTTP: u64 = 72_295_728;

/// The descriptors of a service, built method by method.
#[derive(Debug)]
pub struct ServiceDescription {
    name: &'static str,
    docs: &'static str,
    types: Types,
    methods: Vec<Described>,
}

#[derive(Debug)]
struct Described {
    method: &'static Method,
    docs: &'static str,
    request: String,
    reply: String,
}

impl ServiceDescription {
    /// A service by its full name, e.g. `greeter.Greeter`.
    #[must_use]
    pub fn new(name: &'static str, docs: &'static str) -> Self {
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        Self {
            name,
            docs,
            types: Types::new(package),
            methods: Vec::new(),
        }
    }

    /// Adds a method from `Q` to `A`, each described by its function.
    #[must_use]
    pub fn method<Q: 'static, A: 'static>(
        mut self,
        method: &'static Method,
        docs: &'static str,
        request: impl FnOnce(&mut Types) -> Field,
        reply: impl FnOnce(&mut Types) -> Field,
    ) -> Self {
        let request = request(&mut self.types);
        let request = self.types.root::<Q>(request);
        let reply = reply(&mut self.types);
        let reply = self.types.root::<A>(reply);
        self.methods.push(Described {
            method,
            docs,
            request,
            reply,
        });
        self
    }

    /// The encoded `google.protobuf.FileDescriptorSet`, each file after those it imports.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let package = self
            .name
            .rsplit_once('.')
            .map_or("", |(package, _)| package);
        let files = Files::new(&self.types);
        let mut set = BytesMut::new();
        for file in files.encode(package) {
            put_field(&mut set, 1, &file);
        }
        put_field(&mut set, 1, &self.file(package, &files));
        set.into()
    }

    fn file(&self, package: &str, files: &Files<'_>) -> BytesMut {
        let imports: BTreeSet<&str> = self
            .methods
            .iter()
            .flat_map(|described| [&described.request, &described.reply])
            .filter_map(|name| files.home(name))
            .collect();
        let mut file = header(&file_name(self.name), package, &imports);
        let mut service = BytesMut::new();
        put_field(&mut service, 1, last_part(self.name).as_bytes());
        let mut comments = Comments::default();
        comments.add(&[6, 0], self.docs);
        for (index, described) in self.methods.iter().enumerate() {
            put_field(&mut service, 2, &described.encode());
            let index = u8::try_from(index).unwrap_or(u8::MAX);
            comments.add(&[6, 0, 2, index], described.docs);
        }
        put_field(&mut file, 6, &service);
        comments.finish(&mut file);
        file
    }
}

impl Described {
    fn encode(&self) -> BytesMut {
        let method = self.method;
        let mut out = BytesMut::new();
        put_field(&mut out, 1, method.name().as_bytes());
        put_field(&mut out, 2, self.request.as_bytes());
        put_field(&mut out, 3, self.reply.as_bytes());
        let options = options(method);
        if !options.is_empty() {
            put_field(&mut out, 4, &options);
        }
        if method.kind().streams_requests() {
            put_number(&mut out, 5, 1);
        }
        if method.kind().streams_replies() {
            put_number(&mut out, 6, 1);
        }
        out
    }
}

fn options(method: &Method) -> BytesMut {
    let mut out = BytesMut::new();
    match method.idempotency() {
        Idempotency::Unknown => {}
        Idempotency::NoSideEffects => put_number(&mut out, 34, 1),
        Idempotency::Idempotent => put_number(&mut out, 34, 2),
    }
    if let Some((main, additional)) = method.rest().split_first() {
        let mut rule = http_rule(main);
        for binding in additional {
            put_field(&mut rule, 11, &http_rule(binding));
        }
        put_field(&mut out, HTTP, &rule);
    }
    out
}

fn http_rule(binding: &RestBinding) -> BytesMut {
    let mut rule = BytesMut::new();
    let verb = match &*binding.verb {
        "GET" => 2,
        "PUT" => 3,
        "POST" => 4,
        "DELETE" => 5,
        "PATCH" => 6,
        other => {
            let mut custom = BytesMut::new();
            put_field(&mut custom, 1, other.as_bytes());
            put_field(&mut custom, 2, binding.path.as_bytes());
            put_field(&mut rule, 8, &custom);
            return rule;
        }
    };
    put_field(&mut rule, verb, binding.path.as_bytes());
    if !binding.body.is_empty() {
        put_field(&mut rule, 7, binding.body.as_bytes());
    }
    rule
}
