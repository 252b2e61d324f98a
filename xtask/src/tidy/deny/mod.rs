//! Licences, bans, sources and advisories of everything the workspace is built from, as
//! `deny.toml` says.
//!
//! Read here rather than by cargo-deny: that takes many minutes to install on a fresh machine,
//! and these four questions need only the metadata. The file stays valid for both.

mod advisory;
mod licence;

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Finding;
use crate::Result;
use crate::metadata::{Package, Workspace};

/// Where the advisories lie: a checkout of the RustSec advisory database.
const ADVISORY_DB: &str = "GUFO_ADVISORY_DB";

/// The parts of `deny.toml` that are used here.
#[derive(Debug, Deserialize)]
struct Deny {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
    advisories: Advisories,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
    allow_git: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Advisories {
    ignore: Vec<Ignored>,
}

/// An advisory that was looked at and does not reach us; the reason is not optional.
#[derive(Debug, Deserialize)]
struct Ignored {
    id: String,
    #[serde(rename = "reason")]
    _reason: String,
}

/// Every crate is under an allowed licence.
pub(crate) fn licences(workspace: &Workspace) -> Result<Finding> {
    let deny = read(workspace)?;
    let found = wrong_licences(&workspace.crates, &deny.licenses.allow);
    Ok(Finding::of(found, || {
        format!(
            "{} crates under {} licences",
            workspace.crates.len(),
            deny.licenses.allow.len()
        )
    }))
}

/// No banned crate is part of the build, on any platform and with any feature.
pub(crate) fn bans(workspace: &Workspace) -> Result<Finding> {
    let deny = read(workspace)?;
    let found = banned(&workspace.crates, &deny.bans.deny);
    Ok(Finding::of(found, || {
        format!("none of the {} banned crates", deny.bans.deny.len())
    }))
}

/// Every crate comes from an allowed place.
pub(crate) fn sources(workspace: &Workspace) -> Result<Finding> {
    let deny = read(workspace)?;
    let found = foreign(&workspace.crates, &deny.sources, &workspace.root);
    Ok(Finding::of(found, || "all from allowed places".into()))
}

/// No crate of the build is named by an advisory.
pub(crate) fn advisories(workspace: &Workspace) -> Result<Finding> {
    let deny = read(workspace)?;
    let Some(database) = std::env::var_os(ADVISORY_DB).map(PathBuf::from) else {
        return Ok(Finding::Unchecked(format!(
            "{ADVISORY_DB} is not set; point it at a checkout of the RustSec advisory database"
        )));
    };
    let ignored: Vec<&str> = deny
        .advisories
        .ignore
        .iter()
        .map(|ignored| ignored.id.as_str())
        .collect();
    let report = advisory::check(&workspace.crates, &database, &ignored)?;
    Ok(Finding::of(report.complaints, || {
        format!("{} advisories read for our crates", report.read)
    }))
}

fn read(workspace: &Workspace) -> Result<Deny> {
    let text = std::fs::read_to_string(workspace.root.join("deny.toml"))?;
    toml::from_str(&text).map_err(|error| format!("cannot read deny.toml: {error}").into())
}

fn wrong_licences(crates: &[Package], allowed: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for package in crates {
        let name = format!("{} {}", package.name, package.version);
        match package
            .license
            .as_deref()
            .map(|expression| (expression, licence::allowed(expression, allowed)))
        {
            None => found.push(format!("{name} names no licence")),
            Some((expression, Ok(false))) => found.push(format!(
                "{name} is under {expression}, which is not allowed"
            )),
            Some((expression, Err(error))) => found.push(format!(
                "{name}: cannot read licence `{expression}`: {error}"
            )),
            Some((_, Ok(true))) => {}
        }
    }
    found
}

fn banned(crates: &[Package], bans: &[Ban]) -> Vec<String> {
    let hit = |package: &Package| {
        bans.iter()
            .find(|ban| ban.name == package.name)
            .map(|ban| ban.reason.clone())
    };
    let hits = crates
        .iter()
        .filter_map(|package| Some((package, hit(package)?)));
    hits.map(|(package, reason)| {
        format!(
            "{} is banned: {reason}; find who brings it with `cargo tree -i {0}`",
            package.name
        )
    })
    .collect()
}

fn foreign(crates: &[Package], sources: &Sources, root: &Path) -> Vec<String> {
    let known = |package: &Package| match package.source.as_deref() {
        None => package.manifest_path.starts_with(root),
        Some(source) => {
            let registry = source
                .strip_prefix("registry+")
                .or(source.strip_prefix("sparse+"));
            let git = source.strip_prefix("git+");
            registry.is_some_and(|url| sources.allow_registry.iter().any(|allowed| allowed == url))
                || git.is_some_and(|url| {
                    sources
                        .allow_git
                        .iter()
                        .any(|allowed| url.starts_with(allowed))
                })
        }
    };
    let strangers = crates.iter().filter(|package| !known(package));
    strangers
        .map(|package| {
            let place = package
                .source
                .clone()
                .unwrap_or_else(|| package.manifest_path.display().to_string());
            format!("{} comes from {place}, which is not allowed", package.name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            license: Some("MIT".into()),
            ..Package::default()
        }
    }

    #[test]
    fn an_unlicensed_crate_is_caught() {
        let silent = Package {
            license: None,
            ..package("silent")
        };
        let strict = Package {
            license: Some("AGPL-3.0-only".into()),
            ..package("strict")
        };

        let found = wrong_licences(&[package("fine"), silent, strict], &["MIT".into()]);

        assert_eq!(
            found,
            [
                "silent 1.0.0 names no licence",
                "strict 1.0.0 is under AGPL-3.0-only, which is not allowed"
            ]
        );
    }

    #[test]
    fn a_banned_crate_is_caught() {
        let bans = [Ban {
            name: "openssl-sys".into(),
            reason: "one tls provider".into(),
        }];

        let found = banned(&[package("ring"), package("openssl-sys")], &bans);

        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("openssl-sys is banned: one tls provider"),
            "{found:?}"
        );
    }

    #[test]
    fn a_crate_from_elsewhere_is_caught() {
        let sources = Sources {
            allow_registry: vec!["https://index".into()],
            allow_git: vec![],
        };
        let from = |source: &str| Package {
            source: Some(source.into()),
            ..package("x")
        };
        let on_disk = |path: &str| Package {
            manifest_path: path.into(),
            ..package("x")
        };
        let root = Path::new("/repository");

        for fine in [
            from("registry+https://index"),
            on_disk("/repository/x/Cargo.toml"),
        ] {
            assert_eq!(foreign(&[fine], &sources, root), Vec::<String>::new());
        }
        for bad in [
            from("registry+https://other"),
            from("git+https://index?rev=1"),
            on_disk("/elsewhere/Cargo.toml"),
        ] {
            assert_eq!(foreign(&[bad], &sources, root).len(), 1);
        }
    }

    #[test]
    fn the_tls_providers_that_are_not_ours_are_banned() {
        let text = std::fs::read_to_string(crate::process::root().join("deny.toml")).unwrap();
        let deny: Deny = toml::from_str(&text).unwrap();

        for name in ["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"] {
            assert_eq!(
                banned(&[package(name)], &deny.bans.deny).len(),
                1,
                "{name} is not banned"
            );
        }
    }

    #[test]
    fn an_advisory_is_not_ignored_without_a_reason() {
        let text = r#"ignore = [{ id = "RUSTSEC-2024-0001" }]"#;

        assert!(toml::from_str::<Advisories>(text).is_err());
    }
}
