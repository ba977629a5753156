//! How a secret reaches the token: the key URI that authenticator apps scan, and its QR code.

#[cfg(feature = "qr")]
mod qr;
mod text;
mod uri;

#[cfg(feature = "qr")]
pub use qr::*;
pub use text::UriText;
pub use uri::{KeyUri, UriError};
