//! The record's bytes, version 1. They are read for ever: a change of layout is a new version.
//!
//! Numbers are big-endian. In this order:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 1 | flags: 1 pending, 2 a last use is known, 4 a replacement waits; the others are 0 |
//! | 8 | pending until, or active since (seconds of Unix time, as all times) |
//! | 8 | last use, or 0 |
//! | 1 + 8 | failures in a row, wait until |
//! | 1 + 8 | the same for recovery codes |
//! | 16 | lineage |
//! | | the token |
//! | 8 + | with flag 4: until when the replacement waits, and its token |
//! | | the recovery codes |
//!
//! A token:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | bits 0–1 algorithm (SHA-1, SHA-256, SHA-512), 2–3 format (six, seven, eight digits, Steam), 4 counter-based, 5 an epoch follows, 6 a step is burned; bit 7 is 0 |
//! | 4 | period in seconds; 0 if counter-based |
//! | 8 | with bit 5: the epoch |
//! | 8 | the last burned step, or 0 |
//! | 2 | drift in steps, signed; for a counter-based token how many counters are fenced, 0 to 100 |
//! | 1 + n | the secret's length and bytes |
//!
//! The recovery codes:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | bits 0–1 hashing (0 there are none and nothing follows, 1 HMAC, 2 PBKDF2, 3 Argon2id), 2 and 5 spelling (0 as given, 4 Crockford's, 32 foreign, 36 short), 3 peppered, 4 digits only; the others are 0 |
//! | 4 | with PBKDF2: iterations |
//! | 1 | symbols of a code, 0 if they differ |
//! | 1 | how many codes, 1 to 16 |
//! | 2 | which are used, a bit each |
//! | 16 n | digests |

use super::lineage::Lineage;
use super::record::{Corrupt, Record};
use super::recovery::{Digest, Hashing, RecoverySet, Shape, Spelling};
use super::registration::{Registration, Replacement, State};
use super::throttle::Failures;
use super::token::Token;
use crate::{
    Algorithm, Burned, CodeFormat, HotpParams, Params, Period, RecoveryCount, Secret, Step,
    TotpParams, UnixTime,
};

const VERSION: u8 = 1;

const PENDING: u8 = 1;
const LAST_USE: u8 = 2;
const REPLACEMENT: u8 = 4;

const COUNTER: u8 = 1 << 4;
const EPOCH: u8 = 1 << 5;
const BURNED: u8 = 1 << 6;

const SPELLING: u8 = FOREIGN | CROCKFORD;
const CROCKFORD: u8 = 1 << 2;
const FOREIGN: u8 = 1 << 5;
const SHORT: u8 = FOREIGN | CROCKFORD;
const PEPPERED: u8 = 1 << 3;
const DIGITS_ONLY: u8 = 1 << 4;

const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;

type Bytes = heapless::Vec<u8, { Record::MAX_BYTES }>;

/// Appends to the bytes of a record, which have room for the longest there is.
struct Writer<'a>(&'a mut Bytes);

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.extend_from_slice(bytes);
    }

    fn byte(&mut self, byte: u8) {
        self.bytes(&[byte]);
    }

    fn time(&mut self, time: UnixTime) {
        self.bytes(&time.as_seconds().to_be_bytes());
    }

    fn failures(&mut self, failures: Failures) {
        self.byte(failures.count);
        self.time(failures.wait_until);
    }

    fn token(&mut self, token: &Token) {
        let (counter, period, epoch) = match token.params {
            Params::Hotp(_) => (COUNTER, 0, UnixTime::EPOCH),
            Params::Totp(params) => (0, params.period.as_seconds(), params.epoch),
        };
        let has_epoch = epoch != UnixTime::EPOCH;
        let kind = algorithm_number(token.params.algorithm())
            | (format_number(token.params.format()) << 2)
            | counter
            | flag(EPOCH, has_epoch)
            | flag(BURNED, token.burned.last().is_some());
        self.byte(kind);
        self.bytes(&period.to_be_bytes());
        if has_epoch {
            self.time(epoch);
        }
        let burned = token.burned.last().unwrap_or_default();
        self.bytes(&burned.number().to_be_bytes());
        let drift = match token.params {
            Params::Hotp(_) => token.fenced.into(),
            Params::Totp(_) => token.drift,
        };
        self.bytes(&drift.to_be_bytes());
        let secret = token.secret.as_bytes();
        self.byte(length_byte(secret.len()));
        self.bytes(secret);
    }

    fn recovery(&mut self, set: &RecoverySet) {
        let hashing = match set.hashing {
            Hashing::Fast => 1,
            Hashing::Pbkdf2 { .. } => 2,
            Hashing::Argon2id => 3,
        };
        self.byte(
            hashing
                | spelling_number(set.spelling)
                | flag(PEPPERED, set.peppered)
                | flag(DIGITS_ONLY, set.shape.digits_only),
        );
        if let Hashing::Pbkdf2 { iterations } = set.hashing {
            self.bytes(&iterations.to_be_bytes());
        }
        self.byte(set.shape.symbols);
        self.byte(length_byte(set.digests.len()));
        self.bytes(&set.used.to_be_bytes());
        self.bytes(set.digests.as_flattened());
    }
}

