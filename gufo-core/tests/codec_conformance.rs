//! The suite on every built-in format, on a codec of CBOR, and on codecs that are wrong.
