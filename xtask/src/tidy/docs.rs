//! Drift between the documents and the workspace.

use std::collections::BTreeSet;

use super::Finding;
use crate::Result;
use crate::metadata::{Package, Workspace};

/// Documents whose commands people copy.
const DOCUMENTS: &[&str] = &["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"];

/// The tasks of this program.
const TASKS: &[&str] = &["tidy", "test", "help"];

/// Every member is named in ARCHITECTURE.md.
pub(crate) fn code_map(workspace: &Workspace) -> Result<Finding> {
    let map = read(workspace, "ARCHITECTURE.md")?;
    let found = missing_from_map(&workspace.members, &map);
    Ok(Finding::of(found, || {
        format!("{} members in ARCHITECTURE.md", workspace.members.len())
    }))
}

/// The cargo commands in the documents name packages, binaries, examples and tests that exist.
pub(crate) fn commands(workspace: &Workspace) -> Result<Finding> {
    let (mut found, mut count) = (Vec::new(), 0);
    for document in DOCUMENTS {
        let text = read(workspace, document)?;
        for command in shell_commands(&text) {
            count += 1;
            found.extend(
                wrong_command(&workspace.members, &command)
                    .map(|wrong| format!("{document}: `{command}`: {wrong}")),
            );
        }
    }
    Ok(Finding::of(found, || format!("{count} commands")))
}

/// CHANGELOG.md has a section for the version of the workspace, or one for what is unreleased.
pub(crate) fn changelog(workspace: &Workspace) -> Result<Finding> {
    let versions: BTreeSet<&str> = workspace
        .published()
        .map(|package| package.version.as_str())
        .collect();
    let text = read(workspace, "CHANGELOG.md")?;
    let found = versions
        .iter()
        .filter(|version| !has_section(&text, version));
    let found = found.map(|version| {
        format!("CHANGELOG.md has no section `[{version}]` and none for what is unreleased")
    });
    Ok(Finding::of(found.collect(), || {
        "has a section for this version".into()
    }))
}

fn read(workspace: &Workspace, name: &str) -> Result<String> {
    std::fs::read_to_string(workspace.root.join(name))
        .map_err(|error| format!("cannot read {name}: {error}").into())
}

fn missing_from_map(members: &[Package], map: &str) -> Vec<String> {
    let words: BTreeSet<&str> = map
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_/".contains(c))
        .map(|word| word.trim_matches('/'))
        .collect();
    let missing = members
        .iter()
        .filter(|member| !words.contains(member.name.as_str()));
    missing
        .map(|member| format!("ARCHITECTURE.md does not name {}", member.name))
        .collect()
}

/// The commands in fenced blocks: lines that start with `cargo` or `.ci/run`, after a prompt if
/// there is one, continued lines joined.
fn shell_commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let mut inside = false;
    let mut commands = Vec::new();
    for line in joined.lines().map(str::trim) {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            let line = line.strip_prefix("$ ").unwrap_or(line);
            if line.starts_with("cargo ") || line.starts_with(".ci/") {
                commands.push(line.to_owned());
            }
        }
    }
    commands
}

fn wrong_command(members: &[Package], command: &str) -> Option<String> {
    let words: Vec<&str> = command
        .split_whitespace()
        .take_while(|word| *word != "--" && *word != "#")
        .collect();
    let after = |flags: &[&str]| {
        words
            .windows(2)
            .find(|pair| flags.contains(&pair[0]))
            .map(|pair| pair[1])
    };
    match words.get(1).copied() {
        Some("xtask") => {
            let task = words.get(2).copied().unwrap_or_default();
            return (!TASKS.contains(&task)).then(|| format!("there is no task `{task}`"));
        }
        Some("run" | "test" | "check" | "bench" | "build") => {}
        _ => return None,
    }
    let package = after(&["-p", "--package"]);
    if let Some(name) = package.filter(|name| !members.iter().any(|member| member.name == *name)) {
        return Some(format!("there is no package `{name}`"));
    }
    let here: Vec<&Package> = members
        .iter()
        .filter(|member| package.is_none_or(|name| member.name == name))
        .collect();
    for kind in ["bin", "example", "test", "bench"] {
        let name = after(&[&format!("--{kind}")]);
        if let Some(name) = name.filter(|name| !here.iter().any(|member| member.has(kind, name))) {
            return Some(format!("there is no {kind} `{name}`"));
        }
    }
    None
}

fn has_section(changelog: &str, version: &str) -> bool {
    let titles = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## "));
    titles
        .map(|title| title.trim_start_matches('['))
        .any(|title| {
            title.starts_with("Unreleased") || title.split([']', ' ']).next() == Some(version)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Target;

    fn member(name: &str, kind: &str, target: &str) -> Package {
        let target = Target {
            name: target.into(),
            kind: vec![kind.into()],
        };
        Package {
            name: name.into(),
            targets: vec![target],
            ..Package::default()
        }
    }

    #[test]
    fn a_member_missing_from_the_map_is_caught() {
        let members = [
            member("gufo", "lib", "gufo"),
            member("gufo-core", "lib", "gufo_core"),
        ];

        assert_eq!(
            missing_from_map(&members, "the crate `gufo-core`"),
            ["ARCHITECTURE.md does not name gufo"]
        );
        assert_eq!(
            missing_from_map(&members, "`gufo-core/`, then `gufo`."),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_command_that_does_not_exist_is_caught() {
        let members = [
            member("gufo-examples", "bin", "quickstart"),
            member("gufo-tests", "test", "hostile"),
        ];
        let wrong = |command: &str| wrong_command(&members, command);

        for fine in [
            "cargo run --release -p gufo-examples --bin quickstart -- --bin x",
            "cargo test -p gufo-tests --test hostile",
            "cargo xtask test --install",
            "cargo add gufo",
            ".ci/run",
        ] {
            assert_eq!(wrong(fine), None, "{fine}");
        }
        for bad in [
            "cargo run -p gufo-example --bin quickstart",
            "cargo run -p gufo-examples --bin quickstar",
            "cargo run --example quickstart",
            "cargo test -p gufo-examples --test hostile",
            "cargo xtask tidi",
        ] {
            assert!(wrong(bad).is_some(), "not caught: {bad}");
        }
    }

    #[test]
    fn commands_are_read_from_fenced_blocks_alone() {
        let text = "cargo run here\n```sh\n$ cargo run \\\n  -p x\nls\n.ci/run\n```\ncargo test\n";

        assert_eq!(shell_commands(text), ["cargo run    -p x", ".ci/run"]);
    }

    #[test]
    fn a_changelog_without_this_version_is_caught() {
        assert!(has_section("## [Unreleased]\n", "0.1.0"));
        assert!(has_section("## [0.1.0] - 2026-01-01\n", "0.1.0"));
        assert!(!has_section("## [0.1.0-rc.1]\n## [0.0.9]\n", "0.1.0"));
    }
}
