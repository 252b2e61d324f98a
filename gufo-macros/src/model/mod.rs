//! The model of a service: what the trait and its attributes say, checked.

mod arguments;
mod function;
mod method;
mod template;

pub(crate) use arguments::Arguments;
pub(crate) use function::{Function, Side};
pub(crate) use method::{Idempotency, MethodArguments};

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Attribute, Error, Expr, ExprLit, Ident, ItemTrait, Lit, Meta, Result, TraitItem, Visibility,
    parse2, spanned::Spanned,
};

/// A service, ready to be expanded.
pub(crate) struct Service {
    pub(crate) arguments: Arguments,
    /// The trait as it was written, without its functions.
    pub(crate) item: ItemTrait,
    pub(crate) methods: Vec<Method>,
}

/// One method of a service.
pub(crate) struct Method {
    pub(crate) function: Function,
    pub(crate) arguments: MethodArguments,
}

impl Service {
    /// Reads the attribute's arguments and the trait; finds as many mistakes as it can.
    pub(crate) fn parse(arguments: TokenStream, item: TokenStream) -> Result<Self> {
        let mut item: ItemTrait = parse2(item.clone()).map_err(|error| {
            let found = parse2::<syn::Item>(item);
            let span = found.map_or_else(|_| error.span(), |item| item.span());
            Error::new(span, "a service is declared by a trait")
        })?;
        let mut mistakes = Mistakes::default();
        let arguments = mistakes.note(Arguments::parse(arguments));
        mistakes.note(check_trait(&item));

        let mut methods: Vec<Method> = Vec::new();
        for part in std::mem::take(&mut item.items) {
            let Some(method) = mistakes.note(Method::parse(part)) else {
                continue;
            };
            mistakes.note(method.check_unique(&methods));
            methods.push(method);
        }

        mistakes.finish()?;
        let arguments = arguments.ok_or_else(|| Error::new(item.span(), "no arguments"))?;
        Ok(Self {
            arguments,
            item,
            methods,
        })
    }

    pub(crate) fn vis(&self) -> &Visibility {
        &self.item.vis
    }

    pub(crate) fn ident(&self) -> &Ident {
        &self.item.ident
    }
}

impl Method {
    fn parse(part: TraitItem) -> Result<Self> {
        let function = match part {
            TraitItem::Fn(function) => function,
            TraitItem::Const(other) => return Err(only_functions(other, "constants")),
            TraitItem::Type(other) => return Err(only_functions(other, "types")),
            other => return Err(only_functions(other, "macros")),
        };
        let (attributes, kept): (Vec<_>, Vec<_>) = function
            .attrs
            .iter()
            .cloned()
            .partition(|attribute| attribute.path().is_ident("method"));
        let arguments = MethodArguments::parse(&attributes, &function.sig.ident);
        let function = Function::parse(kept, function);
        match (arguments, function) {
            (Ok(arguments), Ok(function)) => Ok(Self {
                function,
                arguments,
            }),
            (Err(mut error), Err(other)) => {
                error.combine(other);
                Err(error)
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    fn check_unique(&self, others: &[Self]) -> Result<()> {
        let name = &self.arguments.name;
        match others.iter().find(|other| other.arguments.name == *name) {
            None => Ok(()),
            Some(_) => Err(Error::new(
                self.arguments.name_span,
                format!(
                    "the service has another method {name}; give one of them another name with #[method(name = \"...\")]"
                ),
            )),
        }
    }
}

fn only_functions(part: impl quote::ToTokens, what: &str) -> Error {
    Error::new_spanned(
        part,
        format!("a service has functions only, no {what}: take it out of the trait"),
    )
}

fn check_trait(item: &ItemTrait) -> Result<()> {
    let mut mistakes = Mistakes::default();
    if let Some(token) = &item.unsafety {
        mistakes.add(Error::new_spanned(token, "a service is not unsafe"));
    }
    if !item.generics.params.is_empty() {
        mistakes.add(Error::new_spanned(
            &item.generics,
            "a service has no generic parameters: its messages are concrete types",
        ));
    }
    if let Some(clause) = &item.generics.where_clause {
        mistakes.add(Error::new_spanned(clause, "a service has no where clause"));
    }
    mistakes.finish()
}

/// Mistakes found so far, so that all of them are reported at once.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            None => self.0 = Some(error),
            Some(first) => first.combine(error),
        }
    }

    fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// The documentation in attributes, one line per line.
pub(crate) fn docs_of(attributes: &[Attribute]) -> String {
    let lines: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let lines: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split('\n'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n").trim_end().to_owned()
}

/// The attributes that are documentation, or a substitute.
pub(crate) fn doc_attributes(attributes: &[Attribute], otherwise: &str) -> TokenStream {
    let docs: Vec<_> = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .collect();
    if docs.is_empty() {
        quote!(#[doc = #otherwise])
    } else {
        quote!(#(#docs)*)
    }
}
