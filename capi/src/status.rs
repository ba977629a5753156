//! What every call answers, and what that says to a person.

use core::ffi::{CStr, c_char};

use keyfob::{CodeError, Corrupt, Error, Failure, Rejection, SecretError, UriError, VerifyError};
use keyfob_status_t::*;

/// What came of a call. Nobody may be let in on any other status than `KEYFOB_OK`.
///
/// `keyfob_status_text` has a text for each that tells a person what to do.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum keyfob_status_t {
    /// It was done.
    KEYFOB_OK = 0,

    /// The code is wrong. Of a registration, it was counted; without a store that is your part.
    KEYFOB_MISMATCH = 1,
    /// The code was right and is already used.
    KEYFOB_REPLAYED = 2,
    /// Too many failures: no attempt is made before `locked_until`.
    KEYFOB_LOCKED = 3,
    /// Failures in a row reached the policy's limit: only unlocking helps.
    KEYFOB_DISABLED = 4,
    /// There is no such registration.
    KEYFOB_UNKNOWN = 5,
    /// The registration wasn't confirmed in time.
    KEYFOB_EXPIRED = 6,
    /// The registration isn't confirmed yet, so this can't be done with it.
    KEYFOB_PENDING = 7,
    /// There is an active registration: replace or delete it.
    KEYFOB_ALREADY_REGISTERED = 8,
    /// Codes of this token are written in another way. No attempt was made.
    KEYFOB_OTHER_FORMAT = 9,
    /// A recovery code was given where a code of the token is wanted.
    KEYFOB_RECOVERY_CODE_AS_CODE = 10,
    /// A code of the token was given where a recovery code is wanted.
    KEYFOB_CODE_AS_RECOVERY_CODE = 11,
    /// It can't be a recovery code of this registration. No attempt was made.
    KEYFOB_RECOVERY_CODE_FORMAT = 12,
    /// No recovery code is left.
    KEYFOB_NO_RECOVERY_CODES = 13,
    /// The proof is of another registration, or older than five minutes.
    KEYFOB_STALE_PROOF = 14,
    /// The secret has fewer than 128 bits and the policy refuses such.
    KEYFOB_LEGACY_SECRET = 15,
    /// Short recovery codes, or those of another system, and no slow hash in the policy for them.
    KEYFOB_WEAK_RECOVERY_CODES = 16,
    /// Recovery codes in a build without the feature `sha2`.
    KEYFOB_RECOVERY_CODES_REFUSED = 17,
    /// What only a time-based or only a counter-based token can do was asked of the other.
    KEYFOB_WRONG_KIND = 18,
    /// The code was right, but codes of its time are refused until `locked_until`: a code of a later
    /// time was used, or a fence refuses them.
    KEYFOB_TOO_EARLY = 19,
    /// The recovery code needs a slow hash, and its attempt was counted before that is computed: go on
    /// with `keyfob_propose_finish_recovery`. `keyfob_recover` does so itself.
    KEYFOB_COUNTED = 20,
    /// Refused for a reason that this C library has no name for yet.
    KEYFOB_REFUSED = 99,

    /// A pointer that must not be NULL is.
    KEYFOB_NULL_POINTER = 100,
    /// A value is outside its range, or a length is impossible.
    KEYFOB_INVALID_ARGUMENT = 101,
    /// What was to be written doesn't fit.
    KEYFOB_BUFFER_TOO_SMALL = 102,
    /// A text isn't UTF-8.
    KEYFOB_NOT_UTF8 = 103,
    /// The proposal is empty, was settled before, or is settled by another function.
    KEYFOB_OTHER_PROPOSAL = 104,
    /// This build of keyfob lacks the feature: `sha2` or `pbkdf2`.
    KEYFOB_FEATURE_OFF = 105,
    /// A text is longer than the call takes: `KEYFOB_TYPED_BYTES`, `KEYFOB_RECOVERY_TEXT_BYTES`.
    KEYFOB_TEXT_TOO_LONG = 106,

    /// Nothing was typed.
    KEYFOB_CODE_EMPTY = 200,
    /// Too few or too many digits.
    KEYFOB_CODE_LENGTH = 201,
    /// Something other than digits, spaces and hyphens between them.
    KEYFOB_CODE_SYMBOL = 202,
    /// A secret of too few bytes to be safe.
    KEYFOB_SECRET_TOO_SHORT = 210,
    /// A secret of more than 128 bytes.
    KEYFOB_SECRET_TOO_LONG = 211,
    /// A character that isn't base32.
    KEYFOB_SECRET_SYMBOL = 212,
    /// A number of base32 symbols that no number of bytes encodes to.
    KEYFOB_SECRET_LENGTH = 213,
    /// Bits set after the last whole byte of base32.
    KEYFOB_SECRET_SPARE_BITS = 214,
    /// It doesn't start with `otpauth://`.
    KEYFOB_URI_SCHEME = 220,
    /// The key URI's type is neither `totp` nor `hotp` nor `steam`.
    KEYFOB_URI_TYPE = 221,
    /// The key URI is too long, or has too many parameters.
    KEYFOB_URI_TOO_LONG = 222,
    /// A broken percent escape, bytes that are no UTF-8, or (read strictly) a bare character.
    KEYFOB_URI_ENCODING = 223,
    /// A parameter of the key URI stands twice.
    KEYFOB_URI_REPEATED = 224,
    /// The account is missing or has a colon or control character.
    KEYFOB_URI_ACCOUNT = 225,
    /// The issuer has a colon or control character.
    KEYFOB_URI_ISSUER = 226,
    /// The label and the issuer parameter name different issuers.
    KEYFOB_URI_ISSUERS_DIFFER = 227,
    /// The key URI has no secret.
    KEYFOB_URI_NO_SECRET = 228,
    /// The algorithm isn't known to this build, or (read strictly) spelled in another way.
    KEYFOB_URI_ALGORITHM = 229,
    /// Digits other than 6, 7 or 8, or than Steam's 5.
    KEYFOB_URI_DIGITS = 230,
    /// A period outside 1 to 86,400 seconds.
    KEYFOB_URI_PERIOD = 231,
    /// A counter-based token without a counter, or with one that is no number.
    KEYFOB_URI_COUNTER = 232,
    /// An encoder other than Steam's, or Steam's for a counter-based token.
    KEYFOB_URI_ENCODER = 233,
    /// An epoch other than 0, which a key URI can't express.
    KEYFOB_URI_EPOCH = 234,
    /// It was escaped for HTML, so that `&amp;` stands for `&`.
    KEYFOB_URI_HTML_ESCAPED = 235,
    /// A parameter looks like a misspelt one.
    KEYFOB_URI_MISSPELT = 236,
    /// A parameter stands inside another one's value or inside the label.
    KEYFOB_URI_SEPARATOR = 237,

    /// The store can't be used now, or didn't tell what became of a write. If it was stored, the
    /// code is used up.
    KEYFOB_STORE_FAILED = 300,
    /// Somebody else wrote in between: load the record and propose anew.
    KEYFOB_CONFLICT = 301,
    /// Others wrote in between, again and again: try again.
    KEYFOB_CONTENDED = 302,
    /// The source of randomness failed.
    KEYFOB_ENTROPY_FAILED = 303,
    /// The stored record is damaged.
    KEYFOB_RECORD_MALFORMED = 304,
    /// The stored record was written by a later keyfob.
    KEYFOB_RECORD_VERSION = 305,
    /// The stored record is sealed.
    KEYFOB_RECORD_SEALED = 306,
    /// The stored record needs a feature that this build lacks.
    KEYFOB_RECORD_FEATURE = 307,
    /// The recovery codes were hashed under a pepper that wasn't given.
    KEYFOB_PEPPER_MISSING = 308,
    /// The recovery codes were hashed with more iterations than the policy allows.
    KEYFOB_COSTLY_RECOVERY_CODES = 309,
}

