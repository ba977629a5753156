//! Sessions as JSON Web Tokens that live five minutes: whoever has the public key can check one
//! without asking.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use data_encoding::{BASE64, HEXLOWER};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use keyfob::UnixTime;
use pkcs8::PrivateKeyInfoRef;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Accounts;
use crate::database::{Document, Documents};
use crate::error::Unavailable;
use crate::keys::Keys;

/// How long a token can be used without asking, in seconds.
const JWT_SECONDS: u64 = 300;

const WHAT: &str = "the key that session tokens are signed with";
const NAME: &str = "rs256";

/// The key that all processes on one database sign with.
pub(super) struct SigningKey {
    project_id: String,
    id: String,
    private: EncodingKey,
    public: Jwk,
    verifying: DecodingKey,
}

/// The private key as it is stored, sealed.
#[derive(Serialize, Deserialize)]
struct SealedKey {
    sealed_pkcs8: String,
}

impl Document for SealedKey {
    const KIND: &'static str = "signing_key";
}

/// What a session's token says beside the claims of its own.
#[derive(Serialize, Deserialize)]
pub(super) struct SessionJwt<Claims> {
    aud: Vec<String>,
    iss: String,
    pub(crate) sub: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(flatten)]
    pub(crate) claims: Claims,
}

impl SigningKey {
    /// The key of this database, made if there is none.
    pub(crate) async fn open(documents: &Documents, keys: &Keys) -> Result<Self, Unavailable> {
        if let Some(stored) = documents.read(NAME).await? {
            return Self::unseal(&stored, keys);
        }
        let made = SealedKey::make(keys)?;
        if documents.insert(NAME, &made).await? {
            return Self::unseal(&made, keys);
        }
        let stored = documents.read(NAME).await?;
        let stored = stored.ok_or_else(|| Unavailable::new(WHAT, "it came and went"))?;
        Self::unseal(&stored, keys)
    }

    fn unseal(stored: &SealedKey, keys: &Keys) -> Result<Self, Unavailable> {
        let failed = |error: &dyn std::error::Error| Unavailable::new(WHAT, error.to_string());
        let sealed = BASE64.decode(stored.sealed_pkcs8.as_bytes());
        let sealed = sealed.map_err(|error| failed(&error))?;
        let pkcs8 = Zeroizing::new(keys.unseal(NAME, &sealed)?);
        let info = PrivateKeyInfoRef::try_from(pkcs8.as_slice());
        let info = info.map_err(|error| Unavailable::new(WHAT, error.to_string()))?;
        let private = EncodingKey::from_rsa_der(info.private_key.as_bytes());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::RS256)
            .map_err(|error| Unavailable::new(WHAT, error))?;
        let id = key_id(&public);
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            project_id: keys.project_id.clone(),
            verifying: DecodingKey::from_jwk(&public)
                .map_err(|error| Unavailable::new(WHAT, error))?,
            id,
            private,
            public,
        })
    }

    /// The public keys, for those who verify.
    pub(crate) fn public_keys(&self) -> JwkSet {
        let keys = vec![self.public.clone()];
        JwkSet { keys }
    }

    /// A token about `subject`, from now on.
    pub(crate) fn sign<Claims: Serialize>(
        &self,
        subject: &str,
        claims: Claims,
        now: UnixTime,
    ) -> Result<String, Unavailable> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.id.clone());
        let now = now.as_seconds();
        let claims = SessionJwt {
            aud: vec![self.project_id.clone()],
            iss: self.issuer(),
            sub: subject.to_owned(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(JWT_SECONDS),
            claims,
        };
        encode(&header, &claims, &self.private).map_err(|error| Unavailable::new(WHAT, error))
    }

    /// What a token says, if it is one of ours and lives.
    pub(crate) fn verify<Claims: DeserializeOwned + Clone>(
        &self,
        token: &str,
    ) -> Option<SessionJwt<Claims>> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[&self.project_id]);
        validation.set_issuer(&[self.issuer()]);
        validation.set_required_spec_claims(&["aud", "exp", "iss", "nbf", "sub"]);
        let token = decode::<SessionJwt<Claims>>(token, &self.verifying, &validation);
        token.ok().map(|token| token.claims)
    }

    /// As the clients of hosted services expect it.
    fn issuer(&self) -> String {
        format!("stytch.com/{}", self.project_id)
    }
}

impl SealedKey {
    fn make(keys: &Keys) -> Result<Self, Unavailable> {
        let failed = |error: aws_lc_rs::error::Unspecified| Unavailable::new(WHAT, error);
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let pkcs8 = pair.as_der().map_err(failed)?;
        let sealed = keys.seal(NAME, pkcs8.as_ref())?;
        let sealed_pkcs8 = BASE64.encode(&sealed);
        Ok(Self { sealed_pkcs8 })
    }
}

/// A key's id changes with the key.
fn key_id(public: &Jwk) -> String {
    let modulus = match &public.algorithm {
        AlgorithmParameters::RSA(parameters) => parameters.n.as_str(),
        _ => "",
    };
    let digest = Sha256::digest(modulus);
    let (part, _) = digest.split_at(8);
    format!("jwk-{}", HEXLOWER.encode(part))
}

impl Accounts {
    /// A token about `subject` with these claims, good for [`JWT_SECONDS`].
    pub(crate) fn sign_jwt(
        &self,
        subject: &str,
        claims: impl Serialize,
        now: UnixTime,
    ) -> Result<String, Unavailable> {
        self.signing_key.sign(subject, claims, now)
    }

    /// The claims of a token that is ours and lives.
    pub(crate) fn verify_jwt<Claims: DeserializeOwned + Clone>(
        &self,
        token: &str,
    ) -> Option<Claims> {
        self.signing_key.verify(token).map(|token| token.claims)
    }

    /// The keys that tokens are verified by.
    pub(crate) fn public_keys(&self) -> JwkSet {
        self.signing_key.public_keys()
    }
}
