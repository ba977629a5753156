//! The shared secret: bounded, wiped on drop, never printed.

use core::fmt;

use zeroize::Zeroize;

use super::base32;
use super::params::Algorithm;
use crate::{Entropy, EntropyError, entropy::fill_checked};

/// The secret that a token and its verifier share: 16 to 128 bytes, kept inline.
///
/// It is wiped on drop and has no `Display`, no `Deref` and no serialization; `Debug` shows the
/// type's name alone. A moved value can leave a copy on the stack, as every value in Rust can:
/// make it where it stays, and lend it.
///
/// RFC 4226 (§4, R6) asks for 128 bits and recommends 160. Secrets from 80 to 127 bits, as some
/// systems made years ago, come in through the constructors named *legacy* only, and
/// [`is_legacy`](Self::is_legacy) tells them.
///
/// ```
/// use keyfob::{Base32Buffer, Secret};
///
/// let secret = Secret::from_pasted_base32("gezd gnbv gy3t qojq gezd gnbv gy3t qojq")?;
/// assert_eq!(secret.as_bytes(), b"12345678901234567890");
/// assert_eq!(
///     secret.to_base32(&mut Base32Buffer::new()),
///     "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
/// );
/// # Ok::<(), keyfob::SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(heapless::Vec<u8, { Secret::MAX_BYTES }>);

impl Secret {
    /// Fewest bytes of a secret: 128 bits (RFC 4226 §4, R6).
    pub const MIN_BYTES: usize = 16;
    /// Fewest bytes of a legacy secret: 80 bits.
    pub const MIN_LEGACY_BYTES: usize = 10;
    /// Most bytes of a secret: the largest block of the hashes, which HMAC takes in whole.
    pub const MAX_BYTES: usize = 128;

    /// Draws a new secret as long as the algorithm's output (RFC 6238 §5.1): 20 bytes for SHA-1,
    /// 32 for SHA-256, 64 for SHA-512.
    ///
    /// # Errors
    /// [`EntropyError`] when the source fails, or gives one byte over and over.
    pub fn generate(
        algorithm: Algorithm,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, EntropyError> {
        let mut secret = Self(heapless::Vec::new());
        secret
            .0
            .resize_default(algorithm.output_bytes())
            .map_err(|_| EntropyError)?;
        fill_checked(entropy, &mut secret.0)?;
        Ok(secret)
    }

    /// Takes a secret of 16 to 128 bytes that was made elsewhere.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] or [`SecretError::TooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::of_at_least(Self::MIN_BYTES, bytes)
    }

    /// Takes a secret of 10 to 128 bytes, weak ones included: for moving in from a system that
    /// made such secrets. Replace the token when you can.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] or [`SecretError::TooLong`].
    pub fn from_legacy_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Self::of_at_least(Self::MIN_LEGACY_BYTES, bytes)
    }

    /// Reads canonical base32 (RFC 4648 §6): upper case, no padding, no spare bits set.
    ///
    /// # Errors
    /// A [`SecretError`] that says what is wrong, and where.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        let mut buffer = DecodeBuffer::new();
        Self::from_bytes(base32::decode_canonical(text, &mut buffer.0)?)
    }

    /// Reads the base32 that people paste: either case, with padding, spaces and hyphens, and what
    /// phones make of those, as [`Code::parse`](crate::Code::parse) says. Bits that don't fill a
    /// byte are dropped, as the authenticator apps do.
    ///
    /// # Errors
    /// A [`SecretError`] that says what is wrong, and where.
    pub fn from_pasted_base32(text: &str) -> Result<Self, SecretError> {
        let mut buffer = DecodeBuffer::new();
        Self::from_bytes(base32::decode_lenient(text.chars(), &mut buffer.0)?)
    }

    /// Reads base32 as [`from_pasted_base32`](Self::from_pasted_base32) does, weak secrets as
    /// [`from_legacy_bytes`](Self::from_legacy_bytes) does.
    ///
    /// # Errors
    /// A [`SecretError`] that says what is wrong, and where.
    pub fn from_legacy_base32(text: &str) -> Result<Self, SecretError> {
        Self::from_legacy_base32_chars(text.chars())
    }

    /// [`from_legacy_base32`](Self::from_legacy_base32) of text that is decoded on the way.
    pub(crate) fn from_legacy_base32_chars(
        text: impl Iterator<Item = char>,
    ) -> Result<Self, SecretError> {
        let mut buffer = DecodeBuffer::new();
        Self::from_legacy_bytes(base32::decode_lenient(text, &mut buffer.0)?)
    }

    /// A secret of so many bytes, weak ones included, that `fill` writes where it stays: no copy of
    /// it needs wiping.
    #[cfg(feature = "import")]
    pub(crate) fn legacy_filled_by<E: From<SecretError>>(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let fewest = Self::MIN_LEGACY_BYTES;
        if length < fewest {
            return Err(E::from(SecretError::TooShort {
                bytes: length,
                fewest,
            }));
        }
        let mut secret = Self(heapless::Vec::new());
        if secret.0.resize_default(length).is_err() {
            return Err(E::from(SecretError::TooLong));
        }
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The secret itself: for handing it to a token or sealing it, and never for a log.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Writes the canonical base32 that authenticator apps take, in a buffer that wipes itself.
    #[must_use]
    pub fn to_base32<'a>(&self, buffer: &'a mut Base32Buffer) -> &'a str {
        base32::encode(&self.0, buffer)
    }

    /// Whether the secret has fewer than the 128 bits that RFC 4226 asks for.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.0.len() < Self::MIN_BYTES
    }

    fn of_at_least(fewest: usize, bytes: &[u8]) -> Result<Self, SecretError> {
        if bytes.len() < fewest {
            return Err(SecretError::TooShort {
                bytes: bytes.len(),
                fewest,
            });
        }
        let mut secret = Self(heapless::Vec::new());
        match secret.0.extend_from_slice(bytes) {
            Ok(()) => Ok(secret),
            Err(_) => Err(SecretError::TooLong),
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // A secret never shrinks, so this covers all that was ever written.
        self.0.as_mut_slice().zeroize();
    }
}

