//! The method table: one `static` array, in the order of the trait.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{leniency, table_name};
use crate::model::{Idempotency, Method, Service, Side};

pub(super) fn expand(service: &Service) -> TokenStream {
    let core = &service.arguments.core;
    let (vis, table) = (service.vis(), table_name(service));
    let count = service.methods.len();
    let methods = service
        .methods
        .iter()
        .map(|method| descriptor(service, method));
    let docs = format!(
        "The methods of `{}`, in the order of [`{}`].",
        service.arguments.name,
        service.ident()
    );
    let leniency = leniency();
    quote! {
        #[doc = #docs]
        #leniency
        #vis static #table: [#core::Method; #count] = [#(#methods),*];
    }
}

fn descriptor(service: &Service, method: &Method) -> TokenStream {
    let core = &service.arguments.core;
    let kind = kind(&method.function.request, &method.function.reply);
    let path = format!("/{}/{}", service.arguments.name, method.arguments.name);
    let idempotency = match method.arguments.idempotency {
        Idempotency::Unknown => None,
        Idempotency::Idempotent => Some(quote!(Idempotent)),
        Idempotency::NoSideEffects => Some(quote!(NoSideEffects)),
    }
    .map(|idempotency| quote!(.with_idempotency(#core::Idempotency::#idempotency)));
    let descriptor = quote!(#core::Method::new(#core::Kind::#kind, #path) #idempotency);
    if method.arguments.rest.is_empty() {
        return descriptor;
    }
    let count = method.arguments.rest.len();
    let bindings = method.arguments.rest.iter().map(|binding| {
        let (verb, path, body) = (&binding.verb, &binding.path, binding.body());
        quote!(#core::RestBinding::new(#verb, #path, #body))
    });
    quote! {{
        static REST: [#core::RestBinding; #count] = [#(#bindings),*];
        #descriptor.with_rest(&REST)
    }}
}

fn kind(request: &Side, reply: &Side) -> proc_macro2::Ident {
    match (request.streams, reply.streams) {
        (false, false) => format_ident!("Unary"),
        (true, false) => format_ident!("ClientStream"),
        (false, true) => format_ident!("ServerStream"),
        (true, true) => format_ident!("Bidi"),
    }
}
