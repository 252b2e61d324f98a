//! Deliberately broken transports.
