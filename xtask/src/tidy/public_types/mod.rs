//! No vendor type in a public signature.
//!
//! Every source file of the library crates is parsed; paths in public functions, fields, traits,
//! type aliases, re-exports and impls of public types must not start with a vendor's name, nor
//! with a name imported from a vendor. What a macro expands to is not seen.

mod names;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Fields, ImplItem, Item, Type, Visibility};

use super::Finding;
use crate::Result;
use crate::metadata::Workspace;
use names::{has_glob, imports, public_names, roots};

/// The crates whose public items are held to it; gufo-tower has vendors' types as its purpose.
const CRATES: &[&str] = &[
    "gufo",
    "gufo-client",
    "gufo-core",
    "gufo-registry",
    "gufo-server",
    "gufo-transport",
];

/// The vendors, as they are spelled in paths.
const VENDORS: &[&str] = &[
    "h2",
    "http",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_util",
    "rustls",
    "tokio_rustls",
    "tonic",
    "tower",
    "tower_layer",
    "tower_service",
];

/// Parses the library crates and reports vendor types that users would see.
pub(crate) fn check(workspace: &Workspace) -> Result<Finding> {
    let (mut found, mut count) = (Vec::new(), 0);
    for member in workspace
        .members
        .iter()
        .filter(|member| CRATES.contains(&member.name.as_str()))
    {
        let mut files = Vec::new();
        let source = member.folder().join("src");
        for path in rust_files(&source)? {
            let parsed = syn::parse_file(&std::fs::read_to_string(&path)?);
            let parsed =
                parsed.map_err(|error| format!("cannot parse {}: {error}", path.display()))?;
            let inside = path.strip_prefix(&source)?;
            files.push((format!("{}/src/{}", member.name, inside.display()), parsed));
        }
        count += files.len();
        found.extend(complaints(&files));
    }
    Ok(Finding::of(found, || {
        format!("no vendor type in {count} files")
    }))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The complaints about the files of one crate.
fn complaints(files: &[(String, syn::File)]) -> Vec<String> {
    let mut public = BTreeSet::new();
    files
        .iter()
        .for_each(|(_, file)| public_names(&file.items, &mut public));
    let mut found = Vec::new();
    for (path, file) in files {
        let mut imported = BTreeSet::new();
        imports(&file.items, &mut imported);
        let mut scan = Scan {
            public: &public,
            imported,
            item: String::new(),
            found: BTreeSet::new(),
        };
        scan.items(&file.items);
        found.extend(
            scan.found
                .iter()
                .map(|complaint| format!("{path}: {complaint}")),
        );
    }
    found
}

fn is_vendor(name: &str) -> bool {
    VENDORS.contains(&name)
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|argument| argument.is_ident("test"))
    })
}

struct Scan<'a> {
    public: &'a BTreeSet<String>,
    imported: BTreeSet<String>,
    /// The item being read, for the message.
    item: String,
    found: BTreeSet<String>,
}

