//! What `#[prost(...)]` says of a field.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, LitInt, LitStr, Path, Result, Token, meta::ParseNestedMeta, parse_str, token,
};

/// The field as its attributes state it.
#[derive(Default)]
pub(super) struct Stated {
    pub(super) tag: Option<u32>,
    /// `None`: as the Rust type says. That is so for messages, whose type is in the code only.
    pub(super) shape: Option<Shape>,
}

/// A field that is not typed by its Rust type.
pub(super) struct Shape {
    kind: Kind,
    label: Option<Ident>,
}

enum Kind {
    Scalar(Ident),
    Enumeration(Path),
    Map(Box<(Self, Self)>),
}

/// The scalars of prost, and their names in `gufo_core::describe::Scalar`.
const SCALARS: &[(&str, &str)] = &[
    ("double", "Double"),
    ("float", "Float"),
    ("int64", "Int64"),
    ("uint64", "Uint64"),
    ("int32", "Int32"),
    ("fixed64", "Fixed64"),
    ("fixed32", "Fixed32"),
    ("bool", "Bool"),
    ("string", "String"),
    ("bytes", "Bytes"),
    ("uint32", "Uint32"),
    ("sfixed32", "Sfixed32"),
    ("sfixed64", "Sfixed64"),
    ("sint32", "Sint32"),
    ("sint64", "Sint64"),
];

pub(super) fn read(attributes: &[Attribute]) -> Result<Stated> {
    let mut stated = Stated::default();
    let (mut kind, mut label) = (None, None);
    for attribute in attributes {
        if !attribute.path().is_ident("prost") {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            let word = meta
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default();
            match word.as_str() {
                "tag" => stated.tag = Some(tag(&meta)?),
                "repeated" => label = Some(format_ident!("repeated")),
                "optional" => label = Some(format_ident!("optional")),
                "enumeration" => kind = Some(Kind::Enumeration(string(&meta)?.parse()?)),
                "map" | "btree_map" | "hash_map" => kind = map(&string(&meta)?)?,
                "oneof" => {
                    return Err(meta.error(
                        "a oneof cannot be described here: write the message in a .proto file, \
                         for gufo-build",
                    ));
                }
                other => match scalar(other) {
                    Some(scalar) => {
                        kind = Some(Kind::Scalar(scalar));
                        skip(&meta)?;
                    }
                    // message, required, boxed, packed, default: nothing that shows.
                    None => skip(&meta)?,
                },
            }
            Ok(())
        })?;
    }
    stated.shape = kind.map(|kind| Shape { kind, label });
    Ok(stated)
}

impl Shape {
    /// An expression for the field; `message` is in scope.
    pub(super) fn expand(&self, core: &TokenStream) -> TokenStream {
        let kind = self.kind.expand(core);
        match &self.label {
            Some(label) => quote!(#kind.#label()),
            None => kind,
        }
    }
}

impl Kind {
    fn expand(&self, core: &TokenStream) -> TokenStream {
        match self {
            Self::Scalar(scalar) => {
                quote!(#core::describe::Field::scalar(#core::describe::Scalar::#scalar))
            }
            Self::Enumeration(path) => quote! {{
                let probe = &#core::describe::Probe::<#path>::new();
                probe.enumeration(message.types())
            }},
            Self::Map(entry) => {
                let (key, value) = (entry.0.expand(core), entry.1.expand(core));
                quote!(#core::describe::Field::map(#key, #value))
            }
        }
    }
}

fn scalar(name: &str) -> Option<Ident> {
    SCALARS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, scalar)| format_ident!("{scalar}"))
}

/// `map = "string, int32"`; `None` when the value is a message, which the Rust type tells.
fn map(text: &LitStr) -> Result<Option<Kind>> {
    let value = text.value();
    let Some((key, value)) = value.split_once(',') else {
        return Err(Error::new_spanned(text, "a map has a key and a value"));
    };
    let (key, value) = (key.trim(), value.trim());
    let Some(key) = scalar(key) else {
        return Err(Error::new_spanned(text, "the key of a map is a scalar"));
    };
    let enumeration = value
        .strip_prefix("enumeration(")
        .and_then(|value| value.strip_suffix(')'));
    let value = match (enumeration, scalar(value)) {
        (Some(path), _) => Kind::Enumeration(parse_str(path)?),
        (None, Some(scalar)) => Kind::Scalar(scalar),
        (None, None) => return Ok(None),
    };
    Ok(Some(Kind::Map(Box::new((Kind::Scalar(key), value)))))
}

fn tag(meta: &ParseNestedMeta<'_>) -> Result<u32> {
    let value = meta.value()?;
    if value.peek(LitInt) {
        value.parse::<LitInt>()?.base10_parse()
    } else {
        let text: LitStr = value.parse()?;
        text.value()
            .parse()
            .map_err(|_| Error::new_spanned(&text, "a tag is a number"))
    }
}

fn string(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// Passes over a value that does not matter here.
fn skip(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Lit>()?;
    } else if meta.input.peek(token::Paren) {
        meta.parse_nested_meta(|inner| skip(&inner))?;
    }
    Ok(())
}
