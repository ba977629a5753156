//! A hardware token and a verifier on a microcontroller, and what they cost there.
#![no_std]

pub mod board;
#[cfg(feature = "flash")]
pub mod chip;
#[cfg(feature = "flash")]
pub mod entropy;
pub mod measure;
#[cfg(feature = "sha2")]
pub mod self_test;
pub mod token;
#[cfg(feature = "flash")]
pub mod verifier;
