//! The checks, by module.

pub(super) mod bytes;
pub(super) mod garbage;
pub(super) mod golden;
pub(super) mod integers;
pub(super) mod memory;
pub(super) mod names;
pub(super) mod nesting;
pub(super) mod round_trip;
pub(super) mod tolerance;

/// Ends a check about messages for the format that has none.
macro_rules! messages_only {
    ($bed:ident) => {
        if $bed.is_raw() {
            return $bed.refuses_messages();
        }
    };
}
use messages_only;
