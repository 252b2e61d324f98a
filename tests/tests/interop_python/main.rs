//! gufo and Python's grpcio, both ways. grpcio is Google's C core: what it accepts, other languages
//! accept.

mod gufo_client;
mod python;
mod python_client;
