//! The programs whose builds are compared.

use std::fs;
use std::path::Path;

use crate::Result;

/// A package with one source file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The `[dependencies]` of the package; `WORKSPACE` stands for the folder of this workspace.
    dependencies: &'static str,
    source: &'static str,
}

/// The baseline comes first.
pub(crate) const PROGRAMS: [Program; 2] = [
    Program {
        name: "tonic-hello",
        dependencies: r#"
prost = "0.14"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
tonic = "0.14"
tonic-prost = "0.14"
"#,
        source: include_str!("tonic_hello.rs.txt"),
    },
    Program {
        name: "gufo-hello",
        dependencies: r#"
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[dependencies.gufo]
path = "WORKSPACE/gufo"
default-features = false
features = ["client", "server", "macros", "transport-grpc", "codec-json"]
"#,
        source: include_str!("gufo_hello.rs.txt"),
    },
];

impl Program {
    /// Writes the package into an empty folder.
    pub(super) fn write(&self, folder: &Path, workspace: &Path) -> Result<()> {
        let workspace = workspace
            .to_str()
            .ok_or("the path of the workspace is not text")?;
        // Its own workspace: it lies below this one without being a part of it.
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [workspace]\n\n[dependencies]{}",
            self.name,
            self.dependencies.replace("WORKSPACE", workspace),
        );
        fs::create_dir_all(folder.join("src"))?;
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/main.rs"), self.source)?;
        Ok(())
    }
}
