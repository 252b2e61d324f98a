//! Text in any file of the repository: reminders without an issue, ignored tests, paths of
//! somebody's machine.

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::metadata::Workspace;
use crate::{Result, process};

/// Marks of unfinished work; each needs an issue number on its line. Spelled in two halves, so
/// that this file passes its own check.
const REMINDERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// What would leave a test out.
const IGNORE: &str = concat!("#[ign", "ore");

/// Folders below which a path names somebody's machine.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("C:\\Us", "ers"),
];

/// Folders that every machine has: a repository right below one gives no name worth looking for.
const COMMON: &[&str] = &[
    "/", "/build", "/builds", "/home", "/mnt", "/opt", "/root", "/src", "/srv", "/tmp", "/usr/src",
    "/var/tmp",
];

/// Checks every text file that git knows or would add.
pub(crate) fn check(workspace: &Workspace) -> Result<Finding> {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let names = process::stdout(&mut git)?;
    let mut places: Vec<String> = HOMES.iter().map(|home| (*home).to_owned()).collect();
    places.extend(neighbourhood(&workspace.root));
    let (mut found, mut count) = (Vec::new(), 0);
    for name in names.split_terminator('\0') {
        // A file may be listed and gone, or not be text; neither holds lines to check.
        let Ok(text) = std::fs::read_to_string(workspace.root.join(name)) else {
            continue;
        };
        count += 1;
        found.extend(complaints(name, &text, &places));
    }
    Ok(Finding::of(found, || format!("{count} files")))
}

/// The folder this checkout lies in, when it can only be this machine's.
fn neighbourhood(root: &Path) -> Option<String> {
    let parent = root.parent()?.to_str()?;
    (!COMMON.contains(&parent)).then(|| format!("{parent}/"))
}

fn complaints(name: &str, text: &str, places: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let is_code = [".rs", ".py", ".proto", ".toml", ".sh"]
        .iter()
        .any(|ending| name.ends_with(ending));
    for (number, line) in (1..).zip(text.lines()) {
        let mut complain = |what: String| found.push(format!("{name}:{number}: {what}"));
        for reminder in REMINDERS
            .iter()
            .filter(|reminder| is_code && has_word(line, reminder))
        {
            if !names_an_issue(line) {
                complain(format!("{reminder} without an issue number"));
            }
        }
        if name.ends_with(".rs") && line.trim_start().starts_with(IGNORE) {
            complain("no test is ignored: one that lacks something fails and says what".into());
        }
        for place in places.iter().filter(|place| has_path(line, place)) {
            complain(format!("names a path of a machine, {place}"));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|part| part == word)
}

fn names_an_issue(line: &str) -> bool {
    line.split('#')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// True when `place` stands where a path begins, not inside a longer path or an address.
fn has_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./-_}~>*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, line: &str) -> usize {
        complaints(name, line, &[HOMES[0].into(), "/yard/".into()]).len()
    }

    #[test]
    fn a_reminder_without_an_issue_is_caught() {
        let reminder = REMINDERS[0];

        assert_eq!(found("a.rs", &format!("// {reminder}: later")), 1);
        assert_eq!(found("a.rs", &format!("// {reminder}(#12): later")), 0);
        assert_eq!(found("a.rs", &format!("let {reminder}S = 1;")), 0);
    }

    #[test]
    fn an_ignored_test_is_caught_with_a_reason_too() {
        assert_eq!(found("a.rs", &format!("    {IGNORE}]")), 1);
        assert_eq!(found("a.rs", &format!("    {IGNORE} = \"slow\"]")), 1);
        assert_eq!(found("a.md", &format!("    {IGNORE}]")), 0);
    }

    #[test]
    fn a_path_of_a_machine_is_caught() {
        let home = HOMES[0];

        assert_eq!(found("a.md", &format!("see {home}owl/notes")), 1);
        assert_eq!(found("a.sh", "cd /yard/main"), 1);
        assert_eq!(found("a.md", "src/yard/file.rs and http://host/yard/"), 0);
    }

    #[test]
    fn only_an_own_folder_is_a_neighbourhood() {
        assert_eq!(
            neighbourhood(Path::new("/yard/main")),
            Some("/yard/".into())
        );
        assert_eq!(neighbourhood(Path::new("/tmp/gufo")), None);
        assert_eq!(neighbourhood(Path::new("/gufo")), None);
    }
}
