//! The arguments of `#[gufo::service(...)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Error, Expr, Ident, LitStr, Path, Result, Token, meta::ParseNestedMeta, parenthesized,
    parse::Parser, punctuated::Punctuated,
};

use super::Mistakes;
use crate::{krate, names};

const KEYS: &str = "name, codecs, descriptor, crate";

/// What `#[gufo::service(...)]` says.
pub(crate) struct Arguments {
    /// Full name, e.g. `greeter.Greeter`.
    pub(crate) name: String,
    pub(crate) messages: Messages,
    /// An encoded `FileDescriptorSet`; made at run time when there is none.
    pub(crate) descriptor: Option<Expr>,
    /// Path of `gufo_core`.
    pub(crate) core: TokenStream,
}

/// What the messages are, which says how they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Messages {
    Serde,
    Prost,
    ProstSerde,
    Raw,
}

impl Messages {
    /// The implementation of `Wire`.
    pub(crate) fn wire(self, core: &TokenStream) -> TokenStream {
        match self {
            Self::Serde => quote!(#core::codec::Serde),
            Self::Prost => quote!(#core::codec::Prost),
            Self::ProstSerde => quote!(#core::codec::ProstSerde),
            Self::Raw => quote!(#core::codec::Raw),
        }
    }
}

#[derive(Default)]
struct Found {
    name: Option<LitStr>,
    messages: Option<Messages>,
    descriptor: Option<Expr>,
    core: Option<Path>,
}

impl Arguments {
    pub(crate) fn parse(arguments: TokenStream) -> Result<Self> {
        let mut found = Found::default();
        syn::meta::parser(|meta| found.read(&meta)).parse2(arguments)?;

        let mut mistakes = Mistakes::default();
        let name = match &found.name {
            Some(name) if names::is_full_name(&name.value()) => name.value(),
            Some(name) => {
                mistakes.add(Error::new_spanned(
                    name,
                    "a service's name has the form \"package.Service\": letters, digits and \
                     underscores, joined by dots",
                ));
                String::new()
            }
            None => {
                mistakes.add(Error::new(
                    Span::call_site(),
                    "a service needs its full name: #[gufo::service(name = \"package.Service\")]",
                ));
                String::new()
            }
        };
        mistakes.finish()?;
        Ok(Self {
            name,
            messages: found.messages.unwrap_or(Messages::Serde),
            descriptor: found.descriptor,
            core: match found.core {
                Some(path) => path.into_token_stream(),
                None => krate::core_path()?,
            },
        })
    }
}

impl Found {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            set(&mut self.name, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("codecs") {
            set(&mut self.messages, meta, codecs)
        } else if meta.path.is_ident("descriptor") {
            set(&mut self.descriptor, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("crate") {
            set(&mut self.core, meta, |meta| {
                meta.value()?.call(Path::parse_mod_style)
            })
        } else {
            Err(unknown(meta, KEYS))
        }
    }
}

/// Reads a value that may be given once.
pub(crate) fn set<T>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> Result<T>,
) -> Result<()> {
    if place.is_some() {
        return Err(meta.error(format!("{} is given twice", text(meta))));
    }
    *place = Some(read(meta)?);
    Ok(())
}

pub(crate) fn unknown(meta: &ParseNestedMeta<'_>, allowed: &str) -> Error {
    let found = text(meta);
    meta.error(format!("unknown argument {found}; there are: {allowed}"))
}

fn text(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.to_token_stream().to_string().replace(' ', "")
}

fn codecs(meta: &ParseNestedMeta<'_>) -> Result<Messages> {
    let (mut protobuf, mut json, mut msgpack, mut raw) = (false, false, false, false);
    let words;
    parenthesized!(words in meta.input);
    for word in Punctuated::<Ident, Token![,]>::parse_terminated(&words)? {
        let place = match word.to_string().as_str() {
            "protobuf" => &mut protobuf,
            "json" => &mut json,
            "msgpack" => &mut msgpack,
            "raw" => &mut raw,
            other => {
                return Err(Error::new_spanned(
                    &word,
                    format!("unknown codec {other}; there are: protobuf, json, msgpack, raw"),
                ));
            }
        };
        if std::mem::replace(place, true) {
            return Err(Error::new_spanned(&word, format!("{word} is given twice")));
        }
    }
    let problem = match (protobuf, json, msgpack, raw) {
        (false, false, false, true) => return Ok(Messages::Raw),
        (_, _, _, true) => {
            "raw messages are bytes and have no other codec: write codecs(raw) alone"
        }
        (_, false, true, _) => {
            "messages with msgpack are serde types and have json as well: write \
             codecs(json, msgpack), and let clients choose MessagePack"
        }
        (false, false, false, false) => "codecs needs one of: protobuf, json, msgpack, raw",
        (true, false, _, _) => return Ok(Messages::Prost),
        (true, true, _, _) => return Ok(Messages::ProstSerde),
        (false, true, _, _) => return Ok(Messages::Serde),
    };
    Err(meta.error(problem))
}
