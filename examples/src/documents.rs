//! The Rust code of the documents, compiled and run as doctests of this crate.

#[cfg(doctest)]
macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {$(
        #[doc = include_str!(concat!("../../", $path))]
        struct $name;
    )*};
}

#[cfg(doctest)]
documents! {
    Readme: "README.md",
    FirstService: "docs/guide/first-service.md",
    StreamsGuide: "docs/guide/streaming.md",
    Deadlines: "docs/guide/deadlines-and-cancellation.md",
    Transports: "docs/guide/transports.md",
    Testing: "docs/guide/testing.md",
    WritingABackend: "docs/guide/writing-a-backend.md",
}
