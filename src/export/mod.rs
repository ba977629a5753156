//! The way out: registrations written in formats that other systems read.
//!
//! [`Engine::export`](crate::Engine::export) hands a registration's token out; with its names it
//! is an [`Imported`](crate::import::Imported), as these writers take it and as
//! [`import`](crate::import) reads it back.
