//! PSKC (RFC 6030), every secret encrypted.

mod key_package;
mod keys;
mod protection;
mod xml;

use std::vec::Vec;

use super::{ExportError, Omission, Omitted, Written};
use crate::Entropy;
use crate::import::Imported;
use key_package::KeyPackage;
use keys::Keys;
pub use protection::Protection;
use xml::Xml;

/// Writes tokens as PSKC (RFC 6030).
///
/// Every secret is encrypted by AES-256 in CBC mode and authenticated by HMAC-SHA-256, so only
/// whoever has the key or password can read it. The rest is readable by everybody who sees the
/// file: issuers, accounts, serial numbers, counters. RFC 6030 doesn't authenticate that, nor which
/// secret belongs to which name: sign the file where others could change it on its way.
///
/// A token's next counter is written, or of a time-based one its last step and its drift; the
/// account is its `UserId`. White space around a name isn't part of it in PSKC. A token with neither
/// account nor serial number goes by its place among `tokens`, counted from 1:
/// [`import`](crate::import) reads that as its serial number.
///
/// Steam's codes, an epoch other than Unix's, recovery codes and names with control characters
/// have no place in PSKC. What is concerned is among what was [omitted](Written::omitted).
///
/// # Errors
/// [`ExportError::Entropy`] when the source of randomness fails, [`ExportError::EmptyPassword`].
pub fn pskc(
    tokens: &[Imported],
    protection: Protection<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Written, ExportError> {
    let mut xml = Xml::new();
    xml.start("pskc:KeyContainer", &CONTAINER);
    let keys = Keys::write(&mut xml, protection, entropy)?;
    let mut omitted = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match KeyPackage::of(token) {
            Ok(package) => package.write(index.saturating_add(1), &keys, entropy, &mut xml)?,
            Err(what) => omitted.push(Omitted { index, what }),
        }
        if !token.recovery_codes.is_empty() {
            let what = Omission::RecoveryCodes;
            omitted.push(Omitted { index, what });
        }
    }
    xml.end("pskc:KeyContainer");
    let text = xml.into_text();
    Ok(Written { text, omitted })
}

const CONTAINER: [(&str, &str); 6] = [
    ("Version", "1.0"),
    ("xmlns:pskc", "urn:ietf:params:xml:ns:keyprov:pskc"),
    ("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#"),
    ("xmlns:xenc", "http://www.w3.org/2001/04/xmlenc#"),
    ("xmlns:xenc11", "http://www.w3.org/2009/xmlenc11#"),
    (
        "xmlns:pkcs5",
        "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#",
    ),
];
