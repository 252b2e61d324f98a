//! gzip and zstd, with an output that is bounded while it is made.

use std::io::{Read, Write};

use bytes::Bytes;
use gufo_core::{Compression, Status};

/// The compressions this side understands, as `grpc-accept-encoding` names them.
pub(crate) const ACCEPTED: &str = "gzip, zstd";

/// zstd's own default; gzip's is 6.
const ZSTD_LEVEL: i32 = 3;

pub(crate) fn compress(compression: Compression, message: &[u8]) -> Result<Bytes, Status> {
    let failed = |error| Status::internal("cannot compress the message").with_source(error);
    match compression {
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder
                .write_all(message)
                .and_then(|()| encoder.finish())
                .map(Bytes::from)
                .map_err(failed)
        }
        Compression::Zstd => zstd::bulk::compress(message, ZSTD_LEVEL)
            .map(Bytes::from)
            .map_err(failed),
        other => Err(Status::unimplemented(format!(
            "compression {} is not known here",
            other.name()
        ))),
    }
}

pub(crate) fn decompress(
    compression: Compression,
    message: &[u8],
    limit: usize,
) -> Result<Bytes, Status> {
    match compression {
        Compression::Gzip => read_up_to(flate2::read::MultiGzDecoder::new(message), limit),
        Compression::Zstd => {
            let decoder = zstd::stream::read::Decoder::with_buffer(message)
                .map_err(|error| Status::internal("cannot start zstd").with_source(error))?;
            read_up_to(decoder, limit)
        }
        other => Err(Status::unimplemented(format!(
            "compression {} is not known here",
            other.name()
        ))),
    }
}

/// Reads at most `limit` bytes; memory grows with what was really read.
fn read_up_to(source: impl Read, limit: usize) -> Result<Bytes, Status> {
    let mut out = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    source.take(bound).read_to_end(&mut out).map_err(|error| {
        Status::invalid_argument("the compressed message is damaged").with_source(error)
    })?;
    if out.len() > limit {
        return Err(Status::resource_exhausted(format!(
            "the message is over the limit of {limit} bytes once decompressed"
        )));
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gufo_core::Code;

    const BOTH: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

    #[test]
    fn messages_come_back() {
        for compression in BOTH {
            for message in [&b""[..], b"owl", &[42; 100_000]] {
                let small = compress(compression, message).expect("compresses");
                assert_eq!(
                    decompress(compression, &small, 100_000).expect("legal"),
                    message
                );
            }
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        for compression in BOTH {
            let bomb = compress(compression, &vec![0; 64 << 20]).expect("compresses");
            assert!(bomb.len() < 100_000);
            let status = decompress(compression, &bomb, 1 << 20).expect_err("over the limit");
            assert_eq!(status.code(), Code::ResourceExhausted);
        }
    }

    #[test]
    fn garbage_is_an_error() {
        for compression in BOTH {
            let status =
                decompress(compression, b"not compressed at all", 1024).expect_err("garbage");
            assert_eq!(status.code(), Code::InvalidArgument);
        }
    }
}
