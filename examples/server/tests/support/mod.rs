//! What tests of the server share.
#![allow(dead_code)] // each test needs a part of it

pub(crate) mod api;
pub(crate) mod authenticator;
pub(crate) mod browser;
pub(crate) mod server;
