//! The names a file makes public, and the names it imports from vendors.

use std::collections::BTreeSet;

use syn::{Item, UseTree};

use super::{is_for_tests, is_public, is_vendor};

/// The names of public types: impls of them are public too.
pub(super) fn public_names(items: &[Item], names: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Struct(item) if is_public(&item.vis) => {
                names.insert(item.ident.to_string());
            }
            Item::Enum(item) if is_public(&item.vis) => {
                names.insert(item.ident.to_string());
            }
            Item::Mod(module) => public_names(
                module.content.as_ref().map_or(&[], |content| &content.1),
                names,
            ),
            _ => {}
        }
    }
}

/// The names this file imports from a vendor.
pub(super) fn imports(items: &[Item], names: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Use(item) => {
                let vendors = roots(&item.tree)
                    .into_iter()
                    .filter(|(root, _)| is_vendor(root));
                vendors.for_each(|(root, tree)| leaves(tree, &root, names));
            }
            Item::Mod(module) if !is_for_tests(&module.attrs) => {
                imports(
                    module.content.as_ref().map_or(&[], |content| &content.1),
                    names,
                );
            }
            _ => {}
        }
    }
}

/// The first segment of every path of a `use`, and the path.
pub(super) fn roots(tree: &UseTree) -> Vec<(String, &UseTree)> {
    match tree {
        UseTree::Path(path) => vec![(path.ident.to_string(), tree)],
        UseTree::Name(name) => vec![(name.ident.to_string(), tree)],
        UseTree::Rename(rename) => vec![(rename.ident.to_string(), tree)],
        UseTree::Group(group) => group.items.iter().flat_map(roots).collect(),
        UseTree::Glob(_) => Vec::new(),
    }
}

/// The names a `use` brings in; `parent` is what `self` stands for.
fn leaves(tree: &UseTree, parent: &str, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &path.ident.to_string(), names),
        UseTree::Name(name) if name.ident == "self" => {
            names.insert(parent.to_owned());
        }
        UseTree::Name(name) => {
            names.insert(name.ident.to_string());
        }
        UseTree::Rename(rename) => {
            names.insert(rename.rename.to_string());
        }
        UseTree::Group(group) => group
            .items
            .iter()
            .for_each(|tree| leaves(tree, parent, names)),
        UseTree::Glob(_) => {}
    }
}

pub(super) fn has_glob(tree: &UseTree) -> bool {
    match tree {
        UseTree::Path(path) => has_glob(&path.tree),
        UseTree::Group(group) => group.items.iter().any(has_glob),
        UseTree::Glob(_) => true,
        UseTree::Name(_) | UseTree::Rename(_) => false,
    }
}
