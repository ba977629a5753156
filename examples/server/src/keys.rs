//! The server's own secrets: who may use the API, and what is sealed under which key.
//!
//! They stand in a file that is made at the first start, or come from the environment, where
//! several processes on one database are given the same.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use hkdf::Hkdf;
use keyfob::{Keyring, Pepper, SealingCipher, SealingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::config::Config;
use crate::error::Unavailable;
use crate::random;

const WHAT: &str = "the file with the keys";

/// The secrets, ready for use. Everything that is stored is sealed under keys derived from one.
pub(crate) struct Keys {
    pub(crate) project_id: String,
    secret_digest: [u8; 32],
    sealing_key: SealingSecret,
}

/// The key that all others are derived from. Wiped on drop.
#[derive(ZeroizeOnDrop)]
struct SealingSecret([u8; 32]);

/// What the file has, all of it text. Wiped on drop.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct KeysFile {
    project_id: String,
    secret: String,
    sealing_key: String,
}

impl Keys {
    /// Takes what `config` says, and the rest out of its file, which is made if need be.
    pub(crate) fn open(config: &Config) -> Result<Self, Unavailable> {
        let given = (&config.project_id, &config.secret, &config.sealing_key);
        let file = match given {
            (Some(project_id), Some(secret), Some(sealing_key)) => KeysFile {
                project_id: project_id.clone(),
                secret: secret.clone(),
                sealing_key: sealing_key.clone(),
            },
            _ => KeysFile::open(&config.keys)?,
        };
        Self::new(
            given.0.as_ref().unwrap_or(&file.project_id),
            given.1.as_ref().unwrap_or(&file.secret),
            given.2.as_ref().unwrap_or(&file.sealing_key),
        )
    }

    fn new(project_id: &str, secret: &str, sealing_key: &str) -> Result<Self, Unavailable> {
        if project_id.is_empty() || project_id.contains(':') {
            let cause = "KEYFOB_PROJECT_ID is empty or has a colon: give it a plain name";
            return Err(Unavailable::new("the project's id", cause));
        }
        if secret.len() < 16 {
            let cause = "KEYFOB_SECRET has fewer than 16 characters: draw a longer one";
            return Err(Unavailable::new("the API's password", cause));
        }
        Ok(Self {
            project_id: project_id.to_owned(),
            secret_digest: Sha256::digest(secret).into(),
            sealing_key: SealingSecret::parse(sealing_key)?,
        })
    }

    /// Whether these are the API's credentials, compared in constant time.
    pub(crate) fn admit(&self, project_id: &str, secret: &str) -> bool {
        let project = Sha256::digest(project_id).ct_eq(&Sha256::digest(&self.project_id));
        let secret = Sha256::digest(secret).ct_eq(&self.secret_digest);
        (project & secret).into()
    }

    /// The keys that registrations are sealed under.
    pub(crate) fn keyring(&self) -> Result<Keyring, Unavailable> {
        let key = SealingKey::new(1, SealingCipher::default(), self.derive("registrations"));
        let key = key.ok_or_else(|| Unavailable::new(WHAT, "the derived key is no key"))?;
        Ok(Keyring::new(key))
    }

    /// The key that recovery codes are hashed under.
    pub(crate) fn pepper(&self) -> Pepper {
        Pepper::new(self.derive("recovery codes"))
    }

    /// Encrypts what the server keeps for itself, bound to `place`.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let nonce: [u8; 24] = random::bytes()?;
        let aad = place.as_bytes();
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), Payload { msg: plain, aad })
            .map_err(|_| Unavailable::new("sealing", "it is too long"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed for this place.
    pub(crate) fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let cause = "the database was sealed under another key: start with the key that it had";
        let fail = || Unavailable::new("unsealing", cause);
        let (nonce, sealed) = sealed.split_first_chunk::<24>().ok_or_else(fail)?;
        let aad = place.as_bytes();
        self.cipher()
            .decrypt(&(*nonce).into(), Payload { msg: sealed, aad })
            .map_err(|_| fail())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("own documents").into())
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        // HKDF gives up to 8,160 bytes; 32 can't be too many.
        let _ = Hkdf::<Sha256>::new(None, &self.sealing_key.0).expand(purpose.as_bytes(), &mut key);
        key
    }
}

