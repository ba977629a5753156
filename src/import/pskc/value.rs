//! The values of a key's data, plain or encrypted, as they stand in the file.

use std::borrow::Cow;
use std::string::String;

use zeroize::Zeroizing;

use super::cipher::{Cipher, Wiped};
use super::names;
use super::xml::{Text, Walker};
use crate::import::{ImportError, Reason, encoding};

/// A value of a key's data.
pub(super) enum Value<'t> {
    Plain(Text<'t>),
    Sealed(Sealed<'t>),
}

/// An encrypted value.
#[derive(Default)]
pub(super) struct Sealed<'t> {
    /// `None` if it isn't supported.
    pub(super) cipher: Option<Cipher>,
    /// In base64, as the MAC is; `None` if it stands elsewhere.
    text: Option<Text<'t>>,
    pub(super) mac: Option<Text<'t>>,
}

impl<'t> Value<'t> {
    /// Reads a value of a key's data; `None` if the element is empty.
    pub(super) fn read(walker: &mut Walker<'t>) -> Result<Option<Self>, ImportError> {
        let (mut value, mut mac) = (None, None);
        walker.children(|child, walker| match child.name() {
            "PlainValue" => {
                let plain = Self::Plain(walker.text()?);
                walker.put(&mut value, plain)
            }
            "EncryptedValue" => {
                let sealed = Self::Sealed(Sealed::read(walker)?);
                walker.put(&mut value, sealed)
            }
            "ValueMAC" => {
                let text = walker.text()?;
                walker.put(&mut mac, text)
            }
            _ => Ok(()),
        })?;
        if let Some(Self::Sealed(sealed)) = &mut value {
            sealed.mac = mac;
        }
        Ok(value)
    }
}

impl<'t> Sealed<'t> {
    /// Reads what XML Encryption has in an `EncryptedData`.
    pub(super) fn read(walker: &mut Walker<'t>) -> Result<Self, ImportError> {
        let mut sealed = Self::default();
        let mut method = None;
        walker.children(|child, walker| match child.name() {
            "EncryptionMethod" => {
                let uri = walker.attribute(child, "Algorithm")?;
                walker.put(&mut method, uri.map(Cow::into_owned))
            }
            "CipherData" => walker.children(|child, walker| match child.name() {
                "CipherValue" => {
                    let text = walker.text()?;
                    walker.put(&mut sealed.text, text)
                }
                _ => Ok(()),
            }),
            _ => Ok(()),
        })?;
        sealed.cipher = method.flatten().as_deref().and_then(names::cipher);
        Ok(sealed)
    }

    /// Its bytes, an initialisation vector included.
    pub(super) fn text(&self) -> Result<Wiped, Reason> {
        decode(self.text.as_ref())
    }

    pub(super) fn mac(&self) -> Result<Wiped, Reason> {
        decode(self.mac.as_ref())
    }
}

fn decode(text: Option<&Text<'_>>) -> Result<Wiped, Reason> {
    from_base64(text.ok_or(Reason::Encryption)?).ok_or(Reason::Malformed)
}

/// The bytes that base64 stands for, white space anywhere in it.
pub(super) fn from_base64(text: &str) -> Option<Wiped> {
    let mut symbols = Zeroizing::new(String::with_capacity(text.len()));
    symbols.extend(text.chars().filter(|symbol| !symbol.is_ascii_whitespace()));
    encoding::from_base64(&symbols)
}