#[rustfmt::skip] // a line each
const TEXTS: &[(keyfob_status_t, &CStr)] = &[
    (KEYFOB_OK, c"done"),
    (KEYFOB_MISMATCH, c"the code is wrong: check the account and the clock of the token"),
    (KEYFOB_REPLAYED, c"this code was already used: enter the next one"),
    (KEYFOB_LOCKED, c"too many wrong codes: wait before the next attempt"),
    (KEYFOB_DISABLED, c"too many wrong codes in a row: an operator must unlock this token"),
    (KEYFOB_UNKNOWN, c"no token is registered here: register one first"),
    (KEYFOB_EXPIRED, c"the registration was not confirmed in time: start it again"),
    (KEYFOB_PENDING, c"the registration is not confirmed yet: enter a code of the new token first"),
    (KEYFOB_ALREADY_REGISTERED, c"a token is registered already: replace or delete it"),
    (KEYFOB_OTHER_FORMAT, c"codes of this token have another length: type all that it shows"),
    (KEYFOB_RECOVERY_CODE_AS_CODE, c"this is a recovery code: enter it where a recovery code is asked for"),
    (KEYFOB_CODE_AS_RECOVERY_CODE, c"this is a code of the token: enter it where such a code is asked for"),
    (KEYFOB_RECOVERY_CODE_FORMAT, c"this is no recovery code: enter all of one as it was shown"),
    (KEYFOB_NO_RECOVERY_CODES, c"no recovery code is left: make new ones after logging in"),
    (KEYFOB_STALE_PROOF, c"log in again first: this needs a log-in of the last five minutes"),
    (KEYFOB_LEGACY_SECRET, c"the secret has fewer than 128 bits: make a new one, or accept legacy secrets in the policy"),
    (KEYFOB_WEAK_RECOVERY_CODES, c"recovery codes that are short, or of another system, need a slow hash: set one in the policy, or make new codes"),
    (KEYFOB_RECOVERY_CODES_REFUSED, c"this build takes no recovery codes over: build it with sha2"),
    (KEYFOB_WRONG_KIND, c"this can't be done with a token of this kind"),
    (KEYFOB_TOO_EARLY, c"codes of this token are not accepted yet: wait, or ask an operator to forget future steps"),
    (KEYFOB_COUNTED, c"the attempt with this recovery code is counted: finish it"),
    (KEYFOB_REFUSED, c"refused for a reason that this C library can't name: update it"),
    (KEYFOB_NULL_POINTER, c"a pointer is NULL that must not be: correct the calling program"),
    (KEYFOB_INVALID_ARGUMENT, c"a value is outside its range: correct the calling program"),
    (KEYFOB_BUFFER_TOO_SMALL, c"the result doesn't fit: give more room"),
    (KEYFOB_NOT_UTF8, c"the text is not UTF-8: type it again, or convert it first"),
    (KEYFOB_OTHER_PROPOSAL, c"this is no proposal of that kind, or it was settled before: propose anew"),
    (KEYFOB_FEATURE_OFF, c"this build of keyfob lacks a feature: build it with sha2 or pbkdf2"),
    (KEYFOB_TEXT_TOO_LONG, c"the text is too long to be a code or a list of recovery codes: enter the codes alone"),
    (KEYFOB_CODE_EMPTY, c"no code was entered: type the digits that your authenticator shows"),
    (KEYFOB_CODE_LENGTH, c"a code has 6, 7 or 8 digits: type all that your authenticator shows"),
    (KEYFOB_CODE_SYMBOL, c"a code has digits only: type those that your authenticator shows"),
    (KEYFOB_SECRET_TOO_SHORT, c"the secret is too short: copy all of it, or generate a new one"),
    (KEYFOB_SECRET_TOO_LONG, c"the secret has more than 128 bytes: use a shorter one"),
    (KEYFOB_SECRET_SYMBOL, c"the secret is not base32: only A to Z and 2 to 7 are"),
    (KEYFOB_SECRET_LENGTH, c"the secret's base32 is cut off or has a symbol too many: copy all of it"),
    (KEYFOB_SECRET_SPARE_BITS, c"the secret's last base32 symbol has bits that belong to no byte: check it for a typing error"),
    (KEYFOB_URI_SCHEME, c"this is no key URI: it must start with otpauth://"),
    (KEYFOB_URI_TYPE, c"the key URI's type must be totp, hotp or steam, as in otpauth://totp/..."),
    (KEYFOB_URI_TOO_LONG, c"the key URI is longer than 4096 bytes or has more than 32 parameters: drop those that no token needs"),
    (KEYFOB_URI_ENCODING, c"the key URI has a character that must be percent-encoded as UTF-8, or a broken % escape"),
    (KEYFOB_URI_REPEATED, c"the key URI has a parameter twice: remove one of them"),
    (KEYFOB_URI_ACCOUNT, c"the key URI needs an account name without colons or control characters"),
    (KEYFOB_URI_ISSUER, c"the issuer's name must not contain colons or control characters"),
    (KEYFOB_URI_ISSUERS_DIFFER, c"the key URI's label and its issuer parameter name different issuers: make them equal"),
    (KEYFOB_URI_NO_SECRET, c"the key URI has no secret parameter: copy all of it"),
    (KEYFOB_URI_ALGORITHM, c"the key URI's algorithm isn't known: use SHA1, or SHA256 or SHA512 in a build that has them"),
    (KEYFOB_URI_DIGITS, c"the key URI's digits must be 6, 7 or 8 (5 for Steam)"),
    (KEYFOB_URI_PERIOD, c"the key URI's period must be a number of seconds from 1 to 86400"),
    (KEYFOB_URI_COUNTER, c"a counter-based key URI needs a counter parameter, a whole number"),
    (KEYFOB_URI_ENCODER, c"the key URI's encoder isn't known: only steam is, for time-based tokens"),
    (KEYFOB_URI_EPOCH, c"a key URI can't express an epoch other than 0: enrol this token by other means"),
    (KEYFOB_URI_HTML_ESCAPED, c"the key URI was escaped for HTML: put a plain & in place of each &amp;"),
    (KEYFOB_URI_MISSPELT, c"the key URI has a parameter that looks like a misspelt secret, issuer, algorithm, digits, period, counter or encoder: name it so, or remove it"),
    (KEYFOB_URI_SEPARATOR, c"the key URI has a parameter inside another one's value or inside the label: put a plain ? before the first parameter and a plain & between them"),
    (KEYFOB_STORE_FAILED, c"the store failed, nothing was accepted: check it, then try again"),
    (KEYFOB_CONFLICT, c"the record was written by somebody else in between: load it and decide again"),
    (KEYFOB_CONTENDED, c"too many requests for this registration at once: try again"),
    (KEYFOB_ENTROPY_FAILED, c"the source of randomness failed; nothing was generated: check that it is running, then try again"),
    (KEYFOB_RECORD_MALFORMED, c"the stored record is damaged: restore it from a backup and fence it, or register anew"),
    (KEYFOB_RECORD_VERSION, c"the stored record was written by a later keyfob: update this one"),
    (KEYFOB_RECORD_SEALED, c"the stored record is sealed: open it before it is given to keyfob"),
    (KEYFOB_RECORD_FEATURE, c"the stored record needs a feature of keyfob that is off: sha2, pbkdf2 or argon2"),
    (KEYFOB_PEPPER_MISSING, c"the recovery codes were hashed under a pepper: give the same one"),
    (KEYFOB_COSTLY_RECOVERY_CODES, c"the recovery codes were hashed with more iterations than the policy allows: make new ones"),
];

