//! The frame: `u32` length of the body, `u64` id, body; big-endian.

use crate::Result;

/// Length and id.
pub(super) const HEADER: usize = 12;
/// Larger than every scenario; a wrong length must not become an allocation.
const LARGEST_BODY: usize = 2 << 20;

/// Appends one frame.
pub(super) fn write(out: &mut Vec<u8>, id: u64, body: &[u8]) {
    let length = u32::try_from(body.len()).expect("invariant: scenarios are far below 4 GiB");
    out.reserve(HEADER + body.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(body);
}

/// What stands at the front of what was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Front<'a> {
    /// A frame that is all there.
    Whole { id: u64, body: &'a [u8] },
    /// The start of one; so many bytes make it whole, as far as is known.
    Part { whole: usize },
}

/// Looks at the front of what was read.
pub(super) fn front(input: &[u8]) -> Result<Front<'_>> {
    let Some((length, rest)) = input.split_first_chunk::<4>() else {
        return Ok(Front::Part { whole: HEADER });
    };
    let Some((id, rest)) = rest.split_first_chunk::<8>() else {
        return Ok(Front::Part { whole: HEADER });
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > LARGEST_BODY {
        return Err(format!("reading a frame: a body of {length} bytes is too long").into());
    }
    Ok(match rest.get(..length) {
        Some(body) => Front::Whole {
            id: u64::from_be_bytes(*id),
            body,
        },
        None => Front::Part {
            whole: HEADER + length,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_its_last_byte_is_there() {
        let mut whole = Vec::new();
        write(&mut whole, 7, b"owl");

        for end in 0..whole.len() {
            assert!(
                matches!(front(&whole[..end]).unwrap(), Front::Part { .. }),
                "{end}"
            );
        }
        assert_eq!(
            front(&whole).unwrap(),
            Front::Whole {
                id: 7,
                body: b"owl"
            }
        );
    }

    #[test]
    fn a_length_beyond_all_scenarios_is_refused() {
        assert!(front(&[0xff; HEADER]).is_err());
    }
}
