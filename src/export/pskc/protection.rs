//! What a file is encrypted under.

use core::fmt;

use crate::Pbkdf2Iterations;

/// What a PSKC file is encrypted under. Whoever has it can read every secret in the file.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Protection<'a> {
    /// A key of 256 bits that the reader has too: drawn at random, and sent on another way than
    /// the file.
    Key(&'a [u8; 32]),
    /// A password, made a key by PBKDF2-HMAC-SHA-256. Whoever gets hold of the file can try
    /// passwords without limit, so take one that nobody guesses.
    Password {
        /// The password.
        password: &'a str,
        /// How often it is hashed, by whoever reads the file and for every guess.
        iterations: Pbkdf2Iterations,
    },
}

impl<'a> Protection<'a> {
    /// A password, hashed [600,000](Pbkdf2Iterations::DEFAULT) times.
    #[must_use]
    pub const fn password(password: &'a str) -> Self {
        Self::Password {
            password,
            iterations: Pbkdf2Iterations::DEFAULT,
        }
    }
}

/// Shows the kind and nothing of the key or password.
impl fmt::Debug for Protection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(..)",
            Self::Password { .. } => "Password(..)",
        })
    }
}
