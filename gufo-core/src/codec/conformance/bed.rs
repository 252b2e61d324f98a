//! [`Bed`]: what a check works with.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{Capabilities, Suite, messages::Rich, stack};
use crate::{
    Bytes, Code, Format, Status, Wire,
    codec::{ProstSerde, Serde},
    conformance::{Failure, Outcome, Verdict, brief},
    random::SplitMix,
};

/// A message of the suite: it has every typed format.
pub(super) trait Sample:
    prost::Message + fmt::Debug + Default + Clone + PartialEq + Serialize + DeserializeOwned
{
}

impl<T: prost::Message + fmt::Debug + Default + Clone + PartialEq + Serialize + DeserializeOwned>
    Sample for T
{
}

/// The format under test, and how a check reads and writes with it.
#[derive(Debug)]
pub(super) struct Bed {
    pub(super) suite: Suite,
}

impl Bed {
    pub(super) fn new(suite: Suite) -> Self {
        Self { suite }
    }

    pub(super) fn format(&self) -> &Format {
        &self.suite.format
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.suite.capabilities
    }

    /// Chance that follows from the seed of the suite.
    pub(super) fn random(&self) -> SplitMix {
        SplitMix::new(self.suite.seed)
    }

    /// True for the format that has bytes and no messages.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self.format(), Format::Raw)
    }

    /// The end of a check about messages for the raw format, which must refuse them.
    pub(super) fn refuses_messages(&self) -> Verdict {
        let written = self.try_encode(&Rich::default()).map(drop);
        let read = self.try_decode::<Rich>(Bytes::new()).map(drop);
        for refused in [written, read] {
            let code = refused.err().map(|status| status.code());
            if code != Some(Code::Unimplemented) {
                let format = self.format();
                return Err(Failure::new(format!(
                    "a message in {format} gives {code:?}"
                )));
            }
        }
        Ok(Outcome::NotDeclared)
    }

    pub(super) fn try_encode<T: Sample>(&self, message: &T) -> Result<Bytes, Status> {
        match self.format() {
            Format::Custom(_) => <Serde as Wire<T>>::encode(message, self.format()),
            _ => <ProstSerde as Wire<T>>::encode(message, self.format()),
        }
    }

    fn try_decode<T: Sample>(&self, bytes: Bytes) -> Result<T, Status> {
        match self.format() {
            Format::Custom(_) => <Serde as Wire<T>>::decode(bytes, self.format()),
            _ => <ProstSerde as Wire<T>>::decode(bytes, self.format()),
        }
    }

    /// The encoded message.
    #[track_caller]
    pub(super) fn encode<T: Sample>(&self, message: &T) -> Result<Bytes, Failure> {
        match self.try_encode(message) {
            Ok(bytes) => Ok(bytes),
            Err(status) => Err(Failure::new(format!("cannot encode: {status:?}"))),
        }
    }

    /// The decoded message, or `None` when the bytes are refused with `InvalidArgument`.
    #[track_caller]
    pub(super) fn decode<T: Sample>(&self, bytes: &Bytes) -> Result<Option<T>, Failure> {
        let decoding = || self.try_decode::<T>(bytes.clone());
        let wrong = match catch_unwind(AssertUnwindSafe(decoding)) {
            Ok(Ok(message)) => return Ok(Some(message)),
            Ok(Err(status)) if status.code() == Code::InvalidArgument => return Ok(None),
            Ok(Err(status)) => format!("gives {status:?}"),
            Err(panic) => format!("panics: {}", panic_text(&*panic)),
        };
        Err(Failure::new(format!("decoding {} {wrong}", Shown(bytes))))
    }

    /// The decoded message; what is refused fails the check.
    #[track_caller]
    pub(super) fn accepted<T: Sample>(&self, bytes: &Bytes) -> Result<T, Failure> {
        match self.decode(bytes)? {
            Some(message) => Ok(message),
            None => Err(Failure::new(format!("{} is refused", Shown(bytes)))),
        }
    }

    /// Fails the check when the bytes are taken for a message.
    #[track_caller]
    pub(super) fn refused<T: Sample>(&self, bytes: &Bytes) -> Result<(), Failure> {
        match self.decode::<T>(bytes)? {
            None => Ok(()),
            Some(message) => Err(Failure::new(format!(
                "{} is taken for {}",
                Shown(bytes),
                brief(&message)
            ))),
        }
    }

    /// Fails the check unless the bytes are refused, or a message that comes back when it is written.
    #[track_caller]
    pub(super) fn refused_or_sound<T: Sample>(&self, bytes: &Bytes) -> Result<(), Failure> {
        let Some(message) = self.decode::<T>(bytes)? else {
            return Ok(());
        };
        let once = self.encode(&message)?;
        let twice = self.encode(&self.accepted::<T>(&once)?)?;
        // Compared as bytes, since damage may have made a NaN.
        if once == twice {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} is taken for {}, which does not come back",
            Shown(bytes),
            brief(&message)
        )))
    }

    /// Fails the check unless the message comes back unchanged.
    #[track_caller]
    pub(super) fn comes_back<T: Sample>(&self, message: &T) -> Result<(), Failure> {
        let bytes = self.encode(message)?;
        let read: T = self.accepted(&bytes)?;
        if read == *message {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} comes back as {}",
            brief(message),
            brief(&read)
        )))
    }

    /// Decodes, and answers the bytes of stack it took.
    #[track_caller]
    pub(super) fn stack_of<T: Sample>(&self, bytes: &Bytes) -> Result<(Option<T>, usize), Failure> {
        let (decoded, used) = stack::used(|| self.decode(bytes));
        Ok((decoded?, used))
    }
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is not text")
}

/// The beginning of some bytes.
pub(super) struct Shown<'a>(pub(super) &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 120;
        let begin = &self.0[..self.0.len().min(MOST)];
        write!(f, "{} bytes b\"{}\"", self.0.len(), begin.escape_ascii())?;
        if self.0.len() > MOST {
            f.write_str("...")?;
        }
        Ok(())
    }
}
