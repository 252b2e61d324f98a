//! The names nearly every file of an application uses: `use gufo::prelude::*;`.

#[cfg(feature = "server")]
pub use crate::Server;
#[cfg(feature = "client")]
pub use crate::{Channel, Connect};
pub use crate::{Code, Context, Error, Metadata, Response, Status, Streaming};
