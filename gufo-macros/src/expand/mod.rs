//! What a service expands to.

mod client;
mod contract;
mod description;
mod server;
mod table;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::{model::Service, names};

/// The trait, its method table, its server and its client.
pub(crate) fn service(service: &Service) -> TokenStream {
    let parts = [
        contract::expand(service),
        table::expand(service),
        server::expand(service),
        client::expand(service),
    ];
    quote!(#(#parts)*)
}

/// `GREETER_METHODS`.
fn table_name(service: &Service) -> Ident {
    let name = names::screaming(&service.ident().to_string());
    format_ident!("{name}_METHODS", span = service.ident().span())
}

/// What generated items are allowed: to go unused, and to name what is deprecated.
fn leniency() -> TokenStream {
    quote! {
        #[allow(
            dead_code,
            deprecated,
            reason = "a crate may be only a client or only a server; what is deprecated works"
        )]
    }
}
