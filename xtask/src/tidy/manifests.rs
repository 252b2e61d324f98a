//! The manifests: one set of lints and versions for all members.

use toml::{Table, Value};

use super::Finding;
use crate::Result;
use crate::metadata::Workspace;

/// Checks that every member takes lints and versions from the workspace.
pub(crate) fn check(workspace: &Workspace) -> Result<Finding> {
    let mut found = Vec::new();
    for member in &workspace.members {
        let text = std::fs::read_to_string(&member.manifest_path)?;
        found.extend(complaints(&member.name, &text)?);
    }
    let (members, crates) = (workspace.members.len(), workspace.crates.len());
    Ok(Finding::of(found, || {
        format!("{members} members, {crates} crates in all")
    }))
}

fn complaints(name: &str, manifest: &str) -> Result<Vec<String>> {
    let manifest: Table = manifest.parse()?;
    let mut found = Vec::new();
    if !inherits(manifest.get("lints")) {
        found.push(format!("{name}: `[lints] workspace = true` is missing"));
    }
    for key in ["version", "edition", "rust-version", "license"] {
        if !inherits(manifest.get("package").and_then(|package| package.get(key))) {
            found.push(format!("{name}: `{key}` must come from the workspace"));
        }
    }
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let table = manifest
            .get(kind)
            .and_then(Value::as_table)
            .into_iter()
            .flatten();
        // A path without a version is how a test dependency back up the house stays out of the
        // published crate.
        let own = table.filter(|(_, value)| !inherits(Some(value)) && !is_bare_path(kind, value));
        found.extend(own.map(|(key, _)| {
            format!("{name}: the version of `{key}` must come from the workspace")
        }));
    }
    Ok(found)
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

fn is_bare_path(kind: &str, value: &Value) -> bool {
    kind == "dev-dependencies" && value.get("path").is_some() && value.get("version").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [package]
        name = "x"
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true
        [dependencies]
        bytes.workspace = true
        [dev-dependencies]
        gufo = { path = "../gufo" }
        [lints]
        workspace = true
    "#;

    #[test]
    fn a_manifest_that_takes_all_from_the_workspace_passes() {
        assert_eq!(complaints("x", GOOD).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_caught() {
        let bad = GOOD.replace("bytes.workspace = true", r#"bytes = "1""#);

        assert_eq!(
            complaints("x", &bad).unwrap(),
            ["x: the version of `bytes` must come from the workspace"]
        );
    }

    #[test]
    fn a_member_without_the_lints_is_caught() {
        let bad = GOOD.replace("[lints]", "[lint]");

        assert_eq!(
            complaints("x", &bad).unwrap(),
            ["x: `[lints] workspace = true` is missing"]
        );
    }

    #[test]
    fn an_edition_of_its_own_is_caught() {
        let bad = GOOD.replace("edition.workspace = true", r#"edition = "2021""#);

        assert_eq!(
            complaints("x", &bad).unwrap(),
            ["x: `edition` must come from the workspace"]
        );
    }
}