/// Shows the type's name and nothing of the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// Room for any decoded secret, wiped on drop.
struct DecodeBuffer([u8; Secret::MAX_BYTES]);

impl DecodeBuffer {
    const fn new() -> Self {
        Self([0; Secret::MAX_BYTES])
    }
}

impl Drop for DecodeBuffer {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// Room for the base32 of any [`Secret`], wiped on drop. Lend it to [`Secret::to_base32`].
pub struct Base32Buffer([u8; Base32Buffer::SYMBOLS]);

impl Base32Buffer {
    /// Symbols of the longest secret's base32, and one that lenient reading drops.
    const SYMBOLS: usize = (Secret::MAX_BYTES * 8).div_ceil(5) + 1;

    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; Self::SYMBOLS])
    }

    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Sets the symbol at `index`, or tells that the buffer has no such place.
    pub(super) fn put(&mut self, index: usize, symbol: char) -> Result<(), SecretError> {
        let place = self.0.get_mut(index).ok_or(SecretError::TooLong)?;
        *place = u8::try_from(symbol).map_err(|_| SecretError::symbol_at(index))?;
        Ok(())
    }

    /// The first `length` symbols.
    pub(super) fn text(&self, length: usize) -> &str {
        let symbols = self.0.get(..length).unwrap_or_default();
        core::str::from_utf8(symbols).unwrap_or_default()
    }
}

impl Default for Base32Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Base32Buffer {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// Shows the type's name and nothing of the secret.
impl fmt::Debug for Base32Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base32Buffer").finish_non_exhaustive()
    }
}

/// Why bytes or text are no secret. It tells places and lengths, never a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretError {
    /// Too few bytes to be safe.
    TooShort {
        /// How many there are.
        bytes: usize,
        /// How many there must be.
        fewest: usize,
    },
    /// More than [`Secret::MAX_BYTES`] bytes.
    TooLong,
    /// A character that doesn't belong.
    Symbol {
        /// Which character, counted from 1.
        position: usize,
    },
    /// A number of symbols that no number of bytes encodes to.
    Length,
    /// Bits set after the last whole byte: two texts would stand for one secret.
    SpareBits,
}

impl SecretError {
    pub(super) const fn symbol_at(offset: usize) -> Self {
        Self::Symbol {
            position: offset.saturating_add(1),
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { bytes, fewest } => write!(
                f,
                "the secret has {bytes} bytes, at least {fewest} are needed: copy all of it, or generate a new one"
            ),
            Self::TooLong => write!(
                f,
                "the secret has more than {} bytes: use a shorter one",
                Secret::MAX_BYTES
            ),
            Self::Symbol { position } => write!(
                f,
                "character {position} of the secret is not base32: only A to Z and 2 to 7 are"
            ),
            Self::Length => f.write_str(
                "the secret's base32 is cut off or has a symbol too many: copy all of it",
            ),
            Self::SpareBits => f.write_str(
                "the secret's last base32 symbol has bits that belong to no byte: check it for a typing error",
            ),
        }
    }
}

impl core::error::Error for SecretError {}
