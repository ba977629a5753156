//! The pure core: secrets, codes and their verification. No heap, no clock, no I/O.
//!
//! Read from the bottom: [`Secret`] and the [`Params`] make a [`Totp`] or a [`Hotp`]; those make
//! and verify [`Code`]s over a [`Window`] of steps, and remember in [`Burned`] what must not be
//! accepted again.

mod base32;
mod code;
mod digest;
mod hash;
mod hmac;
mod key;
mod params;
mod secret;
mod totp;
mod truncate;
mod typed;
mod verify;

#[cfg(feature = "sha2")]
pub(crate) use base32::encode_in as encode_base32_in;
pub use code::{Code, CodeError, CodeText};
pub(crate) use digest::digest64;
pub(crate) use hmac::fingerprint;
pub use key::OtpKey;
pub use params::{
    Algorithm, CodeFormat, HotpParams, Params, Period, TotpParams, UnknownAlgorithm, Window,
};
pub use secret::{Base32Buffer, Secret, SecretError};
pub use totp::{Hotp, Totp};
#[cfg(feature = "sha2")]
pub(crate) use typed::{is_hyphen, is_space, narrow};
pub use verify::{Burned, Match, VerifyError};
