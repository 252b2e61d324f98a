//! Describe: what messages look like, for reflection.
//!
//! `#[derive(Describe)]` implements the trait, `#[gufo::service]` collects what it says into the
//! service's file descriptors. A type that does not implement it still has a name: reflection shows
//! it as a message without fields.

mod field;
mod file;
mod service;
mod types;

pub use field::{Field, Scalar};
pub use service::ServiceDescription;
pub use types::{MessageType, Types};

use std::marker::PhantomData;

/// A type that says what it looks like as a field of a message.
///
/// ```
/// use gufo_core::describe::{Describe, Field, Scalar, Types};
///
/// struct HelloRequest {
///     name: String,
/// }
///
/// // What the derive writes.
/// impl Describe for HelloRequest {
///     fn describe(types: &mut Types) -> Field {
///         types.message::<Self>("HelloRequest", "Whom to greet.", |message| {
///             message.field("name", 1, "", Field::scalar(Scalar::String));
///         })
///     }
/// }
/// # let _ = HelloRequest { name: String::new() }.name;
/// ```
pub trait Describe: 'static {
    /// The type as a field; a message or an enum adds itself to the types.
    fn describe(types: &mut Types) -> Field;
}

/// Asks whether a concrete type implements [`Describe`]. Generated code calls
/// `(&Probe::<T>::new()).field(types)` with both traits of this module in scope: the compiler
/// takes [`Known`] where it can, [`Unknown`] otherwise.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    /// A question about `T`.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a question, not a value")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The answer for types that implement [`Describe`].
pub trait Known {
    /// What the type says of itself.
    fn field(&self, types: &mut Types) -> Field;

    /// The same, for a type that is known to be an enum.
    fn enumeration(&self, types: &mut Types) -> Field {
        self.field(types)
    }
}

impl<T: Describe> Known for Probe<T> {
    fn field(&self, types: &mut Types) -> Field {
        T::describe(types)
    }
}

/// The answer for all other types.
pub trait Unknown {
    /// A message without fields that has the type's name.
    fn field(&self, types: &mut Types) -> Field;

    /// The number that stands for a value of an enum.
    fn enumeration(&self, _: &mut Types) -> Field {
        Field::scalar(Scalar::Int32)
    }
}

impl<T: 'static> Unknown for &Probe<T> {
    fn field(&self, types: &mut Types) -> Field {
        types.opaque::<T>()
    }
}
