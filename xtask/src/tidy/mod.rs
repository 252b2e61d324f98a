//! `cargo xtask tidy`: what a machine can check about the house, one line per check.
//!
//! Each check is a function from text or metadata to a list of complaints, so that its tests can
//! feed it something bad; this module only runs them and prints.

mod compile;
mod deny;
mod docs;
mod edges;
mod links;
mod manifests;
mod public_types;
mod text;

use std::time::Instant;

use crate::metadata::Workspace;
use crate::{Result, process};

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Full,
    /// What needs no compiler.
    Quick,
}

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// All is well; the text says what was looked at.
    Fine(String),
    /// What is wrong, one complaint each.
    Wrong(Vec<String>),
    /// The check could not be made, and why. Shown loudly, does not fail.
    Unchecked(String),
}

impl Finding {
    /// Fine when there are no complaints.
    pub(crate) fn of(complaints: Vec<String>, looked_at: impl FnOnce() -> String) -> Self {
        if complaints.is_empty() {
            Self::Fine(looked_at())
        } else {
            Self::Wrong(complaints)
        }
    }
}

type Check = fn(&Workspace) -> Result<Finding>;

const QUICK: &[(&str, Check)] = &[
    ("edges of the house", edges::check),
    ("manifests", manifests::check),
    ("public types", public_types::check),
    ("licences", deny::licences),
    ("bans, one tls provider", deny::bans),
    ("sources", deny::sources),
    ("advisories", deny::advisories),
    ("text", text::check),
    ("code map", docs::code_map),
    ("commands in the docs", docs::commands),
    ("links in the docs", links::check),
    ("changelog", docs::changelog),
    ("fmt", compile::fmt),
];

const SLOW: &[(&str, Check)] = &[
    ("clippy and missing docs", compile::clippy),
    ("doc", compile::doc),
    ("each feature alone", compile::features),
];

/// Runs the checks; true when none failed.
pub(crate) fn run(extent: Extent) -> Result<bool> {
    let workspace = Workspace::load(&process::root())?;
    let slow = if extent == Extent::Full { SLOW } else { &[] };
    let mut failed = Vec::new();
    for (name, check) in QUICK.iter().chain(slow) {
        let started = Instant::now();
        let finding =
            check(&workspace).unwrap_or_else(|error| Finding::Wrong(vec![error.to_string()]));
        let took = process::took(started.elapsed());
        match finding {
            Finding::Fine(looked_at) => println!("ok      {name}: {looked_at} ({took})"),
            Finding::Unchecked(why) => println!("!!! NOT CHECKED  {name}: {why}"),
            Finding::Wrong(complaints) => {
                println!("failed  {name} ({took})");
                complaints
                    .iter()
                    .for_each(|complaint| println!("          {complaint}"));
                failed.push(*name);
            }
        }
    }
    match failed.as_slice() {
        [] => println!("tidy: ok"),
        names => println!("tidy: failed: {}", names.join(", ")),
    }
    Ok(failed.is_empty())
}
