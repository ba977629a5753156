//! The way out: registrations written in formats that other systems read.
//!
//! [`Engine::export`](crate::Engine::export) hands a registration's token out; with its names it
//! is an [`Imported`](crate::import::Imported), as these writers take it and as
//! [`import`](crate::import) reads it back.
//!
//! ```
//! use keyfob::export::{self, Protection};
//! use keyfob::import::{Imported, Options, Unlock, read_as, Format};
//! use keyfob::{HotpParams, Params, Secret, SystemEntropy};
//!
//! let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
//! let mut token = Imported::new(secret, Params::Hotp(HotpParams::DEFAULT));
//! token.account = "alice".into();
//!
//! let key = [0x5a; 32]; // from your key store
//! let written = export::pskc(&[token], Protection::Key(&key), &mut SystemEntropy)?;
//! assert!(written.omitted.is_empty());
//!
//! let options = Options { unlock: Unlock::Key(&key), ..Options::default() };
//! let import = read_as(Format::Pskc, written.text.as_bytes(), &options)?;
//! assert_eq!(import.tokens[0].account, "alice");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! No format has room for everything. Nothing is dropped silently: whatever of a token isn't in the
//! text is among what was [omitted](Written::omitted), with its reason.

mod error;
mod pskc;
mod uri_list;
mod written;

pub use error::ExportError;
pub use pskc::{Protection, pskc};
pub use uri_list::uri_list;
pub use written::{Omission, Omitted, Written};
