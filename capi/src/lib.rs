//! keyfob for C: one-time passwords without a heap, for firmware and for servers in any language
//! that calls C. `include/keyfob.h` is generated from this crate, its comments included.
//!
//! Names are those of the header, so that what is read in a C program is found here by searching.
//!
//! Every function checks its pointers and values, and tells by a status what is wrong. Structures
//! are plain, allocated by the caller and copied as C copies them; only a proposal is opaque, as it
//! holds an answer that isn't valid yet.
//!
//! A pointer to one value is an `Option` of a reference, which is what C sees as a pointer that may
//! be NULL; what is lent is a `Cell` besides, as C's functions may write to it. What takes more trust
//! than that is in `lent.rs` and `given.rs` (reading and writing C's memory), `entropy.rs` and
//! `store.rs` (calling C), and `proposal.rs` (memory that holds a Rust value).
#![no_std]
#![allow(unsafe_code)] // C's pointers
#![allow(non_camel_case_types)] // C's names
#![allow(clippy::enum_glob_use)] // a status goes by its name alone, as in C
#![allow(missing_debug_implementations)] // C prints nothing of Rust's, and most of it is secret

#[cfg(not(target_os = "none"))]
extern crate std; // brings the handler of panics

// What every function answers, and what crosses the border. This is the order of the header, too.
mod status;

mod given;
mod lent;
mod wiped;

// A token: its secret, its parameters, its codes.
mod entropy;
mod secret;

mod params;

mod otp;
mod uri;

// A registration: what is stored, and what is told of it.
mod policy;
mod record;
mod registration;
mod store;

// Requests over a store, and the same as proposals for a loop of one's own.
mod engine;

mod proposal;

mod propose;
mod settle;

#[cfg(any(target_os = "none", feature = "panic-control"))]
mod panic;

pub use engine::*;
pub use entropy::*;
pub use given::keyfob_wipe;
pub use lent::{KEYFOB_RECOVERY_TEXT_BYTES, KEYFOB_TYPED_BYTES};
pub use otp::*;
#[cfg(feature = "panic-control")]
pub use panic::*;
pub use params::*;
pub use policy::*;
pub use proposal::*;
pub use propose::*;
pub use record::*;
pub use registration::*;
pub use secret::*;
pub use settle::*;
pub use status::*;
pub use store::*;
pub use uri::*;
