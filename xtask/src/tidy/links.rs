//! Links of the documents lead somewhere, and every decision record is in the index.

use std::path::{Path, PathBuf};

use super::Finding;
use crate::Result;
use crate::metadata::Workspace;

const RECORDS: &str = "docs/adr";

/// Checks the Markdown files at the root and below `docs`.
pub(crate) fn check(workspace: &Workspace) -> Result<Finding> {
    let root = &workspace.root;
    let mut pages = markdown(root)?;
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        pages.extend(markdown(&folder)?);
        for entry in std::fs::read_dir(&folder)? {
            folders.extend(Some(entry?.path()).filter(|path| path.is_dir()));
        }
    }
    let (mut found, mut count) = (Vec::new(), 0);
    for page in &pages {
        let text = std::fs::read_to_string(page)?;
        let folder = page.parent().unwrap_or(root);
        let name = page.strip_prefix(root)?.display();
        count += files(&text).len();
        let dead = dead(&text, |link| folder.join(link).exists());
        found.extend(
            dead.into_iter()
                .map(|link| format!("{name}: the link to {link} leads nowhere")),
        );
    }
    let index = std::fs::read_to_string(root.join(RECORDS).join("README.md"))?;
    let records = markdown(&root.join(RECORDS))?;
    found.extend(not_in_index(&records, &index));
    Ok(Finding::of(found, || {
        format!("{count} links in {} documents", pages.len())
    }))
}

fn markdown(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(pages)
}

/// The links to files: `[text](path)`, without their anchors.
fn files(text: &str) -> Vec<&str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0));
    let paths = targets.map(|target| target.split('#').next().unwrap_or(target));
    paths
        .filter(|path| !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:"))
        .collect()
}

fn dead(text: &str, exists: impl Fn(&str) -> bool) -> Vec<&str> {
    files(text)
        .into_iter()
        .filter(|link| !exists(link))
        .collect()
}

fn not_in_index(records: &[PathBuf], index: &str) -> Vec<String> {
    let names = records.iter().filter_map(|path| path.file_name()?.to_str());
    let missing =
        names.filter(|name| *name != "README.md" && !index.contains(&format!("]({name})")));
    missing
        .map(|name| format!("{RECORDS}/README.md does not list {name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_caught() {
        let text = "see [a](a.md#part), [b](src/b.rs), [c](https://c) and [d](#d)";

        assert_eq!(files(text), ["a.md", "src/b.rs"]);
        assert_eq!(dead(text, |link| link == "a.md"), ["src/b.rs"]);
    }

    #[test]
    fn a_record_missing_from_the_index_is_caught() {
        let records = [
            "docs/adr/README.md",
            "docs/adr/0001-a.md",
            "docs/adr/0002-b.md",
        ]
        .map(PathBuf::from);

        let found = not_in_index(&records, "| [0001](0001-a.md) | a |");

        assert_eq!(found, ["docs/adr/README.md does not list 0002-b.md"]);
    }
}
