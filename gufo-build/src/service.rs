//! Services as traits under `#[gufo::service]`, which makes the rest of them.

use std::fmt::Write;

use prost_build::{Comments, Method, Service, ServiceGenerator};
use prost_types::method_options::IdempotencyLevel;

use crate::check::Rest;

/// Function names the generated client has for itself.
const RESERVED: [&str; 2] = ["new", "clone"];

/// Writes traits.
pub(crate) struct Traits {
    pub(crate) gufo_path: String,
    /// Methods give a `Response`.
    pub(crate) responses: bool,
    pub(crate) rest: Rest,
}

impl ServiceGenerator for Traits {
    fn generate(&mut self, service: Service, out: &mut String) {
        let full_name = if service.package.is_empty() {
            service.proto_name.clone()
        } else {
            format!("{}.{}", service.package, service.proto_name)
        };
        let gufo = &self.gufo_path;
        docs(
            &service.comments,
            &format!("The service `{full_name}`."),
            0,
            out,
        );
        if service.options.deprecated() {
            out.push_str("#[deprecated]\n");
        }
        let name = &service.name;
        out.push_str(&format!(
            "#[{gufo}::service(name = {full_name:?}, codecs(protobuf, json, msgpack), \
             descriptor = FILE_DESCRIPTOR_SET, crate = {gufo}::core)]\npub trait {name} {{\n"
        ));
        for method in &service.methods {
            self.method(&full_name, method, out);
        }
        out.push_str("}\n");
    }
}

impl Traits {
    fn method(&self, service: &str, method: &Method, out: &mut String) {
        let core = format!("{}::core", self.gufo_path);
        let rpc = &method.proto_name;
        docs(
            &method.comments,
            &format!("The method `{service}/{rpc}`."),
            1,
            out,
        );
        if method.options.deprecated() {
            out.push_str("    #[deprecated]\n");
        }
        out.push_str(&format!(
            "    #[method({})]\n",
            self.arguments(service, method)
        ));

        let name = match method.name.as_str() {
            name if RESERVED.contains(&name) => format!("{name}_"),
            name => name.to_owned(),
        };
        let (argument, request) = if method.client_streaming {
            (
                "requests",
                format!("{core}::Streaming<{}>", method.input_type),
            )
        } else {
            ("request", method.input_type.clone())
        };
        let reply = if method.server_streaming {
            format!("{core}::Streaming<{}>", method.output_type)
        } else {
            method.output_type.clone()
        };
        let reply = if self.responses {
            format!("{core}::Response<{reply}>")
        } else {
            reply
        };
        out.push_str(&format!(
            "    async fn {name}(&self, ctx: &{core}::Context, {argument}: {request}) \
             -> ::core::result::Result<{reply}, {core}::Status>;\n"
        ));
    }

    /// The arguments of `#[method]`.
    fn arguments(&self, service: &str, method: &Method) -> String {
        let mut arguments = format!("name = {:?}", method.proto_name);
        match method.options.idempotency_level() {
            IdempotencyLevel::IdempotencyUnknown => {}
            IdempotencyLevel::NoSideEffects => arguments.push_str(", no_side_effects"),
            IdempotencyLevel::Idempotent => arguments.push_str(", idempotent"),
        }
        let full_name = format!("{service}.{}", method.proto_name);
        for binding in self.rest.get(&full_name).into_iter().flatten() {
            // Writing to a string does not fail.
            let _ = write!(
                arguments,
                ", {} = {:?}, body = {:?}",
                binding.verb, binding.path, binding.body
            );
        }
        arguments
    }
}

fn docs(comments: &Comments, otherwise: &str, indent: u8, out: &mut String) {
    if comments.leading.is_empty() && comments.trailing.is_empty() {
        let indent = "    ".repeat(usize::from(indent));
        out.push_str(&format!("{indent}/// {otherwise}\n"));
    } else {
        comments.append_with_indent(indent, out);
    }
}
