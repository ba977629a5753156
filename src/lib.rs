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
//! | register tokens, log people in, recover, migrate | [`Engine`], [`AsyncEngine`], [`Policy`] |
//! | keep registrations | [`RegistrationStore`] and its implementers |
//! | keep keys ready under load | `KeyCache` |
//! | encrypt what a store keeps | `SealedStore`, `Keyring` |
//! | make, read or write a secret | [`Secret`], [`Entropy`] |
//! | enrol an authenticator app | [`KeyUri`], and its `QrCode` |
//! | take over what other systems have, and hand it out | `import`, `export`, `MigrationUri` |
//! | show a code, verify one without a store | [`Totp`], [`Hotp`], [`Code`], [`Burned`] |
//! | say how far clocks may differ | [`Window`] |
//! | write a loop of your own over a store | [`transition`], [`Proposal`] |
//! | compute codes of steps of your own | [`OtpKey`] |
//!
//! # What stays with you
//!
//! - **The first factor, and who may call what**: [`Engine::create`], [`Engine::unlock`] and
//!   [`Engine::delete`] change a person's second factor.
//! - **A store that keeps its promise**: [`RegistrationStore`] states it, `conformance` checks it.
//! - **[`Engine::fence`] after a restore** or a failover that may have lost writes, and
//!   [`Engine::forget_future_steps`] for tokens that were used while a clock was ahead.
//! - **Records encrypted at rest** (`SealedStore`, or a store that does it) **and their keys elsewhere;
//!   key URIs and QR codes out of logs**: all carry the secret.
//! - **A clock that goes right**, to within the window, and **strong randomness**.
//! - **With the core alone**: store [`Burned`] before you let anyone in, and slow guessers down.
//!
//! # Features
//!
//! `std` (default) adds `HashMapStore` and [`UnixTime`] from `SystemTime`, and implies `getrandom`
//! and `alloc`; `sha2` (default) adds SHA-256, SHA-512 and recovery codes; `getrandom` adds
//! `SystemEntropy`; `pbkdf2` and `argon2` hash weak recovery codes; `sqlite` adds `SqliteStore`,
//! `postgres` `PostgresStore`, `redis` `RedisStore`,
//! `tokio` `BlockingPool`, `conformance` the suite for stores; `qr` adds `QrCode` as modules, text
//! and SVG, `png` the same as PNG; `import` adds the modules `import` and `export`, `migration-uri`
//! `MigrationUri`. `seal` adds `SealedStore`, `seal-aes` AES-256-GCM for it; `flash` adds
//! `FlashStore`. Without features, or with `qr`, `migration-uri`, `seal`, `seal-aes` and `flash` alone,
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
#[cfg(feature = "import")]
pub mod export;
#[cfg(feature = "import")]
pub mod import;
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
    Authenticated, Enrollment, ExistingRecoveryCodes, Migrated, Migration, NewRegistration,
    OtherSystem, Proof, Resynced,
};

/// Compiles the README's examples as tests.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
