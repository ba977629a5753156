//! The keys of a file, and values encrypted under them.

use std::string::ToString as _;
use std::vec;
use std::vec::Vec;

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use data_encoding::BASE64;
use hmac::digest::KeyInit as _;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Protection;
use super::xml::Xml;
use crate::entropy::fill_checked;
use crate::export::ExportError;
use crate::import::pskc::names;
use crate::{Entropy, EntropyError, Pbkdf2Iterations};

/// Bytes of the encryption key and of the MAC key.
const KEY_BYTES: usize = 32;
/// Bytes of a block of AES, and of an initialisation vector.
const BLOCK_BYTES: usize = 16;
const SALT_BYTES: usize = 16;

/// The keys of a file, wiped on drop.
pub(super) struct Keys {
    encryption: Zeroizing<[u8; KEY_BYTES]>,
    /// Filled up with zeros to the hash's block, as HMAC takes it (RFC 2104).
    mac: Zeroizing<[u8; 64]>,
}

impl Keys {
    /// Makes the keys, and writes how the file's reader comes by them.
    pub(super) fn write(
        xml: &mut Xml,
        protection: Protection<'_>,
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Self, ExportError> {
        xml.start("pskc:EncryptionKey", &[]);
        let encryption = write_encryption_key(xml, protection, entropy)?;
        xml.end("pskc:EncryptionKey");

        let mut mac = Zeroizing::new([0; KEY_BYTES]);
        fill_checked(entropy, &mut *mac)?;
        let keys = Self {
            encryption,
            mac: hmac_block(&mac),
        };
        xml.start("pskc:MACMethod", &[("Algorithm", names::HMAC_SHA_256)]);
        let sealed = keys.encrypt(&*mac, entropy)?;
        write_encrypted("pskc:MACKey", &sealed, xml);
        xml.end("pskc:MACMethod");
        Ok(keys)
    }

    /// Writes a value, encrypted and with its MAC.
    pub(super) fn write_value(
        &self,
        value: &[u8],
        entropy: &mut (impl Entropy + ?Sized),
        xml: &mut Xml,
    ) -> Result<(), EntropyError> {
        let sealed = self.encrypt(value, entropy)?;
        write_encrypted("pskc:EncryptedValue", &sealed, xml);
        let mac = Hmac::<Sha256>::new(&(*self.mac).into()).chain_update(&sealed);
        let mac = BASE64.encode(&mac.finalize().into_bytes());
        xml.text("pskc:ValueMAC", &mac);
        Ok(())
    }

    /// A new initialisation vector, and the ciphertext.
    fn encrypt(
        &self,
        value: &[u8],
        entropy: &mut (impl Entropy + ?Sized),
    ) -> Result<Vec<u8>, EntropyError> {
        let mut vector = [0; BLOCK_BYTES];
        fill_checked(entropy, &mut vector)?;
        let mut blocks = pad(value);
        let mut cipher = cbc::Encryptor::<Aes256>::new(&(*self.encryption).into(), &vector.into());
        cipher.encrypt_blocks(Array::slice_as_chunks_mut(&mut blocks).0);
        Ok([&vector, blocks.as_slice()].concat())
    }
}

fn hmac_block(key: &[u8; KEY_BYTES]) -> Zeroizing<[u8; 64]> {
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    block
}

/// Fills the last block up with bytes that tell how many they are, 1 to 16 (RFC 5652 §6.3).
fn pad(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let filled = value.len() % BLOCK_BYTES;
    let added = BLOCK_BYTES.saturating_sub(filled);
    let filling = u8::try_from(added).unwrap_or_default();
    let mut blocks = Zeroizing::new(vec![filling; value.len().saturating_add(added)]);
    for (to, from) in blocks.iter_mut().zip(value) {
        *to = *from;
    }
    blocks
}

fn write_encryption_key(
    xml: &mut Xml,
    protection: Protection<'_>,
    entropy: &mut (impl Entropy + ?Sized),
) -> Result<Zeroizing<[u8; KEY_BYTES]>, ExportError> {
    match protection {
        Protection::Key(key) => {
            xml.text("ds:KeyName", "Pre-shared-key");
            Ok(Zeroizing::new(*key))
        }
        Protection::Password { password: "", .. } => Err(ExportError::EmptyPassword),
        Protection::Password {
            password,
            iterations,
        } => {
            let mut salt = [0; SALT_BYTES];
            fill_checked(entropy, &mut salt)?;
            write_derivation(&salt, iterations, xml);
            Ok(derive(password, &salt, iterations))
        }
    }
}

fn derive(password: &str, salt: &[u8], iterations: Pbkdf2Iterations) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let (password, iterations) = (password.as_bytes(), iterations.get());
    pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut *key);
    key
}

/// Writes PBKDF2's parameters. The elements inside `PBKDF2-params` have no namespace there.
fn write_derivation(salt: &[u8], iterations: Pbkdf2Iterations, xml: &mut Xml) {
    xml.start("xenc11:DerivedKey", &[]);
    xml.start(
        "xenc11:KeyDerivationMethod",
        &[("Algorithm", names::PBKDF2)],
    );
    xml.start("pkcs5:PBKDF2-params", &[]);
    xml.start("Salt", &[]);
    xml.text("Specified", &BASE64.encode(salt));
    xml.end("Salt");
    xml.text("IterationCount", &iterations.get().to_string());
    xml.text("KeyLength", &KEY_BYTES.to_string());
    xml.empty("PRF", &[("Algorithm", names::HMAC_SHA_256)]);
    xml.end("pkcs5:PBKDF2-params");
    xml.end("xenc11:KeyDerivationMethod");
    xml.end("xenc11:DerivedKey");
}

fn write_encrypted(name: &str, sealed: &[u8], xml: &mut Xml) {
    xml.start(name, &[]);
    xml.empty(
        "xenc:EncryptionMethod",
        &[("Algorithm", names::AES_256_CBC)],
    );
    xml.start("xenc:CipherData", &[]);
    xml.text("xenc:CipherValue", &BASE64.encode(sealed));
    xml.end("xenc:CipherData");
    xml.end(name);
}
