//! What a file's encrypted values are opened with, and whether it was the right key.

use zeroize::Zeroizing;

use super::cipher::Wiped;
use super::derivation::Derivation;
use super::value::{Sealed, Value, from_base64};
use super::xml::{Element, Walker};
use super::{mac, names};
use crate::Algorithm;
use crate::import::{Format, ImportError, Options, Reason, Unlock};

/// Fewest bytes of a MAC key, 128 bits: a shorter one could be guessed.
const MIN_MAC_KEY_BYTES: usize = 16;

/// How a file is encrypted, and what opening its values has shown so far.
#[derive(Default)]
pub(super) struct Protection<'t> {
    /// Where the key comes from; it's a key that both sides know if the file doesn't say.
    source: Option<Source>,
    mac: Option<MacMethod<'t>>,
    /// Made for the first encrypted value.
    keys: Option<Result<Keys, Reason>>,
    seen: Seen,
}

/// Where the encryption key comes from.
enum Source {
    /// Both sides know it.
    Shared,
    /// It is made of a password; `None` if how isn't supported.
    Derived(Option<Derivation>),
    /// It belongs to a certificate or the like.
    Foreign,
}

/// How values are authenticated.
struct MacMethod<'t> {
    /// `None` if it isn't supported.
    hash: Option<Algorithm>,
    key: MacKeySource<'t>,
}

/// Where the MAC key comes from.
#[derive(Default)]
enum MacKeySource<'t> {
    /// The encryption key is the MAC key, too.
    #[default]
    EncryptionKey,
    Sealed(Sealed<'t>),
    /// The file only names it.
    Elsewhere,
}

struct MacKey {
    hash: Algorithm,
    bytes: Wiped,
}

/// The keys, or why there is no MAC key.
struct Keys {
    encryption: Wiped,
    mac: Result<MacKey, Reason>,
}

/// What the values of a file have shown about the key.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // any of them may have been seen
struct Seen {
    /// A secret was there to be read, plain or decrypted.
    secret: bool,
    /// A value needed a key, and none was at hand.
    locked: bool,
    /// A value was authentic: the key is right.
    authentic: bool,
    /// A value wasn't: the key is wrong, or it was changed.
    refused: bool,
}

impl<'t> Protection<'t> {
    /// Reads an `EncryptionKey`.
    pub(super) fn read_key(&mut self, walker: &mut Walker<'t>) -> Result<(), ImportError> {
        let (mut derived, mut foreign) = (None, false);
        walker.children(|child, walker| match child.name() {
            "DerivedKey" => {
                let derivation = Derivation::read(walker)?;
                walker.put(&mut derived, derivation)
            }
            name => {
                foreign |= name != "KeyName";
                Ok(())
            }
        })?;
        let source = match derived {
            _ if foreign => Source::Foreign,
            Some(derivation) => Source::Derived(derivation),
            None => Source::Shared,
        };
        walker.put(&mut self.source, source)
    }

    /// Reads a `MACMethod`.
    pub(super) fn read_mac(
        &mut self,
        element: &Element<'_>,
        walker: &mut Walker<'t>,
    ) -> Result<(), ImportError> {
        let hash = walker.attribute(element, "Algorithm")?;
        let hash = hash.as_deref().and_then(names::hmac);
        let mut key = None;
        walker.children(|child, walker| match child.name() {
            "MACKey" => {
                let sealed = MacKeySource::Sealed(Sealed::read(walker)?);
                walker.put(&mut key, sealed)
            }
            "MACKeyReference" => walker.put(&mut key, MacKeySource::Elsewhere),
            _ => Ok(()),
        })?;
        let key = key.unwrap_or_default();
        walker.put(&mut self.mac, MacMethod { hash, key })
    }

    /// Makes the keys, if that isn't done yet.
    pub(super) fn unlock(&mut self, options: &Options<'_>) -> Result<(), ImportError> {
        if self.keys.is_none() {
            self.keys = Some(match self.encryption_key(options)? {
                Ok(encryption) => Ok(Keys {
                    mac: self.mac_key(&encryption)?,
                    encryption,
                }),
                Err(reason) => Err(reason),
            });
        }
        Ok(())
    }