/// A text that tells a person what to do about a status, in English: never NULL, never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_status_text(status: u32) -> *const c_char {
    let mut found = TEXTS.iter().filter(|(known, _)| *known as u32 == status);
    let text = found.next().map(|(_, text)| *text);
    text.unwrap_or(c"no status of keyfob: check where it comes from")
        .as_ptr()
}

impl From<Rejection> for keyfob_status_t {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Mismatch { .. } => KEYFOB_MISMATCH,
            Rejection::Replayed => KEYFOB_REPLAYED,
            Rejection::TooEarly(_) => KEYFOB_TOO_EARLY,
            Rejection::Locked(_) => KEYFOB_LOCKED,
            Rejection::Disabled => KEYFOB_DISABLED,
            Rejection::Unknown => KEYFOB_UNKNOWN,
            Rejection::Expired => KEYFOB_EXPIRED,
            Rejection::Pending => KEYFOB_PENDING,
            Rejection::AlreadyRegistered => KEYFOB_ALREADY_REGISTERED,
            Rejection::Format { .. } => KEYFOB_OTHER_FORMAT,
            Rejection::NoCode(error) => error.into(),
            Rejection::RecoveryCodeAsCode => KEYFOB_RECOVERY_CODE_AS_CODE,
            Rejection::CodeAsRecoveryCode => KEYFOB_CODE_AS_RECOVERY_CODE,
            Rejection::RecoveryCodeFormat => KEYFOB_RECOVERY_CODE_FORMAT,
            Rejection::NoRecoveryCodes => KEYFOB_NO_RECOVERY_CODES,
            Rejection::StaleProof => KEYFOB_STALE_PROOF,
            Rejection::LegacySecret => KEYFOB_LEGACY_SECRET,
            Rejection::WeakRecoveryCodes => KEYFOB_WEAK_RECOVERY_CODES,
            Rejection::RecoveryCodes => KEYFOB_RECOVERY_CODES_REFUSED,
            Rejection::WrongKind => KEYFOB_WRONG_KIND,
            _ => KEYFOB_REFUSED,
        }
    }
}

