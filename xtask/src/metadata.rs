//! What `cargo metadata` says about the workspace and everything it is built from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Result;
use crate::process;

/// The workspace: its members, and every crate it resolves to with all features on.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    /// The crates of this repository.
    pub(crate) members: Vec<Package>,
    /// All crates of the build, members included.
    pub(crate) crates: Vec<Package>,
}

/// One crate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it comes from; none for a crate on this disk.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
    /// The registries it may be published to: none is any, an empty list is never.
    pub(crate) publish: Option<Vec<String>>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
    pub(crate) features: Vec<String>,
}

/// Something cargo builds from a crate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

#[derive(Deserialize)]
struct Output {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
}

impl Workspace {
    /// Reads the workspace at `root`.
    ///
    /// # Errors
    /// When the manifests cannot be read, or `Cargo.lock` does not match them.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let args = [
            "metadata",
            "--format-version",
            "1",
            "--all-features",
            "--locked",
        ];
        let text = process::stdout(&mut process::cargo(root, &args)).map_err(|error| {
            format!("{error}; when Cargo.lock is out of date, run `cargo check` and commit it")
        })?;
        let output: Output = serde_json::from_str(&text)?;
        let members = output
            .packages
            .iter()
            .filter(|package| output.workspace_members.contains(&package.id));
        Ok(Self {
            root: root.to_path_buf(),
            members: members.cloned().collect(),
            crates: output.packages,
        })
    }

    /// The members that are published.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter(|package| package.is_published())
    }
}

impl Package {
    /// True unless the manifest says `publish = false`.
    pub(crate) fn is_published(&self) -> bool {
        self.publish
            .as_ref()
            .is_none_or(|registries| !registries.is_empty())
    }

    /// The folder of the crate.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }

    /// True when the crate has a target of this kind and name.
    pub(crate) fn has(&self, kind: &str, name: &str) -> bool {
        self.targets
            .iter()
            .any(|target| target.name == name && target.kind.iter().any(|k| k == kind))
    }
}

impl Dependency {
    /// True for `[dev-dependencies]`.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}
