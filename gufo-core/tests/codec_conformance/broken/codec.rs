//! [`Broken`]: JSON behind a length, read and written as a tree, with one fault.

use std::sync::atomic::{AtomicUsize, Ordering};

use gufo_core::{
    Codec, Status,
    codec::{AnySerialize, DecodeSeed},
};
use serde_json::Value;

use super::{Fault, tree};
use crate::compact;

/// As much as a test may reserve.
const MOST_RESERVED: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct Broken {
    fault: Fault,
    encoded: AtomicUsize,
}

impl Broken {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            fault,
            encoded: AtomicUsize::new(0),
        }
    }

    /// The fields are positions, as in [`compact`].
    fn is_compact(&self) -> bool {
        matches!(
            self.fault,
            Fault::FieldsByPosition | Fault::UnlimitedDepth | Fault::HighDepthLimit
        )
    }

    fn depth(&self) -> usize {
        match self.fault {
            Fault::UnlimitedDepth => usize::MAX,
            Fault::HighDepthLimit => 9_000,
            _ => 100,
        }
    }

    fn text(&self, tree: &Value) -> serde_json::Result<Vec<u8>> {
        let mut text = match self.fault {
            Fault::WritesOtherwise => serde_json::to_vec_pretty(tree)?,
            _ => serde_json::to_vec(tree)?,
        };
        if self.fault == Fault::NeverTheSame {
            let spaces = self.encoded.fetch_add(1, Ordering::Relaxed) % 7;
            text.extend(b" ".repeat(spaces));
        }
        Ok(text)
    }

    fn parse(&self, bytes: &[u8]) -> Result<Value, Status> {
        let tree = serde_json::from_slice(self.framed(bytes)?).map_err(wrong)?;
        if self.fault == Fault::LowDepthLimit && tree::depth(&tree) > 20 {
            return Err(wrong("it nests too deep"));
        }
        Ok(tree)
    }

    /// The text behind its length.
    fn framed<'a>(&self, bytes: &'a [u8]) -> Result<&'a [u8], Status> {
        let Some((length, text)) = bytes.split_first_chunk() else {
            assert!(self.fault != Fault::PanicsOnTruncated, "no length");
            return Err(wrong("the length is missing"));
        };
        let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let reserved: Vec<u8> = match self.fault {
            Fault::ReservesByLength => Vec::with_capacity(length.min(MOST_RESERVED)),
            Fault::BelievesLength if length > isize::MAX as usize => Vec::with_capacity(length),
            _ => Vec::new(),
        };
        drop(std::hint::black_box(reserved));
        if text.len() == length || (text.len() > length && self.fault == Fault::IgnoresWhatFollows)
        {
            return Ok(&text[..length]);
        }
        assert!(self.fault != Fault::PanicsOnNoise, "not the length");
        Err(wrong("the length is another"))
    }
}

fn wrong(why: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("message is not valid: {why}"))
}

impl Codec for Broken {
    fn name(&self) -> &str {
        match self.fault {
            Fault::UpperCaseName => "X-Broken",
            Fault::WholeContentType => "application/x-broken",
            _ => "x-broken",
        }
    }

    fn encode(&self, value: &dyn AnySerialize, out: &mut Vec<u8>) -> Result<(), Status> {
        if self.is_compact() {
            return compact::Compact.encode(value, out);
        }
        let refused = |error: serde_json::Error| Status::internal(format!("cannot write: {error}"));
        let mut tree = serde_json::to_value(value).map_err(refused)?;
        tree::spoil_written(&mut tree, self.fault);
        let text = self.text(&tree).map_err(refused)?;
        if self.fault == Fault::ClearsTheBuffer {
            out.clear();
        }
        out.extend((text.len() as u64).to_be_bytes());
        out.extend(text);
        Ok(())
    }

    fn decode(&self, bytes: &[u8], seed: &mut DecodeSeed<'_>) -> Result<(), Status> {
        if self.is_compact() {
            return compact::decode_within(self.depth(), bytes, seed);
        }
        let tree = match self.fault {
            Fault::ReadsNothing => return Ok(()),
            Fault::EmptyBodyIsAMessage if bytes.is_empty() => Ok(Value::Object(Default::default())),
            _ => self.parse(bytes),
        };
        let mut tree = match (tree, self.fault) {
            (Ok(tree), _) => tree,
            (Err(_), Fault::AcceptsTruncated) => Value::Object(Default::default()),
            // Never woken: this hangs without using the processor.
            (Err(_), Fault::HangsOnTruncated) => loop {
                std::thread::park();
            },
            (Err(error), Fault::GarbageIsInternal) => {
                return Err(Status::internal(error.message().to_owned()));
            }
            (Err(error), _) => return Err(error),
        };
        tree::spoil_read(&mut tree, self.fault);
        seed.read(tree).map_err(wrong)
    }
}
