//! What the tests of the server share.

pub(crate) mod authenticator;
pub(crate) mod browser;
pub(crate) mod server;
