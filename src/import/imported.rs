//! What is read out of a file: a token and whose it is.

use core::fmt;
use std::string::String;
use std::vec::Vec;

use zeroize::Zeroize as _;

use super::Place;
use crate::{Burned, ExistingRecoveryCodes, Migration, OtherSystem, Params, Secret, Step};

/// A token that another system registered, and all that its file says of it.
///
/// [`Engine::migrate`](crate::Engine::migrate) takes it by reference as it is. What the file says is
/// used stays used. Of a time-based token `migrate` burns what the other system may have accepted by
/// that moment as well, because the file tells at best what was used when it was written.
#[derive(Clone)]
#[non_exhaustive]
pub struct Imported {
    /// Its secret; [`Secret::is_legacy`] tells those below 128 bits.
    pub secret: Secret,
    /// What it and its verifier agree on.
    pub params: Params,
    /// The last step used, or the counters before the next one, where the file tells.
    pub burned: Option<Burned>,
    /// What the other system may have accepted after the file was written: how far ahead it looks,
    /// where the file tells. That it has stopped is yours to say.
    pub other_system: OtherSystem,
    /// How many steps the token's clock is ahead, where the file tells; else 0.
    pub drift_steps: i16,
    /// Who issued the token; empty if the file doesn't say.
    pub issuer: String,
    /// Whose token it is; empty if the file doesn't say.
    pub account: String,
    /// A hardware token's serial number; empty if the file has none.
    pub serial: String,
    /// The recovery codes that come with it.
    pub recovery_codes: RecoveryCodeTexts,
    /// What should be known about the reading.
    pub remarks: Vec<Remark>,
    /// Where it stands in the file.
    pub place: Place,
}

impl Imported {
    /// A token of which nothing but its secret and parameters is known.
    #[must_use]
    pub const fn new(secret: Secret, params: Params) -> Self {
        Self {
            secret,
            params,
            burned: None,
            other_system: OtherSystem::Unknown,
            drift_steps: 0,
            issuer: String::new(),
            account: String::new(),
            serial: String::new(),
            recovery_codes: RecoveryCodeTexts::new(),
            remarks: Vec::new(),
            place: Place::File,
        }
    }

    /// The token. A copy of its secret takes its place, to be wiped there.
    pub(super) fn take(&mut self) -> Self {
        let rest = Self::new(self.secret.clone(), self.params);
        core::mem::replace(self, rest)
    }

    /// The next counter of a counter-based token, 0 if nothing is known; `None` for a time-based
    /// one, or after the last counter.
    #[must_use]
    pub fn counter(&self) -> Option<Step> {
        match self.params {
            Params::Hotp(_) => self.burned.unwrap_or_default().next(),
            Params::Totp(_) => None,
        }
    }
}

/// Issuer and account in one line, as far as there are any.
pub(super) fn full_name(issuer: &str, account: &str) -> String {
    match (issuer.is_empty(), account.is_empty()) {
        (true, _) => account.into(),
        (false, true) => issuer.into(),
        (false, false) => [issuer, ": ", account].concat(),
    }
}

/// A registration that is [handed out](crate::Engine::export), with no names yet.
impl From<Migration<'_>> for Imported {
    fn from(migration: Migration<'_>) -> Self {
        let mut recovery_codes = RecoveryCodeTexts::new();
        migration
            .recovery_codes
            .iter()
            .for_each(|code| recovery_codes.push(code));
        Self {
            burned: migration.burned,
            other_system: migration.other_system,
            drift_steps: migration.drift_steps,
            recovery_codes,
            ..Self::new(migration.secret.clone(), migration.params)
        }
    }
}

impl<'a> From<&'a Imported> for Migration<'a> {
    fn from(imported: &'a Imported) -> Self {
        Self {
            burned: imported.burned,
            other_system: imported.other_system,
            drift_steps: imported.drift_steps,
            recovery_codes: imported.recovery_codes.as_existing(),
            ..Self::new(imported.secret.clone(), imported.params)
        }
    }
}

/// Hides the secret and the recovery codes.
impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imported")
            .field("issuer", &self.issuer)
            .field("account", &self.account)
            .field("serial", &self.serial)
            .field("params", &self.params)
            .field("burned", &self.burned)
            .field("other_system", &self.other_system)
            .field("drift_steps", &self.drift_steps)
            .field("recovery_codes", &self.recovery_codes)
            .field("remarks", &self.remarks)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// The recovery codes that a file has, one a line in one text that is wiped on drop.
#[derive(Clone, Default)]
pub struct RecoveryCodeTexts(String);

impl RecoveryCodeTexts {
    /// No codes.
    #[must_use]
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// Adds a code. Line breaks in it become spaces, which no recovery code minds.
    pub fn push(&mut self, code: &str) {
        self.make_room(code.len().saturating_add(1));
        self.0.extend(code.chars().map(|letter| match letter {
            '\r' | '\n' => ' ',
            letter => letter,
        }));
        self.0.push('\n');
    }

    /// The codes, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// How many codes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn as_existing(&self) -> ExistingRecoveryCodes<'_> {
        ExistingRecoveryCodes::from_lines(&self.0)
    }

    /// Makes room for so many bytes more, and leaves no copy where the text was.
    fn make_room(&mut self, bytes: usize) {
        let needed = self.0.len().saturating_add(bytes);
        if needed > self.0.capacity() {
            let mut larger = String::with_capacity(needed.saturating_mul(2));
            larger.push_str(&self.0);
            core::mem::replace(&mut self.0, larger).zeroize();
        }
    }
}

impl Drop for RecoveryCodeTexts {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Shows how many there are and nothing of the codes.
impl fmt::Debug for RecoveryCodeTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodeTexts")
            .field("count", &self.len())
            .finish_non_exhaustive()
    }
}

/// What should be known about a token that was read. None of it keeps the token from being taken
/// over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// The issuer parameter and the label named different issuers, and the parameter won.
    IssuerOverridden {
        /// What the label said.
        label: String,
    },
    /// The file restricts the key's use (dates, a PIN, a purpose). keyfob doesn't enforce that.
    KeyPolicy,
    /// The other system asked for a PIN besides the code. keyfob doesn't.
    Pin,
    /// The key URI has a parameter that wasn't read: an unknown one, or one that says nothing of this
    /// kind of token.
    ParameterIgnored {
        /// Its name.
        name: String,
    },
    /// The key URI has a parameter under another name, and it was read.
    ParameterCorrected {
        /// The name in the file.
        name: String,
        /// What it was taken for.
        meant: &'static str,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IssuerOverridden { label } => {
                write!(f, "the label names another issuer, {label:?}")
            }
            Self::KeyPolicy => {
                f.write_str("the file restricts the key's use; that isn't taken over")
            }
            Self::Pin => f.write_str("a PIN was asked for besides the code; it isn't taken over"),
            Self::ParameterIgnored { name } => {
                write!(f, "the key URI's parameter {name:?} wasn't read")
            }
            Self::ParameterCorrected { name, meant } => {
                write!(f, "the key URI's parameter {name:?} was read as {meant}")
            }
        }
    }
}
