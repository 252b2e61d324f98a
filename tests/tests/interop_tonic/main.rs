//! gufo and tonic, both ways, over all four kinds of calls.

mod adapters;
mod gufo_client;
mod services;
mod tonic_client;