const fn flag(bit: u8, set: bool) -> u8 {
    if set { bit } else { 0 }
}

/// A length that its type keeps below 256.
fn length_byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

const fn algorithm_number(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha1 => 0,
        #[cfg(feature = "sha2")]
        Algorithm::Sha256 => 1,
        #[cfg(feature = "sha2")]
        Algorithm::Sha512 => 2,
    }
}

const fn format_number(format: CodeFormat) -> u8 {
    match format {
        CodeFormat::SixDigits => 0,
        CodeFormat::SevenDigits => 1,
        CodeFormat::EightDigits => 2,
        CodeFormat::Steam => 3,
    }
}

const fn spelling_number(spelling: Spelling) -> u8 {
    match spelling {
        Spelling::AsGiven => 0,
        Spelling::Crockford => CROCKFORD,
        Spelling::Foreign => FOREIGN,
        Spelling::Short => SHORT,
    }
}

/// Writes the bytes of a registration.
pub(super) fn encode(registration: &Registration, bytes: &mut Bytes) {
    let mut writer = Writer(bytes);
    let (pending, time) = match registration.state {
        State::Pending { until } => (PENDING, until),
        State::Active { since } => (0, since),
    };
    writer.byte(VERSION);
    writer.byte(
        pending
            | flag(LAST_USE, registration.last_use.is_some())
            | flag(REPLACEMENT, registration.replacement.is_some()),
    );
    writer.time(time);
    writer.time(registration.last_use.unwrap_or_default());
    writer.failures(registration.failures);
    writer.failures(registration.recovery_failures);
    writer.bytes(&registration.lineage.0);
    writer.token(&registration.token);
    if let Some(replacement) = &registration.replacement {
        writer.time(replacement.until);
        writer.token(&replacement.token);
    }
    match &registration.recovery {
        Some(set) => writer.recovery(set),
        None => writer.byte(0),
    }
}

/// Takes the bytes of a record from the front. Whatever can't be is [`Corrupt`].
///
/// Missing bytes read as zeros, and [`require_enough`](Self::require_enough) tells afterwards that
/// they were missing: asked at each number, that takes up half a kilobyte of firmware more.
struct Reader<'a> {
    rest: &'a [u8],
    is_cut_off: bool,
}

