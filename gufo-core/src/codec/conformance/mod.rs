//! The suite every codec has to pass.
