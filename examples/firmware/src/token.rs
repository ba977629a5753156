//! The token: a secret that was put in at the factory, and the code of the moment.

use keyfob::{Secret, SecretError, Totp, TotpParams, UnixTime};

use crate::board;

/// RFC 6238's own secret, so that anybody can check what this token shows.
pub const SECRET: &[u8] = b"12345678901234567890";

/// A token that shows codes.
pub struct Token(Totp);

impl Token {
    /// A token that shares `secret` with its verifier. The key is taken in once: every code then
    /// costs two compressions of the hash.
    ///
    /// # Errors
    /// [`SecretError`] unless the secret has 16 to 128 bytes.
    pub fn new(secret: &[u8], params: TotpParams) -> Result<Self, SecretError> {
        let secret = Secret::from_bytes(secret)?;
        Ok(Self(Totp::new(&secret, params)))
    }

    /// Shows the code of the moment.
    pub fn show(&self, now: UnixTime) {
        board::show(self.0.code_at(now).to_text().as_str());
    }

    /// The token's codes themselves.
    #[must_use]
    pub const fn totp(&self) -> &Totp {
        &self.0
    }
}
