//! `#[derive(Describe)]`: a message or an enum, for reflection.

mod prost;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Data, DataEnum, DataStruct, DeriveInput, Error, Field, Fields, Path, Result, ext::IdentExt,
    parse2,
};

use crate::{krate, model, names};

pub(crate) fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = parse2(item)?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a described message has no generic parameters",
        ));
    }
    let core = core_path(&input)?;
    let (ident, docs) = (&input.ident, model::docs_of(&input.attrs));
    let name = ident.unraw().to_string();
    let body = match &input.data {
        Data::Struct(data) => message(&core, &name, &docs, data)?,
        Data::Enum(data) => enumeration(&name, &docs, data)?,
        Data::Union(data) => {
            return Err(Error::new_spanned(
                data.union_token,
                "a union is no message",
            ));
        }
    };
    Ok(quote! {
        impl #core::describe::Describe for #ident {
            fn describe(types: &mut #core::describe::Types) -> #core::describe::Field {
                #body
            }
        }
    })
}

fn core_path(input: &DeriveInput) -> Result<TokenStream> {
    let mut found: Option<Path> = None;
    for attribute in &input.attrs {
        if attribute.path().is_ident("describe") {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("crate") {
                    return Err(meta.error("unknown argument; there is: crate"));
                }
                found = Some(meta.value()?.call(Path::parse_mod_style)?);
                Ok(())
            })?;
        }
    }
    match found {
        Some(path) => Ok(quote!(#path)),
        None => krate::core_path(),
    }
}

fn message(core: &TokenStream, name: &str, docs: &str, data: &DataStruct) -> Result<TokenStream> {
    let fields = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(Error::new_spanned(
                fields,
                "the fields of a described message have names",
            ));
        }
    };
    let fields = fields
        .into_iter()
        .zip(1..)
        .map(|(field, position)| message_field(core, field, position))
        .collect::<Result<Vec<_>>>()?;
    Ok(quote! {
        types.message::<Self>(#name, #docs, |message| {
            #[allow(unused_imports, reason = "which of the two is used depends on the fields")]
            use #core::describe::{Known as _, Unknown as _};
            let _ = &message;
            #(#fields)*
        })
    })
}

fn message_field(core: &TokenStream, field: &Field, position: u32) -> Result<TokenStream> {
    let name = field
        .ident
        .as_ref()
        .map(|ident| ident.unraw().to_string())
        .unwrap_or_default();
    let docs = model::docs_of(&field.attrs);
    let ty = &field.ty;
    let stated = prost::read(&field.attrs)?;
    let number = stated.tag.unwrap_or(position);
    let shape = match stated.shape {
        Some(shape) => shape.expand(core),
        None => quote! {{
            let probe = &#core::describe::Probe::<#ty>::new();
            probe.field(message.types())
        }},
    };
    Ok(quote! {
        let field = #shape;
        message.field(#name, #number, #docs, field);
    })
}

fn enumeration(name: &str, docs: &str, data: &DataEnum) -> Result<TokenStream> {
    let prefix = names::screaming(name);
    let values = data
        .variants
        .iter()
        .map(|variant| {
            if !matches!(variant.fields, Fields::Unit) {
                return Err(Error::new_spanned(
                    variant,
                    "only enums without data have a form in protobuf",
                ));
            }
            let ident = format_ident!("{}", variant.ident);
            let value = names::screaming(&variant.ident.unraw().to_string());
            let value = format!("{prefix}_{value}");
            Ok(quote!((#value, Self::#ident as i32)))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(quote!(types.enumeration::<Self>(#name, #docs, &[#(#values),*])))
}
