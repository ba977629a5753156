//! How much a file may make the reader do.

/// Bounds against files that were made to exhaust the reader. Each has a default that honest files
/// stay far below.
///
/// What a file makes the reader allocate is bounded by them: what is read of each entry, of which
/// there are at most [`entries`](Self::entries); for an encrypted file its decrypted text, once;
/// and while a password is checked [`scrypt_bytes`](Self::scrypt_bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a file.
    pub file_bytes: usize,
    /// Most entries of a file, those that are left out included.
    pub entries: usize,
    /// Most iterations of PBKDF2.
    pub pbkdf2_iterations: u32,
    /// Most memory of scrypt in bytes, 128 × *N* × *r* (RFC 7914 §2).
    pub scrypt_bytes: u64,
    /// Most work of scrypt, *N* × *r* × *p*.
    pub scrypt_work: u64,
}

impl Limits {
    /// 64 MiB and 250,000 entries; ten million iterations of PBKDF2; 256 MiB for scrypt, and the
    /// work of *N* = 2^20, *r* = 8, *p* = 1.
    pub const DEFAULT: Self = Self {
        file_bytes: 64 << 20,
        entries: 250_000,
        pbkdf2_iterations: 10_000_000,
        scrypt_bytes: 256 << 20,
        scrypt_work: 8 << 20,
    };

    /// Most elements inside one another in XML. PSKC needs ten.
    pub(super) const DEPTH: usize = 32;
}

impl Default for Limits {
    /// [`Limits::DEFAULT`].
    fn default() -> Self {
        Self::DEFAULT
    }
}
