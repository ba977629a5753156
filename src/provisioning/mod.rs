//! How a secret reaches the token: the key URI that authenticator apps scan.

mod text;
mod uri;

pub use text::UriText;
pub use uri::{KeyUri, UriError};