impl From<Corrupt> for keyfob_status_t {
    fn from(corrupt: Corrupt) -> Self {
        match corrupt {
            Corrupt::Version { .. } => KEYFOB_RECORD_VERSION,
            Corrupt::Sealed => KEYFOB_RECORD_SEALED,
            Corrupt::Feature => KEYFOB_RECORD_FEATURE,
            _ => KEYFOB_RECORD_MALFORMED,
        }
    }
}

impl From<Failure> for keyfob_status_t {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(corrupt) => corrupt.into(),
            Failure::Entropy(_) => KEYFOB_ENTROPY_FAILED,
            Failure::PepperMissing => KEYFOB_PEPPER_MISSING,
            Failure::CostlyRecoveryCodes { .. } => KEYFOB_COSTLY_RECOVERY_CODES,
            _ => KEYFOB_REFUSED,
        }
    }
}

/// The store of C says itself what is wrong.
impl From<Error<Self>> for keyfob_status_t {
    fn from(error: Error<Self>) -> Self {
        match error {
            Error::Rejected(rejection) => rejection.into(),
            Error::Store(status) => status,
            Error::Entropy(_) => KEYFOB_ENTROPY_FAILED,
            Error::Corrupt(corrupt) => corrupt.into(),
            Error::PepperMissing => KEYFOB_PEPPER_MISSING,
            Error::CostlyRecoveryCodes { .. } => KEYFOB_COSTLY_RECOVERY_CODES,
            Error::Contended => KEYFOB_CONTENDED,
            _ => KEYFOB_REFUSED,
        }
    }
}

