//! The messages of the suite.

mod binary;
mod nested;
mod rich;
mod shapes;
mod versions;

pub(super) use nested::{Nested, Skipping};
pub(super) use rich::{Claims, Empty, Floats, Inner, Rich, filled, sample};
pub(super) use shapes::{Shapes, shapes};
pub(super) use versions::{
    Collections, Fraction, Longer, Newer, Nulls, Older, Short, Signed, Small, Unsigned,
};

/// Every byte there is.
pub(super) fn all_bytes() -> Vec<u8> {
    (0..=u8::MAX).collect()
}
