//! The client: a function per method.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{leniency, table_name};
use crate::model::{Method, Service, Side, doc_attributes};

pub(super) fn expand(service: &Service) -> TokenStream {
    let core = &service.arguments.core;
    let vis = service.vis();
    let name = &service.arguments.name;
    let client = format_ident!("{}Client", service.ident());
    let docs = format!("Calls `{name}`. Clones share the connections.");
    let leniency = leniency();
    let functions = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| function(service, index, method));
    quote! {
        #[doc = #docs]
        #[derive(Clone, Debug)]
        #leniency
        #vis struct #client {
            caller: #core::Caller,
        }

        #leniency
        impl #client {
            /// Calls the service through a channel, or through any handler.
            #[must_use]
            #vis fn new(caller: impl ::core::convert::Into<#core::Caller>) -> Self {
                Self { caller: caller.into() }
            }

            #(#functions)*
        }

        impl ::core::convert::From<#core::Caller> for #client {
            fn from(caller: #core::Caller) -> Self {
                Self { caller }
            }
        }

        impl #core::TypedClient for #client {
            const SERVICE: &'static str = #name;
        }
    }
}

fn function(service: &Service, index: usize, method: &Method) -> TokenStream {
    let core = &service.arguments.core;
    let (vis, table) = (service.vis(), table_name(service));
    let wire = service.arguments.messages.wire(core);
    let function = &method.function;
    let (ident, argument) = (&function.signature.ident, &function.argument);
    let otherwise = format!(
        "Calls `{}/{}`.",
        service.arguments.name, method.arguments.name
    );
    let docs = doc_attributes(&function.attributes, &otherwise);
    let deprecated = function
        .attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("deprecated"));

    let request = wrapped(core, &function.request);
    let reply = wrapped(core, &function.reply);
    let (message, wrap) = match &function.request {
        Side {
            message,
            streams: true,
        } => (quote!(#core::Streaming<#message>), quote!(Many)),
        Side {
            message,
            streams: false,
        } => (quote!(#message), quote!(One)),
    };
    quote! {
        #docs
        #(#deprecated)*
        #vis fn #ident(&self, #argument: #message) -> #core::Call<#wire, #request, #reply> {
            #core::Call::new(&self.caller, &#table[#index], #core::#wrap(#argument))
        }
    }
}

fn wrapped(core: &TokenStream, side: &Side) -> TokenStream {
    let message = &side.message;
    if side.streams {
        quote!(#core::Many<#message>)
    } else {
        quote!(#core::One<#message>)
    }
}
