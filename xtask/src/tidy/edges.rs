//! Who may import whom: the edges of the house, and what core, client and server never touch.

use super::Finding;
use crate::Result;
use crate::metadata::{Dependency, Package, Workspace};

/// One member: the gufo crates it may use, and those it may use in its tests on top.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    tests_may_use: &'static [&'static str],
}

const fn room(
    name: &'static str,
    may_use: &'static [&'static str],
    tests_may_use: &'static [&'static str],
) -> Room {
    Room {
        name,
        may_use,
        tests_may_use,
    }
}

/// What applications may depend on.
const PUBLIC: &[&str] = &[
    "gufo",
    "gufo-build",
    "gufo-client",
    "gufo-core",
    "gufo-macros",
    "gufo-registry",
    "gufo-server",
    "gufo-testkit",
    "gufo-tower",
    "gufo-transport",
];

/// The house. A new edge is a decision record first, then a word here.
const HOUSE: &[Room] = &[
    room("gufo-core", &[], &[]),
    room("gufo-transport", &["gufo-core"], &[]),
    room("gufo-registry", &["gufo-core"], &[]),
    // Client and server are tested against the memory backends.
    room(
        "gufo-client",
        &["gufo-core"],
        &["gufo-transport", "gufo-registry"],
    ),
    room(
        "gufo-server",
        &["gufo-core", "gufo-macros"],
        &["gufo-transport", "gufo-registry"],
    ),
    room("gufo-tower", &["gufo-core"], &[]),
    room("gufo-tower", &["gufo-core"], &["gufo-transport"]),
    // Their tests compile what they emit, as an application would.
    room("gufo-macros", &[], PUBLIC),
    room("gufo-build", &[], PUBLIC),
    room(
        "gufo",
        &[
            "gufo-client",
            "gufo-core",
            "gufo-macros",
            "gufo-registry",
            "gufo-server",
            "gufo-tower",
            "gufo-transport",
        ],
        &["gufo-testkit"],
    ),
    room("gufo-examples", PUBLIC, &[]),
    room("gufo-benches", PUBLIC, &[]),
    room("gufo-testkit", PUBLIC, &[]),
    room("gufo-tests", PUBLIC, &["gufo-examples"]),
    room("gufo-fuzz", PUBLIC, &[]),
    room("xtask", &[], &[]),
];

/// Families of crates that speak to the network or belong to one backend: `tonic` stands for
/// `tonic-health` as well.
const VENDORS: &[&str] = &[
    "h2", "http", "hyper", "mio", "rustls", "socket2", "tonic", "tower",
];

/// Parts of tokio that would give core sockets, files, processes or a terminal.
const TOKIO_IO: &[&str] = &["fs", "full", "io-std", "net", "process", "signal"];

/// Checks every edge between members, and the outside crates of core, client and server.
pub(crate) fn check(workspace: &Workspace) -> Result<Finding> {
    let edges: usize = workspace
        .members
        .iter()
        .map(|member| house_edges(member).count())
        .sum();
    Ok(Finding::of(complaints(&workspace.members), || {
        format!("{edges} edges between gufo crates")
    }))
}

fn complaints(members: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        match HOUSE.iter().find(|room| room.name == member.name) {
            Some(room) => found.extend(wrong_edges(member, room)),
            None => found.push(format!(
                "{} has no row in the house (xtask/src/tidy/edges.rs)",
                member.name
            )),
        }
        match member.name.as_str() {
            "gufo-core" => {
                found.extend(vendors(member));
                found.extend(tokio_io(member));
            }
            "gufo-client" | "gufo-server" => found.extend(vendors(member)),
            _ => {}
        }
    }
    found
}

fn house_edges(member: &Package) -> impl Iterator<Item = &Dependency> {
    member
        .dependencies
        .iter()
        .filter(|dependency| HOUSE.iter().any(|room| room.name == dependency.name))
}

fn wrong_edges(member: &Package, room: &Room) -> Vec<String> {
    let wrong = house_edges(member).filter(|dependency| {
        let name = dependency.name.as_str();
        let by_tests = dependency.is_dev() && room.tests_may_use.contains(&name);
        // A crate may name itself in its tests, to turn its own features on.
        let itself = dependency.is_dev() && name == room.name;
        !room.may_use.contains(&name) && !by_tests && !itself
    });
    let kind = |dependency: &Dependency| {
        dependency
            .kind
            .as_deref()
            .map(|kind| format!(" ({kind})"))
            .unwrap_or_default()
    };
    wrong
        .map(|dependency| {
            format!(
                "{} must not use {}{}",
                member.name,
                dependency.name,
                kind(dependency)
            )
        })
        .collect()
}

