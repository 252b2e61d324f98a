//! A function of the trait: its signature, taken apart.

use quote::ToTokens;
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, Pat, PathArguments, Receiver, Result,
    ReturnType, Signature, TraitItemFn, Type, TypePath, spanned::Spanned,
};

use super::Mistakes;

const FORM: &str =
    "async fn hello(&self, ctx: &Context, request: HelloRequest) -> Result<HelloReply, Status>";

/// Names the generated client has for itself.
const RESERVED: [&str; 2] = ["new", "clone"];

/// A function of the trait.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
    /// What the function calls its message; `request` when it is not named.
    pub(crate) argument: Ident,
    pub(crate) request: Side,
    pub(crate) reply: Side,
    /// The type the future resolves to.
    pub(crate) output: Type,
}

/// One side of a call: its message type, and whether there are many.
pub(crate) struct Side {
    pub(crate) message: Type,
    pub(crate) streams: bool,
}

impl Function {
    pub(crate) fn parse(attributes: Vec<Attribute>, function: TraitItemFn) -> Result<Self> {
        let signature = function.sig;
        let mut mistakes = Mistakes::default();
        check_attributes(&attributes, &mut mistakes);
        check_qualifiers(&signature, &mut mistakes);
        if let Some(body) = &function.default {
            mistakes.add(Error::new_spanned(
                body,
                "a service's function has no body here: implementations have it",
            ));
        }
        let arguments = mistakes.note(arguments(&signature));
        let output = mistakes.note(output(&signature));
        mistakes.finish()?;
        match (arguments, output) {
            (Some((argument, request)), Some((output, reply))) => Ok(Self {
                attributes,
                argument,
                request,
                reply,
                output,
                signature,
            }),
            _ => Err(Error::new(signature.span(), format!("expected {FORM}"))),
        }
    }
}

fn check_attributes(attributes: &[Attribute], mistakes: &mut Mistakes) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            mistakes.add(Error::new_spanned(
                attribute,
                "a method cannot depend on the configuration: client and server must agree",
            ));
        }
    }
}

fn check_qualifiers(signature: &Signature, mistakes: &mut Mistakes) {
    let name = &signature.ident;
    if signature.asyncness.is_none() {
        mistakes.add(Error::new_spanned(
            signature.fn_token,
            format!("a service's function is async: write `async fn {name}`"),
        ));
    }
    if RESERVED.contains(&name.to_string().as_str()) {
        mistakes.add(Error::new_spanned(
            name,
            format!(
                "the client has a function `{name}` of its own: rename this one and keep the \
                 method's name with #[method(name = \"...\")]"
            ),
        ));
    }
    for token in [
        signature.constness.map(|token| token.into_token_stream()),
        signature.abi.as_ref().map(ToTokens::to_token_stream),
        signature.variadic.as_ref().map(ToTokens::to_token_stream),
    ]
    .into_iter()
    .flatten()
    {
        mistakes.add(Error::new_spanned(
            token,
            format!("a service's function has the form `{FORM}`"),
        ));
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        mistakes.add(Error::new_spanned(
            token,
            "a service's function is not unsafe",
        ));
    }
    if !signature.generics.params.is_empty() {
        mistakes.add(Error::new_spanned(
            &signature.generics,
            "a service's function has no generic parameters: its messages are concrete types",
        ));
    }
    if let Some(clause) = &signature.generics.where_clause {
        mistakes.add(Error::new_spanned(
            clause,
            "a service's function has no where clause",
        ));
    }
}

/// Checks `&self`, `ctx: &Context` and the one message; gives the last.
fn arguments(signature: &Signature) -> Result<(Ident, Side)> {
    let mut inputs = signature.inputs.iter();
    let receiver = inputs.next();
    check_receiver(signature, receiver)?;
    let (Some(context), Some(message), None) = (inputs.next(), inputs.next(), inputs.next()) else {
        let count = signature.inputs.len() - 1;
        return Err(Error::new_spanned(
            &signature.inputs,
            format!(
                "a service's function has two arguments after &self, a context and a message, \
                 not {count}: `{FORM}`"
            ),
        ));
    };
    check_context(context)?;
    let FnArg::Typed(message) = message else {
        return Err(Error::new_spanned(message, "expected a message"));
    };
    let name = name_of(&message.pat)?.unwrap_or_else(|| Ident::new("request", message.pat.span()));
    Ok((name, side(&message.ty)?))
}