impl From<VerifyError> for keyfob_status_t {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Mismatch => KEYFOB_MISMATCH,
            VerifyError::Replayed => KEYFOB_REPLAYED,
            VerifyError::Format { .. } => KEYFOB_OTHER_FORMAT,
            _ => KEYFOB_REFUSED,
        }
    }
}

impl From<CodeError> for keyfob_status_t {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Empty => KEYFOB_CODE_EMPTY,
            CodeError::Length => KEYFOB_CODE_LENGTH,
            _ => KEYFOB_CODE_SYMBOL,
        }
    }
}

impl From<SecretError> for keyfob_status_t {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::TooShort { .. } => KEYFOB_SECRET_TOO_SHORT,
            SecretError::TooLong => KEYFOB_SECRET_TOO_LONG,
            SecretError::Length => KEYFOB_SECRET_LENGTH,
            SecretError::SpareBits => KEYFOB_SECRET_SPARE_BITS,
            _ => KEYFOB_SECRET_SYMBOL,
        }
    }
}

impl From<UriError> for keyfob_status_t {
    fn from(error: UriError) -> Self {
        match error {
            UriError::Scheme => KEYFOB_URI_SCHEME,
            UriError::Type => KEYFOB_URI_TYPE,
            UriError::TooLong => KEYFOB_URI_TOO_LONG,
            UriError::Repeated => KEYFOB_URI_REPEATED,
            UriError::Account => KEYFOB_URI_ACCOUNT,
            UriError::Issuer => KEYFOB_URI_ISSUER,
            UriError::IssuersDiffer => KEYFOB_URI_ISSUERS_DIFFER,
            UriError::NoSecret => KEYFOB_URI_NO_SECRET,
            UriError::Secret(error) => error.into(),
            UriError::Algorithm(_) => KEYFOB_URI_ALGORITHM,
            UriError::Digits => KEYFOB_URI_DIGITS,
            UriError::Period => KEYFOB_URI_PERIOD,
            UriError::Counter => KEYFOB_URI_COUNTER,
            UriError::Encoder => KEYFOB_URI_ENCODER,
            UriError::Epoch => KEYFOB_URI_EPOCH,
            UriError::HtmlEscaped => KEYFOB_URI_HTML_ESCAPED,
            UriError::Misspelt { .. } => KEYFOB_URI_MISSPELT,
            UriError::Separator => KEYFOB_URI_SEPARATOR,
            _ => KEYFOB_URI_ENCODING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_text_of_its_own() {
        let header = include_str!("status.rs");
        let (variants, _) = header.split_once("\nconst TEXTS").unwrap();
        assert_eq!(variants.matches(" = ").count(), TEXTS.len());
        for (index, (status, text)) in TEXTS.iter().enumerate() {
            assert!(
                TEXTS
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.0 != *status && other.1 != *text)
            );
        }
    }
}