impl SealingSecret {
    fn parse(text: &str) -> Result<Self, Unavailable> {
        let cause = "it must have 64 hexadecimal digits, drawn at random: openssl rand -hex 32";
        let fail = || Unavailable::new("the sealing key", cause);
        let mut bytes = HEX.decode(text.trim().as_bytes()).map_err(|_| fail())?;
        let key = bytes.as_slice().try_into().map_err(|_| fail());
        bytes.zeroize();
        key.map(Self)
    }
}

impl KeysFile {
    fn open(path: &Path) -> Result<Self, Unavailable> {
        match fs::read(path) {
            Ok(text) => Self::read(path, text),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(Unavailable::with_file(WHAT, path, error)),
        }
    }

    fn read(path: &Path, mut text: Vec<u8>) -> Result<Self, Unavailable> {
        let mode = fs::metadata(path)
            .map_err(|error| Unavailable::with_file(WHAT, path, error))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            let cause = format!("others may read it: chmod 600 {path}");
            return Err(Unavailable::new(WHAT, cause));
        }
        let file = serde_json::from_slice(&text);
        let file = file.map_err(|error| Unavailable::with_file(WHAT, path, error));
        text.zeroize();
        file
    }

    /// Makes the file whole or not at all; of processes that start at once, one makes it and the
    /// others read it.
    fn make(path: &Path) -> Result<Self, Unavailable> {
        let file = Self::draw()?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        let written = file
            .write(beside.as_ref())
            .and_then(|()| fs::hard_link(&beside, path));
        let _ = fs::remove_file(&beside);
        match written {
            Ok(()) => Ok(file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let text = fs::read(path);
                Self::read(
                    path,
                    text.map_err(|error| Unavailable::with_file(WHAT, path, error))?,
                )
            }
            Err(error) => Err(Unavailable::with_file(WHAT, path, error)),
        }
    }

    fn draw() -> Result<Self, Unavailable> {
        Ok(Self {
            project_id: random::name("project")?,
            secret: random::token()?,
            sealing_key: HEX.encode(&random::bytes::<32>()?),
        })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let written = file.write_all(&text);
        text.zeroize();
        written?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn credentials_are_admitted_whole_only() {
        let keys = Keys::new("project-1", "a secret of some length", KEY).unwrap();
        assert!(keys.admit("project-1", "a secret of some length"));
        assert!(!keys.admit("project-1", "a secret of some lengt"));
        assert!(!keys.admit("project-2", "a secret of some length"));
        assert!(!keys.admit("", ""));
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let keys = Keys::new("project-1", "a secret of some length", KEY).unwrap();
        let mut sealed = keys.seal("here", b"words").unwrap();
        assert_eq!(keys.unseal("here", &sealed).unwrap(), b"words");
        assert!(keys.unseal("there", &sealed).is_err());
        sealed[30] ^= 1;
        assert!(keys.unseal("here", &sealed).is_err());
        assert!(keys.unseal("here", b"short").is_err());
    }

    #[test]
    fn weak_settings_are_refused() {
        assert!(Keys::new("project-1", "short", KEY).is_err());
        assert!(Keys::new("a:b", "a secret of some length", KEY).is_err());
        assert!(Keys::new("project-1", "a secret of some length", "0011").is_err());
    }

    #[test]
    fn the_file_is_made_once_and_only_its_owner_reads_it() {
        let directory = std::env::temp_dir().join(random::name("keyfob-keys").unwrap());
        fs::create_dir(&directory).unwrap();
        let path = directory.join("keys");
        let made = KeysFile::open(&path).unwrap();
        assert_eq!(KeysFile::open(&path).unwrap().secret, made.secret);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(KeysFile::open(&path).is_err());
        fs::remove_dir_all(&directory).unwrap();
    }
}