fn check_receiver(signature: &Signature, receiver: Option<&FnArg>) -> Result<()> {
    match receiver {
        Some(FnArg::Receiver(Receiver {
            kind: syn::ReceiverKind::Reference(_, None, None),
            ..
        })) => Ok(()),
        Some(FnArg::Receiver(receiver)) => Err(Error::new_spanned(
            receiver,
            "a service is shared by its calls: take &self, and keep what changes behind a lock",
        )),
        Some(FnArg::Typed(first)) => Err(Error::new_spanned(
            first,
            "a service's function takes &self first",
        )),
        None => Err(Error::new_spanned(
            &signature.ident,
            format!("a service's function takes &self first: `{FORM}`"),
        )),
    }
}

fn check_context(argument: &FnArg) -> Result<()> {
    let wrong = |tokens: &dyn ToTokens, text: &str| Err(Error::new_spanned(tokens, text));
    let FnArg::Typed(argument) = argument else {
        return wrong(argument, "expected `ctx: &Context`");
    };
    name_of(&argument.pat)?;
    let text = "the first argument after &self is the call's context, `ctx: &Context`";
    match &*argument.ty {
        Type::Reference(reference) => match &*reference.elem {
            _ if reference.mutability.is_some() => wrong(
                reference,
                "the context is shared with whoever watches the call: take `ctx: &Context`",
            ),
            _ if reference.lifetime.is_some() => wrong(
                reference,
                "the context's lifetime is not named: take `ctx: &Context`",
            ),
            Type::Path(path) if ends_with(path, "Context") => Ok(()),
            _ => wrong(reference, text),
        },
        Type::Path(path) if ends_with(path, "Context") => {
            wrong(path, "the context is borrowed: take `ctx: &Context`")
        }
        other => wrong(other, text),
    }
}

/// The name of an argument; `None` for `_`.
fn name_of(pattern: &Pat) -> Result<Option<Ident>> {
    match pattern {
        Pat::Wild(_) => Ok(None),
        Pat::Ident(ident)
            if ident.by_ref.is_none() && ident.mutability.is_none() && ident.subpat.is_none() =>
        {
            Ok(Some(ident.ident.clone()))
        }
        other => Err(Error::new_spanned(
            other,
            "an argument is a name here, not a pattern: take it apart in the implementation",
        )),
    }
}

fn output(signature: &Signature) -> Result<(Type, Side)> {
    let ReturnType::Type(_, output) = &signature.output else {
        return Err(Error::new_spanned(
            &signature.ident,
            format!("a service's function returns `Result<_, Status>`: `{FORM}`"),
        ));
    };
    let wrong = || {
        Error::new_spanned(
            output,
            "a service's function returns `Result<_, Status>`, with a message, a \
             `Streaming<_>` or a `Response<_>` of either inside",
        )
    };
    let Type::Path(path) = &**output else {
        return Err(wrong());
    };
    let arguments = type_arguments(path);
    let (Some([answer, Type::Path(status)]), true) =
        (arguments.as_deref(), ends_with(path, "Result"))
    else {
        return Err(wrong());
    };
    if !ends_with(status, "Status") {
        return Err(wrong());
    }
    let answer = match answer {
        Type::Path(path) if ends_with(path, "Response") => match type_arguments(path).as_deref() {
            Some([inner]) => inner.clone(),
            _ => return Err(Error::new_spanned(path, "write `Response<T>`")),
        },
        other => other.clone(),
    };
    Ok(((**output).clone(), side(&answer)?))
}

/// A message, or a stream of them.
fn side(ty: &Type) -> Result<Side> {
    let (message, streams) = match ty {
        Type::Path(path) if ends_with(path, "Streaming") => match type_arguments(path).as_deref() {
            Some([message]) => (message.clone(), true),
            _ => {
                return Err(Error::new_spanned(
                    path,
                    "a stream here is `Streaming<T>`: its errors are statuses",
                ));
            }
        },
        other => (other.clone(), false),
    };
    match &message {
        Type::Reference(_) => Err(Error::new_spanned(
            message,
            "a message is owned: it outlives the call's buffers",
        )),
        Type::ImplTrait(_) | Type::TraitObject(_) => {
            Err(Error::new_spanned(message, "a message is a concrete type"))
        }
        Type::Path(path) if ends_with(path, "Streaming") => Err(Error::new_spanned(
            message,
            "a stream of streams has no form on the wire",
        )),
        _ => Ok(Side { message, streams }),
    }
}

fn ends_with(path: &TypePath, name: &str) -> bool {
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

/// The type arguments of the last part of a path; `None` when there is anything else.
fn type_arguments(path: &TypePath) -> Option<Vec<Type>> {
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments
        .args
        .iter()
        .map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        })
        .collect()
}
