//! The digests of one registration's recovery codes, and which of them are used.

use crate::RecoveryCount;

/// A digest of a recovery code: the first 128 bits of its hash.
pub(in crate::registration) type Digest = [u8; 16];

/// What is kept of one registration's recovery codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registration) struct RecoverySet {
    pub(in crate::registration) hashing: Hashing,
    pub(in crate::registration) spelling: Spelling,
    /// Whether a pepper went into the digests.
    pub(in crate::registration) peppered: bool,
    pub(in crate::registration) shape: Shape,
    /// Bit *n* is set once code *n* is used.
    pub(in crate::registration) used: u16,
    pub(in crate::registration) digests: heapless::Vec<Digest, { RecoveryCount::MAX }>,
}

impl RecoverySet {
    /// How many codes are left.
    pub(in crate::registration) fn remaining(&self) -> usize {
        let used = usize::try_from(self.used.count_ones()).unwrap_or(usize::MAX);
        self.digests.len().saturating_sub(used)
    }
}

/// How the digests were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registration) enum Hashing {
    /// One HMAC-SHA-256: for codes that keyfob drew, of 112 bits and more.
    Fast,
    /// PBKDF2-HMAC-SHA-256.
    Pbkdf2 { iterations: u32 },
    /// Argon2id, 64 MiB, three passes, four lanes.
    Argon2id,
}

#[cfg(any(feature = "argon2", feature = "pbkdf2"))]
impl Hashing {
    /// Whether it costs so much that an attempt must be counted first.
    pub(in crate::registration) const fn is_slow(self) -> bool {
        !matches!(self, Self::Fast)
    }
}

/// How typed codes are brought to the form that was hashed. All lose case, spaces and hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registration) enum Spelling {
    /// In Crockford's base32: I and L are 1, O is 0.
    Crockford,
    /// In RFC 4648's base32, which has no 0, 1, 8 and 9: 0 is O, 1 is L, 8 is B.
    Short,
    /// Of another system. What phones type for spaces and hyphens is dropped as well, and full-width
    /// digits are digits.
    Foreign,
    /// As `Foreign`, but of ASCII's hyphen and white space alone: how records once said it, which
    /// short codes had as well.
    AsGiven,
}

/// What all codes of a set have in common: it tells a typing error, or a code of the token, from a
/// guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::registration) struct Shape {
    /// How many symbols a code has; 0 if that differs.
    pub(in crate::registration) symbols: u8,
    pub(in crate::registration) digits_only: bool,
}

impl Shape {
    /// The shape where there are no codes.
    #[cfg(feature = "sha2")]
    pub(super) const NONE: Self = Self {
        symbols: 0,
        digits_only: false,
    };

    #[cfg(feature = "sha2")]
    pub(super) fn new(symbols: usize, digits_only: bool) -> Self {
        Self {
            symbols: u8::try_from(symbols).unwrap_or(0),
            digits_only,
        }
    }

    /// The shape of codes of this and of the other shape.
    #[cfg(feature = "sha2")]
    pub(super) fn merge(self, other: Self) -> Self {
        Self {
            symbols: if self.symbols == other.symbols {
                self.symbols
            } else {
                0
            },
            digits_only: self.digits_only && other.digits_only,
        }
    }

    /// Whether a code of `other` shape can be one of these.
    #[cfg(feature = "sha2")]
    pub(super) fn admits(self, other: Self) -> bool {
        let length = self.symbols == 0 || self.symbols == other.symbols;
        length && (!self.digits_only || other.digits_only)
    }
}