/// Outside crates that core, client and server never use, not even behind a feature.
fn vendors(member: &Package) -> Vec<String> {
    let used = member
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_dev());
    let wrong = used.filter(|dependency| is_vendor(&dependency.name));
    wrong
        .map(|dependency| {
            format!(
                "{} must not use the vendor {}",
                member.name, dependency.name
            )
        })
        .collect()
}

fn is_vendor(name: &str) -> bool {
    let family = name.split('-').next().unwrap_or(name);
    VENDORS.contains(&family)
}

fn tokio_io(core: &Package) -> Vec<String> {
    let mut found = Vec::new();
    let tokio = core
        .dependencies
        .iter()
        .filter(|dependency| dependency.name == "tokio" && !dependency.is_dev());
    let io = tokio
        .flat_map(|tokio| &tokio.features)
        .filter(|feature| TOKIO_IO.contains(&feature.as_str()));
    found.extend(io.map(|feature| format!("gufo-core must not turn on tokio/{feature}")));
    for (feature, parts) in &core.features {
        let io = parts
            .iter()
            .filter_map(|part| part.strip_prefix("tokio/").or(part.strip_prefix("tokio?/")));
        let io = io.filter(|part| TOKIO_IO.contains(part));
        found.extend(
            io.map(|part| format!("gufo-core must not turn on tokio/{part} (feature `{feature}`)")),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[Dependency]) -> Package {
        Package {
            name: name.into(),
            dependencies: dependencies.to_vec(),
            ..Package::default()
        }
    }

    fn on(name: &str) -> Dependency {
        Dependency {
            name: name.into(),
            ..Dependency::default()
        }
    }

    fn in_tests_on(name: &str) -> Dependency {
        Dependency {
            kind: Some("dev".into()),
            ..on(name)
        }
    }

    #[test]
    fn the_edges_of_the_design_pass() {
        let members = [
            package("gufo-core", &[on("bytes"), on("tokio")]),
            package(
                "gufo-server",
                &[
                    on("gufo-core"),
                    on("gufo-macros"),
                    in_tests_on("gufo-transport"),
                ],
            ),
        ];

        assert_eq!(complaints(&members), Vec::<String>::new());
    }

    #[test]
    fn a_bad_edge_is_caught() {
        let members = [package(
            "gufo-client",
            &[on("gufo-core"), on("gufo-transport")],
        )];

        assert_eq!(
            complaints(&members),
            ["gufo-client must not use gufo-transport"]
        );
    }

    #[test]
    fn a_bad_build_edge_is_caught() {
        let edge = Dependency {
            kind: Some("build".into()),
            ..on("gufo-build")
        };

        assert_eq!(
            complaints(&[package("gufo-core", &[edge])]),
            ["gufo-core must not use gufo-build (build)"]
        );
    }

    #[test]
    fn nobody_depends_on_the_tools() {
        for tool in ["xtask", "gufo-fuzz", "gufo-benches"] {
            let members = [package("gufo-tests", &[in_tests_on(tool)])];

            assert_eq!(
                complaints(&members),
                [format!("gufo-tests must not use {tool} (dev)")]
            );
        }
    }

    #[test]
    fn a_member_without_a_row_is_caught() {
        let found = complaints(&[package("gufo-surprise", &[])]);

        assert!(
            found[0].starts_with("gufo-surprise has no row"),
            "{found:?}"
        );
    }

    #[test]
    fn a_vendor_in_core_is_caught_even_behind_a_feature() {
        let hyper = Dependency {
            optional: true,
            ..on("hyper")
        };

        assert_eq!(complaints(&[package("gufo-core", &[hyper])]).len(), 1);
    }

    #[test]
    fn sockets_in_core_through_tokio_are_caught() {
        let tokio = Dependency {
            features: vec!["sync".into(), "net".into()],
            ..on("tokio")
        };
        let mut core = package("gufo-core", &[tokio]);
        core.features
            .insert("sneaky".into(), vec!["tokio/process".into()]);

        let found = complaints(&[core]);

        assert_eq!(
            found,
            [
                "gufo-core must not turn on tokio/net",
                "gufo-core must not turn on tokio/process (feature `sneaky`)"
            ]
        );
    }

    #[test]
    fn a_vendor_in_client_or_server_is_caught() {
        for member in ["gufo-client", "gufo-server"] {
            let found = complaints(&[package(member, &[on("tonic-health"), in_tests_on("tonic")])]);

            assert_eq!(
                found,
                [format!("{member} must not use the vendor tonic-health")]
            );
        }
    }
}
