//! The checks, by what they are about.

pub(super) mod calls;
pub(super) mod streams;
