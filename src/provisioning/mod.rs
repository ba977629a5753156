//! How a secret reaches the token: the key URI that authenticator apps scan, its QR code, and the QR
//! codes that an app exports.

#[cfg(feature = "migration-uri")]
mod migration_uri;
#[cfg(feature = "qr")]
mod qr;
mod text;
mod uri;

#[cfg(feature = "migration-uri")]
pub use migration_uri::{Batch, MigrationUri, MigrationUriError};
#[cfg(feature = "qr")]
pub use qr::*;
pub use text::UriText;
#[cfg(feature = "import")]
pub(crate) use uri::strip_scheme;
pub use uri::{KeyUri, UriError};