impl<'a> Reader<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            is_cut_off: false,
        }
    }

    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (first, rest) = self.rest.split_at_checked(length).unwrap_or_else(|| {
            self.is_cut_off = true;
            (&[], &[])
        });
        self.rest = rest;
        first
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).first_chunk().copied().unwrap_or([0; N])
    }

    /// Fails if bytes were missing.
    const fn require_enough(&self) -> Result<(), Corrupt> {
        require(!self.is_cut_off)
    }

    fn byte(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    /// A byte in which no other bits than these are set.
    fn flags(&mut self, known: u8) -> Result<u8, Corrupt> {
        let flags = self.byte();
        require(flags & !known == 0)?;
        Ok(flags)
    }

    fn number(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    fn time(&mut self) -> UnixTime {
        UnixTime::from_seconds(self.number())
    }

    /// The version, the flags, and the state that stands first of all.
    fn beginning(&mut self) -> Result<(u8, State), Corrupt> {
        match self.byte() {
            VERSION => {}
            0 => return Err(Corrupt::Malformed),
            found if found & Record::SEALED != 0 => return Err(Corrupt::Sealed),
            found => return Err(Corrupt::Version { found }),
        }
        let flags = self.flags(PENDING | LAST_USE | REPLACEMENT)?;
        let time = self.time();
        self.require_enough()?;
        let state = if flags & PENDING != 0 {
            State::Pending { until: time }
        } else {
            State::Active { since: time }
        };
        Ok((flags, state))
    }

    fn failures(&mut self) -> Failures {
        Failures {
            count: self.byte(),
            wait_until: self.time(),
        }
    }

    fn token(&mut self) -> Result<Token, Corrupt> {
        let kind = self.flags(0x7f)?;
        let params = self.params(kind)?;
        let step = Step::new(self.number());
        let burned = if kind & BURNED != 0 {
            Burned::up_to(step)
        } else {
            require(step == Step::new(0))?;
            Burned::NOTHING
        };
        let drift = i16::from_be_bytes(self.array());
        let length = self.byte();
        let secret = self.bytes(length.into());
        let secret = Secret::from_legacy_bytes(secret).map_err(|_| Corrupt::Malformed)?;
        let mut token = Token::new(secret, params);
        token.burned = burned;
        match params {
            Params::Totp(_) => token.drift = drift,
            Params::Hotp(_) => token.fenced = fenced(drift)?,
        }
        Ok(token)
    }

    fn params(&mut self, kind: u8) -> Result<Params, Corrupt> {
        let algorithm = read_algorithm(kind & 3)?;
        let format = read_format((kind >> 2) & 3);
        let period = u32::from_be_bytes(self.array());
        if kind & COUNTER != 0 {
            require(kind & EPOCH == 0 && period == 0)?;
            return Ok(Params::Hotp(HotpParams { algorithm, format }));
        }
        let epoch = if kind & EPOCH != 0 {
            self.time()
        } else {
            UnixTime::EPOCH
        };
        Ok(Params::Totp(TotpParams {
            algorithm,
            format,
            period: Period::from_seconds(period).ok_or(Corrupt::Malformed)?,
            epoch,
        }))
    }

    /// Reads recovery codes where they stay: they are too large to be moved for nothing.
    fn recovery(&mut self, into: &mut Option<RecoverySet>) -> Result<(), Corrupt> {
        let kind = self.flags(3 | SPELLING | PEPPERED | DIGITS_ONLY)?;
        let hashing = match kind & 3 {
            0 => return require(kind == 0),
            1 => Hashing::Fast,
            2 => self.pbkdf2()?,
            _ => Hashing::Argon2id,
        };
        let symbols = self.byte();
        let count = self.byte();
        let used = u16::from_be_bytes(self.array());
        require(1 <= count && usize::from(count) <= RecoveryCount::MAX)?;
        require(u32::from(used).checked_shr(count.into()) == Some(0))?;
        let digests = self.bytes(usize::from(count).saturating_mul(size_of::<Digest>()));
        let (digests, _) = digests.as_chunks();
        let set = into.insert(RecoverySet {
            hashing,
            spelling: read_spelling(kind & SPELLING),
            peppered: kind & PEPPERED != 0,
            shape: Shape {
                symbols,
                digits_only: kind & DIGITS_ONLY != 0,
            },
            used,
            digests: heapless::Vec::new(),
        });
        let room = set.digests.extend_from_slice(digests);
        room.map_err(|_| Corrupt::Malformed)
    }

    fn pbkdf2(&mut self) -> Result<Hashing, Corrupt> {
        let iterations = u32::from_be_bytes(self.array());
        require((1..=MAX_PBKDF2_ITERATIONS).contains(&iterations))?;
        Ok(Hashing::Pbkdf2 { iterations })
    }
}

fn fenced(number: i16) -> Result<u8, Corrupt> {
    let fenced = u8::try_from(number).map_err(|_| Corrupt::Malformed)?;
    require(fenced <= Token::MAX_FENCED)?;
    Ok(fenced)
}

const fn require(valid: bool) -> Result<(), Corrupt> {
    if valid {
        Ok(())
    } else {
        Err(Corrupt::Malformed)
    }
}

const fn read_algorithm(number: u8) -> Result<Algorithm, Corrupt> {
    match number {
        0 => Ok(Algorithm::Sha1),
        #[cfg(feature = "sha2")]
        1 => Ok(Algorithm::Sha256),
        #[cfg(feature = "sha2")]
        2 => Ok(Algorithm::Sha512),
        #[cfg(not(feature = "sha2"))]
        1 | 2 => Err(Corrupt::Feature),
        _ => Err(Corrupt::Malformed),
    }
}

/// The format with a number of two bits.
const fn read_format(number: u8) -> CodeFormat {
    match number {
        0 => CodeFormat::SixDigits,
        1 => CodeFormat::SevenDigits,
        2 => CodeFormat::EightDigits,
        _ => CodeFormat::Steam,
    }
}

/// The spelling with a number of the bits of [`SPELLING`].
const fn read_spelling(number: u8) -> Spelling {
    match number {
        CROCKFORD => Spelling::Crockford,
        FOREIGN => Spelling::Foreign,
        SHORT => Spelling::Short,
        _ => Spelling::AsGiven,
    }
}

/// The registration that `bytes` stand for.
pub(super) fn decode(bytes: &[u8]) -> Result<Registration, Corrupt> {
    let mut reader = Reader::new(bytes);
    let (flags, state) = reader.beginning()?;
    let last_use = reader.time();
    require(flags & LAST_USE != 0 || last_use == UnixTime::EPOCH)?;
    let mut registration = Registration {
        state,
        last_use: (flags & LAST_USE != 0).then_some(last_use),
        failures: reader.failures(),
        recovery_failures: reader.failures(),
        lineage: Lineage(reader.array()),
        token: reader.token()?,
        replacement: None,
        recovery: None,
    };
    if flags & REPLACEMENT != 0 {
        registration.replacement = Some(Replacement {
            until: reader.time(),
            token: reader.token()?,
        });
    }
    reader.recovery(&mut registration.recovery)?;
    reader.require_enough()?;
    require(reader.rest.is_empty())?;
    Ok(registration)
}

/// What a store is told beside these bytes: [`Record::lapses_at`] and
/// [`Record::has_recovery_codes`]. The bytes may need any feature; those that can't be read whole
/// count as having recovery codes, as the careful answer.
#[cfg(feature = "seal")]
pub(crate) fn told_beside(bytes: &[u8]) -> Result<(Option<UnixTime>, bool), Corrupt> {
    let (_, state) = Reader::new(bytes).beginning()?;
    let has_recovery_codes = decode(bytes).map_or(true, |it| it.recovery.is_some());
    Ok((state.lapses_at(), has_recovery_codes))
}
