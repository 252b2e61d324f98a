//! The arguments of `#[method(...)]`.

use proc_macro2::Span;
use syn::{Attribute, Error, Ident, LitStr, Result, ext::IdentExt, meta::ParseNestedMeta};

use super::{
    arguments::{set, unknown},
    template,
};
use crate::names;

const KEYS: &str = "name, idempotent, no_side_effects, get, put, post, delete, patch, body";
const VERBS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// What `#[method(...)]` says.
pub(crate) struct MethodArguments {
    /// The method's name on the wire, e.g. `Hello`.
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) idempotency: Idempotency,
    pub(crate) rest: Vec<Binding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    Unknown,
    Idempotent,
    NoSideEffects,
}

/// One REST binding.
pub(crate) struct Binding {
    /// In upper case.
    pub(crate) verb: String,
    pub(crate) path: String,
    pub(crate) body: Option<String>,
}

impl Binding {
    /// The body as stated, or what the verb suggests.
    pub(crate) fn body(&self) -> &str {
        match (&self.body, self.verb.as_str()) {
            (Some(body), _) => body,
            (None, "GET" | "DELETE") => "",
            (None, _) => "*",
        }
    }
}

#[derive(Default)]
struct Found {
    name: Option<LitStr>,
    idempotency: Option<Idempotency>,
    rest: Vec<Binding>,
}

impl MethodArguments {
    pub(crate) fn parse(attributes: &[Attribute], function: &Ident) -> Result<Self> {
        let mut found = Found::default();
        for attribute in attributes {
            attribute.parse_nested_meta(|meta| found.read(&meta))?;
        }
        let (name, name_span) = match &found.name {
            Some(name) if names::is_identifier(&name.value()) => (name.value(), name.span()),
            Some(name) => {
                return Err(Error::new_spanned(
                    name,
                    "a method's name has letters, digits and underscores only",
                ));
            }
            None => (
                names::upper_camel(&function.unraw().to_string()),
                function.span(),
            ),
        };
        Ok(Self {
            name,
            name_span,
            idempotency: found.idempotency.unwrap_or(Idempotency::Unknown),
            rest: found.rest,
        })
    }
}

impl Found {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if meta.path.is_ident("name") {
            set(&mut self.name, meta, |meta| meta.value()?.parse())
        } else if meta.path.is_ident("idempotent") {
            self.repeat(meta, Idempotency::Idempotent)
        } else if meta.path.is_ident("no_side_effects") {
            self.repeat(meta, Idempotency::NoSideEffects)
        } else if meta.path.is_ident("body") {
            let body: LitStr = meta.value()?.parse()?;
            match self.rest.last_mut() {
                None => {
                    Err(meta.error("body belongs to the REST binding before it, and there is none"))
                }
                Some(Binding { body: Some(_), .. }) => {
                    Err(meta.error("the binding has a body already"))
                }
                Some(binding) => {
                    template::check_body(&body)?;
                    binding.body = Some(body.value());
                    Ok(())
                }
            }
        } else if let Some(verb) = VERBS.iter().find(|verb| meta.path.is_ident(verb)) {
            let path: LitStr = meta.value()?.parse()?;
            template::check(&path)?;
            self.rest.push(Binding {
                verb: verb.to_ascii_uppercase(),
                path: path.value(),
                body: None,
            });
            Ok(())
        } else {
            Err(unknown(meta, KEYS))
        }
    }

    fn repeat(&mut self, meta: &ParseNestedMeta<'_>, idempotency: Idempotency) -> Result<()> {
        if self.idempotency.replace(idempotency).is_some() {
            return Err(meta.error(
                "say once whether the method may be repeated: idempotent, or no_side_effects, \
                 which includes it",
            ));
        }
        Ok(())
    }
}
