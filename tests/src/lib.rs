//! Suites that need more than one crate, and the services they call: `gufo-build` makes them of
//! `proto/`.

pub mod polite;

/// `greeter.proto`.
pub mod greeter {
    gufo::include_proto!("greeter");
}

/// `greeter.proto` again, with handlers that answer with metadata.
pub mod greeter_responses {
    include!(concat!(env!("OUT_DIR"), "/responses/greeter.rs"));
}

/// `animals.proto`, which `zoo.proto` imports.
pub mod animals {
    gufo::include_proto!("animals");
}

/// `zoo.proto`: what `.proto` files can say.
pub mod zoo {
    /// Version 1.
    pub mod v1 {
        gufo::include_proto!("zoo.v1");
    }
}

/// `greeter.proto` as tonic generates it.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::clone_on_ref_ptr,
    clippy::use_self,
    reason = "tonic's code is what it is"
)]
pub mod tonic_greeter {
    include!(concat!(env!("OUT_DIR"), "/tonic/greeter.rs"));
}
