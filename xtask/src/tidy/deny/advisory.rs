//! Advisories of the RustSec database, `crates/<name>/RUSTSEC-*.md`: a block of TOML between
//! fences, then prose.

use std::path::Path;

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::Result;
use crate::metadata::Package;

/// What was found, and how many advisories were read to find it.
pub(super) struct Report {
    pub(super) complaints: Vec<String>,
    pub(super) read: usize,
}

#[derive(Debug, Deserialize)]
struct Entry {
    advisory: Advisory,
    #[serde(default)]
    versions: Versions,
}

#[derive(Debug, Deserialize)]
struct Advisory {
    id: String,
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Versions {
    patched: Vec<String>,
    unaffected: Vec<String>,
}

/// Holds every crate that comes from a registry against the database.
///
/// # Errors
/// When there is no database, or an advisory of one of our crates cannot be read: a check that
/// skips what it does not understand would pass by accident.
pub(super) fn check(crates: &[Package], database: &Path, ignored: &[&str]) -> Result<Report> {
    let folder = database.join("crates");
    if !folder.is_dir() {
        return Err(format!(
            "{} holds no advisories: there is no folder `crates`",
            database.display()
        )
        .into());
    }
    let mut report = Report {
        complaints: Vec::new(),
        read: 0,
    };
    for package in crates.iter().filter(|package| package.source.is_some()) {
        let Ok(entries) = std::fs::read_dir(folder.join(&package.name)) else {
            continue;
        };
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        for path in paths {
            let found = complaint(package, &std::fs::read_to_string(&path)?, ignored);
            report
                .complaints
                .extend(found.map_err(|error| format!("cannot read {}: {error}", path.display()))?);
            report.read += 1;
        }
    }
    Ok(report)
}

fn complaint(package: &Package, text: &str, ignored: &[&str]) -> Result<Option<String>> {
    let entry: Entry = toml::from_str(front_matter(text)?)?;
    let advisory = &entry.advisory;
    if advisory.withdrawn.is_some() || ignored.contains(&advisory.id.as_str()) {
        return Ok(None);
    }
    let version = Version::parse(&package.version)?;
    for range in entry
        .versions
        .patched
        .iter()
        .chain(&entry.versions.unaffected)
    {
        if VersionReq::parse(range)?.matches(&version) {
            return Ok(None);
        }
    }
    let kind = advisory.informational.as_deref().unwrap_or("vulnerable");
    let patched = match entry.versions.patched.as_slice() {
        [] => "no patched version".to_owned(),
        ranges => format!("patched in {}", ranges.join(" or ")),
    };
    Ok(Some(format!(
        "{} {} is {kind}: {}, {patched}",
        package.name, package.version, advisory.id
    )))
}

fn front_matter(text: &str) -> Result<&str> {
    let (_, rest) = text
        .split_once("```toml")
        .ok_or("there is no block of TOML")?;
    let (block, _) = rest
        .split_once("\n```")
        .ok_or("the block of TOML has no end")?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2026-0001\"\npackage = \"h2\"\n\n\
        [versions]\npatched = [\"^0.3.24\", \">= 0.4.2\"]\nunaffected = [\"< 0.2.0\"]\n```\n\n# A flood\n";

    fn found(version: &str, text: &str, ignored: &[&str]) -> Option<String> {
        let package = Package {
            name: "h2".into(),
            version: version.into(),
            ..Package::default()
        };
        complaint(&package, text, ignored).unwrap()
    }

    #[test]
    fn a_vulnerable_version_is_caught() {
        let expected = "is vulnerable: RUSTSEC-2026-0001, patched in ^0.3.24 or >= 0.4.2";

        for version in ["0.4.1", "0.3.23", "0.2.0"] {
            assert_eq!(
                found(version, TEXT, &[]),
                Some(format!("h2 {version} {expected}"))
            );
        }
    }

    #[test]
    fn a_patched_or_unaffected_version_passes() {
        for version in ["0.4.2", "0.3.24", "0.1.9", "1.0.0"] {
            assert_eq!(found(version, TEXT, &[]), None);
        }
    }

    #[test]
    fn an_unmaintained_crate_without_ranges_is_caught() {
        let text = "```toml\n[advisory]\nid = \"RUSTSEC-2026-0002\"\ninformational = \"unmaintained\"\n\
            [versions]\npatched = []\n```\n";

        assert_eq!(
            found("9.9.9", text, &[]),
            Some("h2 9.9.9 is unmaintained: RUSTSEC-2026-0002, no patched version".into())
        );
    }

    #[test]
    fn withdrawn_and_ignored_advisories_pass() {
        let withdrawn = TEXT.replace("package = \"h2\"", "withdrawn = \"2026-01-01\"");

        assert_eq!(found("0.4.1", &withdrawn, &[]), None);
        assert_eq!(found("0.4.1", TEXT, &["RUSTSEC-2026-0001"]), None);
    }

    #[test]
    fn an_advisory_that_cannot_be_read_is_an_error() {
        let package = Package {
            name: "h2".into(),
            version: "0.4.1".into(),
            ..Package::default()
        };

        for broken in [
            "",
            "```toml\n[advisory]\n",
            "```toml\nid = 3\n```\n",
            &TEXT.replace("^0.3.24", "soon"),
        ] {
            assert!(
                complaint(&package, broken, &[]).is_err(),
                "accepted: {broken}"
            );
        }
    }

    #[test]
    fn a_folder_without_advisories_is_an_error() {
        let error = check(&[], Path::new(env!("CARGO_MANIFEST_DIR")), &[])
            .err()
            .unwrap();

        assert!(error.to_string().contains("holds no advisories"), "{error}");
    }
}
