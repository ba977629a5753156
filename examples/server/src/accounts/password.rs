//! Passwords, the first factor: Argon2id, a few at a time.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use zeroize::Zeroizing;

use crate::error::Unavailable;
use crate::hashing::Turns;

/// Hashes passwords, when it is their turn: each takes 19 MiB.
pub(super) struct Passwords {
    turns: Turns,
    /// What is verified where there is no such person, so that both answers take the same time.
    nobodys_hash: String,
}

impl Passwords {
    pub(crate) fn new(turns: Turns) -> Result<Self, Unavailable> {
        Ok(Self {
            turns,
            nobodys_hash: hash("a password that nobody has")?,
        })
    }

    /// The hash to be kept.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Unavailable> {
        let password = Zeroizing::new(password.to_owned());
        self.turns.work(WHAT, move || hash(&password)).await?
    }

    /// Whether the password is the person's; nobody's without a hash.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, Unavailable> {
        let password = Zeroizing::new(password.to_owned());
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or(&self.nobodys_hash).to_owned();
        let is_right = self.turns.work(WHAT, move || verify(&password, &hash));
        let is_right = is_right.await?;
        Ok(is_right && is_somebodys)
    }
}

const WHAT: &str = "hashing a password";

fn hash(password: &str) -> Result<String, Unavailable> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    let hash = hash.map_err(|error| Unavailable::new(WHAT, error.to_string()))?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_are_verified_and_nobody_has_one() {
        let passwords = Passwords::new(Turns::of_processors()).unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(
            passwords
                .verify("correct horse", Some(&hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("correct hors", Some(&hash)).await.unwrap());
        assert!(
            !passwords
                .verify("a password that nobody has", None)
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("correct horse", Some("garbage"))
                .await
                .unwrap()
        );
    }
}
