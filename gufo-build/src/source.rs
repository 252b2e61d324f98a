//! Sources: `.proto` files read, parsed and linked.

use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, FileDescriptor};
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver},
};

use crate::Error;

/// Imports that are built in, and for which no code is generated.
const BUILT_IN: [(&str, &str); 2] = [
    (
        "google/api/annotations.proto",
        include_str!("../proto/google/api/annotations.proto"),
    ),
    (
        "google/api/http.proto",
        include_str!("../proto/google/api/http.proto"),
    ),
];

/// The files asked for and all they import.
pub(crate) struct Sources {
    pool: DescriptorPool,
    paths: Vec<PathBuf>,
    /// Names of the files asked for.
    asked: Vec<String>,
}

impl Sources {
    pub(crate) fn read(
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<Self, Error> {
        let mut resolver = ChainFileResolver::new();
        for include in includes {
            let include = include.as_ref();
            if !include.is_dir() {
                return Err(Error::new(format!(
                    "the include path {} is not a directory",
                    include.display()
                )));
            }
            resolver.add(IncludeFileResolver::new(include.to_owned()));
        }
        resolver.add(BuiltIn);
        resolver.add(GoogleFileResolver::new());

        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).include_source_info(true);
        for proto in protos {
            let proto = proto.as_ref();
            compiler.open_file(proto).map_err(|error| {
                // The debug form has the position of a mistake, the other form has not.
                Error::new(format!("cannot compile {}: {error:?}", proto.display()))
            })?;
        }
        let of_files = |wanted: fn(&protox::file::FileMetadata) -> bool| {
            compiler.files().filter(move |file| wanted(file))
        };
        Ok(Self {
            paths: of_files(|file| file.path().is_some())
                .filter_map(|file| file.path().map(Path::to_owned))
                .collect(),
            asked: of_files(|file| !file.is_import())
                .map(|file| file.name().to_owned())
                .collect(),
            pool: compiler.descriptor_pool(),
        })
    }

    pub(crate) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }

    /// The files that were read from disk.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path)
    }

    /// The files for which code is generated: all but Google's, unless they were asked for.
    pub(crate) fn generated(&self) -> impl Iterator<Item = FileDescriptor> {
        self.pool.files().filter(|file| {
            let name = file.name();
            let is_built_in = name.starts_with("google/protobuf/")
                || BUILT_IN.iter().any(|(built_in, _)| *built_in == name);
            !is_built_in || self.asked.iter().any(|asked| asked == name)
        })
    }
}

struct BuiltIn;

impl FileResolver for BuiltIn {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, source)) => File::from_source(name, source),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}
