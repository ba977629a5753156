//! An embeddable, offline engine for one-time passwords: TOTP (RFC 6238) on HOTP (RFC 4226).
//!
//! The same code runs in a token with 16 KiB of RAM and in an auth server. It reads no clock, no
//! file and no environment: time, randomness and what must be remembered come from the caller.
//!
//! ```
//! use keyfob::{Burned, Code, Secret, Totp, TotpParams, UnixTime, VerifyError, Window};
//!
//! let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
//! let totp = Totp::new(&secret, TotpParams::DEFAULT);
//! let now = UnixTime::from_seconds(59);
//! let typed = Code::parse("287 082")?;
//!
//! let mut burned = Burned::NOTHING; // kept with the secret
//! totp.verify(&typed, now, Window::default(), &mut burned)?;
//! let again = totp.verify(&typed, now, Window::default(), &mut burned);
//! assert_eq!(again, Err(VerifyError::Replayed));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Where to find what
//!
//! | You want to | Look at |
//! |---|---|
//! | make, read or write a secret | [`Secret`], [`Entropy`] |
//! | show a code, verify a code | [`Totp`], [`Hotp`], [`Code`] |
//! | say how far clocks may differ | [`Window`] |
//! | never accept a code twice | [`Burned`] |
//! | enrol an authenticator app | [`KeyUri`] |
//! | compute codes of steps of your own | [`OtpKey`] |
//!
//! # What stays with you
//!
//! - **Store [`Burned`] before you let anyone in**, atomically where several processes verify.
//! - **Count mismatches and slow the guesser down.** With the default window one guess in 333,333
//!   hits.
//! - **Keep secrets encrypted at rest, and key URIs out of logs.**
//! - **Give a clock that goes right**, to within the window.
//!
//! # Features
//!
//! `std` (default) adds [`UnixTime`] from `SystemTime` and implies `getrandom` and `alloc`;
//! `sha2` (default) adds SHA-256 and SHA-512; `getrandom` adds `SystemEntropy`. Without features
//! the crate needs neither std nor a heap.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core, clippy::alloc_instead_of_core)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod engine;
mod entropy;
mod otp;
mod provisioning;
mod registration;
mod store;
mod time;

pub use engine::*;
pub use entropy::*;
pub use otp::*;
pub use provisioning::*;
pub use registration::*;
pub use store::*;
pub use time::*;
#[cfg(feature = "sha2")]
pub use transition::Recovered;
pub use transition::{
    Authenticated, Enrollment, Migrated, Migration, NewRegistration, Proof, Resynced,
};

/// Compiles the README's examples as tests.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
