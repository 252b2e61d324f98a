//! Config: how code is generated.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::{Error, check, emit, source::Sources};

/// How code is generated. Made by [`configure`](crate::configure).
///
/// ```no_run
/// # fn main() -> Result<(), gufo_build::Error> {
/// gufo_build::configure()
///     .gufo_path("::gufo_server")
///     .type_attribute("greeter.HelloRequest", "#[derive(PartialOrd)]")
///     .compile(&["proto/greeter.proto"], &["proto"])
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) gufo_path: String,
    pub(crate) responses: bool,
    out_dir: Option<PathBuf>,
    pub(crate) extern_paths: Vec<(String, String)>,
    pub(crate) type_attributes: Vec<(String, String)>,
    pub(crate) field_attributes: Vec<(String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            gufo_path: "::gufo".to_owned(),
            responses: false,
            out_dir: None,
            extern_paths: Vec::new(),
            type_attributes: Vec::new(),
            field_attributes: Vec::new(),
        }
    }
}

impl Config {
    /// The crate that generated code names: one with `service` and `core` in it. Default: `::gufo`.
    #[must_use]
    pub fn gufo_path(mut self, path: impl Into<String>) -> Self {
        self.gufo_path = path.into();
        self
    }

    /// Lets handlers answer with metadata: methods give `Response<Reply>` instead of `Reply`.
    /// Default: the bare reply.
    #[must_use]
    pub fn responses(mut self) -> Self {
        self.responses = true;
        self
    }

    /// Where files are written. Default: `OUT_DIR`, as cargo sets it.
    #[must_use]
    pub fn out_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(path.into());
        self
    }

    /// Uses Rust code that exists for a package or a type: `extern_path(".a.b", "::other::a::b")`.
    /// Default: `.google.protobuf` is `::pbjson_types`. No code is generated for what is named.
    #[must_use]
    pub fn extern_path(mut self, proto: impl Into<String>, rust: impl Into<String>) -> Self {
        self.extern_paths.push((proto.into(), rust.into()));
        self
    }

    /// Adds an attribute to the messages, enums and oneofs whose full name ends with `path`, or
    /// starts with it when it starts with a dot.
    #[must_use]
    pub fn type_attribute(mut self, path: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.type_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Adds an attribute to fields, by the rule of [`Config::type_attribute`].
    #[must_use]
    pub fn field_attribute(
        mut self,
        path: impl Into<String>,
        attribute: impl Into<String>,
    ) -> Self {
        self.field_attributes.push((path.into(), attribute.into()));
        self
    }

    /// Compiles `.proto` files and all they import. Files whose contents stay the same are left
    /// alone, and cargo is told to look at the sources.
    ///
    /// # Errors
    /// What is wrong in the files, with file and line where there is one.
    pub fn compile(
        &self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<(), Error> {
        let out_dir = match &self.out_dir {
            Some(path) => path.clone(),
            None => env::var_os("OUT_DIR").map(PathBuf::from).ok_or_else(|| {
                Error::new("OUT_DIR is not set: call gufo_build from build.rs, or set out_dir")
            })?,
        };
        let sources = Sources::read(protos, includes)?;
        for path in sources.paths() {
            tell_cargo(path);
        }
        let services = check::check(&sources)?;
        for (name, contents) in emit::files(self, &sources, services)? {
            write_if_changed(&out_dir.join(name), &contents)?;
        }
        Ok(())
    }
}

#[allow(
    clippy::print_stdout,
    reason = "this is how a build script talks to cargo"
)]
fn tell_cargo(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

fn write_if_changed(path: &Path, contents: &[u8]) -> Result<(), Error> {
    match fs::read(path) {
        Ok(found) if found == contents => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::file("read", path, &error)),
    }
    fs::write(path, contents).map_err(|error| Error::file("write", path, &error))
}
