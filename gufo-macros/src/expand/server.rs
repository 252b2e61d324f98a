//! The server: an implementation of the trait, turned into a `Service`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{description, leniency, table_name};
use crate::model::{Method, Service};

pub(super) fn expand(service: &Service) -> TokenStream {
    let core = &service.arguments.core;
    let (vis, contract) = (service.vis(), service.ident());
    let name = &service.arguments.name;
    let server = format_ident!("{contract}Server");
    let docs = format!("Serves an implementation of [`{contract}`] as `{name}`.");
    let leniency = leniency();

    let descriptor = description::expand(service);
    let routes = service
        .methods
        .iter()
        .enumerate()
        .map(|(index, method)| route(service, index, method));
    let shared = (!service.methods.is_empty()).then(|| quote!(let service = server.service;));
    let ignored = service.methods.is_empty().then(|| quote!(let _ = server;));
    quote! {
        #[doc = #docs]
        #leniency
        #vis struct #server<S> {
            service: ::std::sync::Arc<S>,
        }

        #leniency
        impl<S: #contract> #server<S> {
            /// Serves an implementation.
            #[must_use]
            #vis fn new(service: S) -> Self {
                Self::from_arc(::std::sync::Arc::new(service))
            }

            /// Serves an implementation that is shared with others.
            #[must_use]
            #vis fn from_arc(service: ::std::sync::Arc<S>) -> Self {
                Self { service }
            }
        }

        impl<S> ::core::clone::Clone for #server<S> {
            fn clone(&self) -> Self {
                Self {
                    service: ::std::sync::Arc::clone(&self.service),
                }
            }
        }

        impl<S> ::core::fmt::Debug for #server<S> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!(#server)).finish_non_exhaustive()
            }
        }

        #leniency
        impl<S: #contract> ::core::convert::From<#server<S>> for #core::Service {
            fn from(server: #server<S>) -> Self {
                #shared
                #ignored
                #core::Service::new(#name)
                    .descriptor(#descriptor)
                    #(#routes)*
            }
        }
    }
}

fn route(service: &Service, index: usize, method: &Method) -> TokenStream {
    let core = &service.arguments.core;
    let (contract, table) = (service.ident(), table_name(service));
    let wire = service.arguments.messages.wire(core);
    let function = &method.function.signature.ident;
    let (request, reply) = (&method.function.request, &method.function.reply);
    let (question, answer) = (&request.message, &reply.message);
    let handler: Ident = match (request.streams, reply.streams) {
        (false, false) => format_ident!("unary"),
        (true, false) => format_ident!("client_stream"),
        (false, true) => format_ident!("server_stream"),
        (true, true) => format_ident!("bidi"),
    };
    quote! {
        .route(&#table[#index], {
            let service = ::std::sync::Arc::clone(&service);
            #core::handler::#handler::<#wire, #question, #answer, _, _, _>(
                move |context, request| {
                    let service = ::std::sync::Arc::clone(&service);
                    async move {
                        <S as #contract>::#function(&service, &context, request).await
                    }
                },
            )
        })
    }
}
