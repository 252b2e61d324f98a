//! The checks, by what they are about.

pub(super) mod addresses;
pub(super) mod calls;
pub(super) mod cancel;
pub(super) mod deadlines;
pub(super) mod endings;
pub(super) mod formats;
pub(super) mod limits;
pub(super) mod load;
pub(super) mod memory;
pub(super) mod metadata;
pub(super) mod shutdown;
pub(super) mod state;
pub(super) mod streams;

use super::Failure;

/// Something that must be there is not.
#[track_caller]
fn lost(what: &str) -> Failure {
    Failure::new(format!("{what} is lost"))
}