impl Scan<'_> {
    fn items(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.item(item));
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Fn(item) if is_public(&item.vis) => self.signature(&item.sig),
            Item::Struct(item) if is_public(&item.vis) => {
                self.item = format!("struct {}", item.ident);
                self.visit_generics(&item.generics);
                self.fields(&item.fields);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                self.item = format!("enum {}", item.ident);
                self.visit_item_enum(item);
            }
            Item::Trait(item) if is_public(&item.vis) => {
                self.item = format!("trait {}", item.ident);
                self.visit_item_trait(item);
            }
            Item::Type(item) if is_public(&item.vis) => {
                self.item = format!("type {}", item.ident);
                self.visit_item_type(item);
            }
            Item::Const(item) if is_public(&item.vis) => {
                self.item = format!("const {}", item.ident);
                self.visit_type(&item.ty);
            }
            Item::Static(item) if is_public(&item.vis) => {
                self.item = format!("static {}", item.ident);
                self.visit_type(&item.ty);
            }
            Item::Use(item) => self.reexport(item),
            Item::Impl(item) => self.implementation(item),
            Item::Mod(module) if !is_for_tests(&module.attrs) => {
                self.items(module.content.as_ref().map_or(&[], |content| &content.1));
            }
            _ => {}
        }
    }

    fn signature(&mut self, signature: &syn::Signature) {
        self.item = format!("fn {}", signature.ident);
        self.visit_signature(signature);
    }

    fn fields(&mut self, fields: &Fields) {
        for field in fields.iter().filter(|field| is_public(&field.vis)) {
            self.visit_type(&field.ty);
        }
    }

    fn reexport(&mut self, item: &syn::ItemUse) {
        for (root, tree) in roots(&item.tree) {
            if is_public(&item.vis) && (is_vendor(&root) || self.imported.contains(&root)) {
                self.found.insert(format!("re-exports from {root}"));
            } else if is_vendor(&root) && has_glob(tree) && !is_for_tests(&item.attrs) {
                self.found.insert(format!(
                    "imports {root}::*, which hides vendor types from this check"
                ));
            }
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl) {
        if is_for_tests(&item.attrs) {
            return;
        }
        let name = match &*item.self_ty {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .map(|segment| segment.ident.to_string()),
            _ => None,
        };
        let name = name.unwrap_or_default();
        if let Some((interface, _)) = &item.trait_ {
            if self.public.contains(&name) {
                self.item = format!(
                    "impl {} for {name}",
                    interface
                        .segments
                        .last()
                        .map_or(String::new(), |s| s.ident.to_string())
                );
                self.visit_path(interface);
                self.visit_generics(&item.generics);
                item.items
                    .iter()
                    .for_each(|part| self.part(part, Part::OfTrait));
            }
        } else {
            item.items
                .iter()
                .for_each(|part| self.part(part, Part::Inherent));
        }
    }

    fn part(&mut self, part: &ImplItem, place: Part) {
        let shown = |visibility: &Visibility| place == Part::OfTrait || is_public(visibility);
        match part {
            ImplItem::Fn(part) if shown(&part.vis) => self.visit_signature(&part.sig),
            ImplItem::Const(part) if shown(&part.vis) => self.visit_type(&part.ty),
            ImplItem::Type(part) if shown(&part.vis) => self.visit_type(&part.ty),
            _ => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Inherent,
    OfTrait,
}

impl<'ast> Visit<'ast> for Scan<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let first = path
            .segments
            .first()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        let vendor = is_vendor(&first) && (path.segments.len() > 1 || path.leading_colon.is_some());
        if vendor || self.imported.contains(&first) {
            let words: Vec<String> = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            self.found.insert(format!(
                "{} shows the vendor type {}",
                self.item,
                words.join("::")
            ));
        }
        visit::visit_path(self, path);
    }

    /// Bodies are nobody's business.
    fn visit_block(&mut self, _: &'ast syn::Block) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        complaints(&[("x.rs".into(), syn::parse_file(source).unwrap())])
    }

    #[test]
    fn private_use_of_a_vendor_is_fine() {
        let source = "
            use http::HeaderMap;
            pub struct Held { map: HeaderMap }
            pub struct Wrapped(http::Uri);
            pub(crate) fn inside(map: HeaderMap) {}
            fn also(map: http::Uri) {}
            impl Held { fn map(&self) -> &HeaderMap { &self.map } }
            pub fn body() { let map = http::HeaderMap::new(); }
            impl From<http::Uri> for Hidden { fn from(uri: http::Uri) -> Self { Self } }
            struct Hidden;
            #[cfg(test)]
            mod tests { use http::*; use http::Version; pub fn open(map: http::Uri) {} }
            pub struct Version;
            pub fn version() -> Version { Version }
        ";

        assert_eq!(found(source), Vec::<String>::new());
    }

    #[test]
    fn each_place_where_a_vendor_type_can_show_is_caught() {
        for source in [
            "pub fn open(map: http::HeaderMap) {}",
            "pub async fn open() -> Result<(), tonic::Status> { Ok(()) }",
            "pub fn open<T: tower::Service<u8>>(service: T) {}",
            "pub fn open() -> impl Into<hyper::Uri> { x }",
            "pub struct Open { pub map: http::HeaderMap }",
            "pub struct Open(pub h2::StreamId);",
            "pub enum Open { Map(http::HeaderMap) }",
            "pub type Open = Box<dyn Fn(rustls::ServerConfig)>;",
            "pub trait Open { fn map(&self) -> ::http::HeaderMap; }",
            "pub trait Open: tower_service::Service<u8> {}",
            "pub const OPEN: http::StatusCode = x;",
            "pub use http::HeaderMap;",
            "pub use {bytes::Bytes, http::HeaderMap};",
            "pub struct Open; impl Open { pub fn map(&self) -> &http::HeaderMap { x } }",
            "pub struct Open; impl From<h2::Error> for Open { fn from(e: h2::Error) -> Self { Self } }",
            "pub struct Open; impl Iterator for Open { type Item = http::Uri; }",
            "mod inner { pub fn open(map: http::HeaderMap) {} }",
        ] {
            assert_eq!(found(source).len().min(1), 1, "not caught: {source}");
        }
    }

    #[test]
    fn a_vendor_type_imported_by_name_is_caught() {
        let named = "use http::{HeaderMap, uri::Authority as Place}; pub fn open(at: &Place) {}";
        let module = "use http::header::{self}; pub fn open(name: header::HeaderName) {}";
        let glob = "use http::*; pub fn open(map: HeaderMap) {}";

        assert_eq!(found(named), ["x.rs: fn open shows the vendor type Place"]);
        assert_eq!(
            found(module),
            ["x.rs: fn open shows the vendor type header::HeaderName"]
        );
        assert_eq!(found(glob).len(), 1);
    }
}
