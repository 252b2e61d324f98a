//! The trait: as it was written, with futures that are `Send`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Method, Service};

pub(super) fn expand(service: &Service) -> TokenStream {
    let item = &service.item;
    let (attributes, vis, ident) = (&item.attrs, &item.vis, &item.ident);
    let supertraits = item.supertraits.iter();
    let functions = service.methods.iter().map(function);
    quote! {
        #(#attributes)*
        #vis trait #ident:
            #(#supertraits +)* ::core::marker::Send + ::core::marker::Sync + 'static
        {
            #(#functions)*
        }
    }
}

fn function(method: &Method) -> TokenStream {
    let function = &method.function;
    let attributes = &function.attributes;
    let ident = &function.signature.ident;
    let inputs = &function.signature.inputs;
    let output = &function.output;
    quote! {
        #(#attributes)*
        fn #ident(#inputs)
            -> impl ::core::future::Future<Output = #output> + ::core::marker::Send;
    }
}
