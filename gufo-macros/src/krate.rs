//! Where `gufo_core` is found in the crate that uses a macro.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Error, Result};

/// Crates that bring `gufo_core` along, the one to prefer first, and the module it is in.
const WAYS: &[(&str, Option<&str>)] = &[
    ("gufo", Some("core")),
    ("gufo-server", Some("core")),
    ("gufo-client", Some("core")),
    ("gufo-core", None),
];

/// The path of `gufo_core`.
pub(crate) fn core_path() -> Result<TokenStream> {
    for (package, module) in WAYS {
        let Ok(found) = crate_name(package) else {
            continue;
        };
        let name = match found {
            // Tests, examples and doc tests of the crate itself name it from outside.
            FoundCrate::Itself => package.replace('-', "_"),
            FoundCrate::Name(name) => name,
        };
        let name = Ident::new(&name, Span::call_site());
        let module = module.map(|module| Ident::new(module, Span::call_site()));
        return Ok(match module {
            Some(module) => quote!(::#name::#module),
            None => quote!(::#name),
        });
    }
    Err(Error::new(
        Span::call_site(),
        "the code this macro emits needs gufo: add `gufo`, `gufo-server`, `gufo-client` or \
         `gufo-core` to the dependencies, or say where it is with `crate = path::to::gufo_core`",
    ))
}