    fn encryption_key(&self, options: &Options<'_>) -> Result<Result<Wiped, Reason>, ImportError> {
        let source = self.source.as_ref().unwrap_or(&Source::Shared);
        Ok(match (source, options.unlock) {
            (Source::Foreign, _) | (Source::Derived(None), Unlock::Password(_)) => {
                Err(Reason::Encryption)
            }
            (_, Unlock::Key(key)) => Ok(Zeroizing::new(key.to_vec())),
            (Source::Derived(Some(derivation)), Unlock::Password(password)) => {
                Ok(derivation.derive(password, &options.limits)?)
            }
            (Source::Shared, Unlock::Password(_)) | (_, Unlock::Nothing) => Err(Reason::Locked),
        })
    }

    fn mac_key(&self, encryption: &Wiped) -> Result<Result<MacKey, Reason>, ImportError> {
        match &self.mac {
            None => Ok(Err(Reason::NoMac)),
            Some(method) => method.open(encryption),
        }
    }

    /// The secret in a value, decoded or decrypted.
    pub(super) fn secret(&mut self, value: &Value<'t>) -> Result<Wiped, Reason> {
        let secret = match value {
            Value::Plain(text) => from_base64(text).ok_or(Reason::SecretEncoding),
            Value::Sealed(sealed) => self.open(sealed),
        };
        self.seen.secret |= secret.is_ok();
        secret
    }

    /// Authenticates and decrypts a value, after [`unlock`](Self::unlock).
    pub(super) fn open(&mut self, sealed: &Sealed<'t>) -> Result<Wiped, Reason> {
        let outcome = self.try_open(sealed);
        match &outcome {
            Ok(_) => self.seen.authentic = true,
            Err(Reason::Locked) => self.seen.locked = true,
            Err(Reason::Mac) => self.seen.refused = true,
            Err(_) => {}
        }
        outcome
    }

    fn try_open(&self, sealed: &Sealed<'t>) -> Result<Wiped, Reason> {
        let cipher = sealed.cipher.ok_or(Reason::Encryption)?;
        let authenticated = self.mac.is_some() && sealed.mac.is_some();
        if !authenticated && !cipher.is_authenticated() {
            return Err(Reason::NoMac);
        }
        let keys = match &self.keys {
            Some(Ok(keys)) => keys,
            Some(Err(reason)) => return Err(*reason),
            None => return Err(Reason::Locked),
        };
        let text = sealed.text()?;
        if authenticated {
            keys.verify(&text, &sealed.mac()?)?;
        }
        cipher.decrypt(&keys.encryption, &text).ok_or(Reason::Mac)
    }

    /// Tells at the end whether the key was wrong, or missing.
    pub(super) fn finish(&self) -> Result<(), ImportError> {
        let seen = &self.seen;
        if seen.refused && !seen.authentic {
            return Err(ImportError::WrongPasswordOrDamaged);
        }
        if seen.locked && !seen.secret {
            return Err(ImportError::Locked {
                format: Format::Pskc,
            });
        }
        Ok(())
    }
}

impl MacMethod<'_> {
    /// The MAC key, or why values can't be authenticated.
    fn open(&self, encryption: &Wiped) -> Result<Result<MacKey, Reason>, ImportError> {
        let Some(hash) = self.hash else {
            return Ok(Err(Reason::Encryption));
        };
        let bytes = match &self.key {
            MacKeySource::EncryptionKey => Ok(encryption.clone()),
            MacKeySource::Elsewhere => Err(Reason::Encryption),
            MacKeySource::Sealed(sealed) => open_mac_key(sealed, encryption)?,
        };
        Ok(bytes.map(|bytes| MacKey { hash, bytes }))
    }
}

/// A MAC key has no MAC itself, so that it doesn't open is all that tells a wrong key.
fn open_mac_key(
    sealed: &Sealed<'_>,
    encryption: &Wiped,
) -> Result<Result<Wiped, Reason>, ImportError> {
    let Some(cipher) = sealed.cipher else {
        return Ok(Err(Reason::Encryption));
    };
    let key = sealed.text().ok();
    let key = key.and_then(|text| cipher.decrypt(encryption, &text));
    let key = key.ok_or(ImportError::WrongPasswordOrDamaged)?;
    let strong = key.len() >= MIN_MAC_KEY_BYTES;
    Ok(strong.then_some(key).ok_or(Reason::NoMac))
}

impl Keys {
    fn verify(&self, text: &[u8], mac: &[u8]) -> Result<(), Reason> {
        let key = self.mac.as_ref().map_err(|reason| *reason)?;
        mac::verify(key.hash, &key.bytes, text, mac)
            .then_some(())
            .ok_or(Reason::Mac)
    }
}
