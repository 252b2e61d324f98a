//! The descriptors of a service: given, or made when the service is.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::table_name;
use crate::model::{Method, Service, docs_of};

/// An expression for the encoded `FileDescriptorSet`.
pub(super) fn expand(service: &Service) -> TokenStream {
    if let Some(descriptor) = &service.arguments.descriptor {
        return quote!(#descriptor);
    }
    let core = &service.arguments.core;
    let name = &service.arguments.name;
    let docs = docs_of(&service.item.attrs);
    let methods = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| one(service, index, method));
    quote! {{
        #[allow(unused_imports, reason = "which of the two is used depends on the messages")]
        use #core::describe::{Known as _, Unknown as _};
        #core::describe::ServiceDescription::new(#name, #docs)
            #(#methods)*
            .encode()
    }}
}

fn one(service: &Service, index: usize, method: &Method) -> TokenStream {
    let core = &service.arguments.core;
    let table = table_name(service);
    let docs = docs_of(&method.function.attributes);
    let (request, reply) = (
        &method.function.request.message,
        &method.function.reply.message,
    );
    let (describe_request, describe_reply) = (field_of(core, request), field_of(core, reply));
    quote! {
        .method::<#request, #reply>(&#table[#index], #docs, #describe_request, #describe_reply)
    }
}

/// A function that describes a concrete type, whether or not it implements `Describe`.
pub(crate) fn field_of(core: &TokenStream, ty: &Type) -> TokenStream {
    quote! {
        |types: &mut #core::describe::Types| {
            let probe = &#core::describe::Probe::<#ty>::new();
            probe.field(types)
        }
    }
}
