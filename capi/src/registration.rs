//! What C is told of a registration, once what was decided is stored.

use core::ffi::c_char;
#[cfg(feature = "sha2")]
use core::fmt::Write as _;

use keyfob::{
    Authenticated, Enrollment, ExistingRecoveryCodes, LockState, Migrated, Migration, OtherSystem,
    Proof, RegistrationId, Resynced, Status, StatusState, UnixTime,
};
#[cfg(feature = "sha2")]
use keyfob::{Recovered, RecoveryCodes, transition::Recovery};

#[cfg(feature = "sha2")]
use crate::border::characters;
use crate::border::{Result, lent_text};
use crate::keyfob_status_t::*;
use crate::otp::keyfob_burned_t;
use crate::params::keyfob_params_t;
use crate::record::KEYFOB_NEVER;
use crate::secret::keyfob_secret_t;

/// Bytes of a registration's own name.
pub const KEYFOB_REGISTRATION_ID_BYTES: usize = 16;
/// Bytes of a proof.
pub const KEYFOB_PROOF_BYTES: usize = 24;
/// Most recovery codes of a registration.
pub const KEYFOB_RECOVERY_CODES: usize = 16;
/// Room for a recovery code and the zero that ends it.
pub const KEYFOB_RECOVERY_CODE_SIZE: usize = 30;

const _: () = assert!(KEYFOB_REGISTRATION_ID_BYTES == RegistrationId::BYTES);
const _: () = assert!(KEYFOB_PROOF_BYTES == Proof::BYTES);
const _: () = assert!(KEYFOB_RECOVERY_CODES == keyfob::RecoveryCount::MAX);

/// An answer as C is told it.
pub(crate) trait Told<Answer>: Sized {
    fn told(answer: Answer) -> Result<Self>;

    /// What is told while no attempt is made, of answers that say until when.
    fn locked(_until: UnixTime) -> Option<Self> {
        None
    }
}

/// What has nothing to be told.
impl Told<()> for () {
    fn told((): ()) -> Result<Self> {
        Ok(())
    }
}

/// A registration's own name, for logs and other tables. It isn't secret.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_registration_id_t {
    /// Evenly distributed over all values.
    pub bytes: [u8; KEYFOB_REGISTRATION_ID_BYTES],
}

impl From<RegistrationId> for keyfob_registration_id_t {
    fn from(id: RegistrationId) -> Self {
        Self {
            bytes: *id.as_bytes(),
        }
    }
}

/// That a person logged in or recovered, for five minutes: it lets them change the token.
///
/// Whoever can write these bytes can change the token: keep them where your sessions are, and never
/// with the person.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_proof_t {
    /// Opaque.
    pub bytes: [u8; KEYFOB_PROOF_BYTES],
}

impl keyfob_proof_t {
    const NONE: Self = Self {
        bytes: [0; KEYFOB_PROOF_BYTES],
    };

    pub(crate) fn read(&self) -> Result<Proof> {
        Proof::from_trusted_bytes(&self.bytes).ok_or(KEYFOB_STALE_PROOF)
    }
}

impl From<Proof> for keyfob_proof_t {
    fn from(proof: Proof) -> Self {
        Self {
            bytes: proof.to_bytes(),
        }
    }
}

/// One recovery code, as it is shown to the person.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_recovery_code_t {
    /// In groups parted by hyphens, ended by a zero byte.
    pub text: [c_char; KEYFOB_RECOVERY_CODE_SIZE],
}

/// New recovery codes, to be shown once: only digests of them are kept. Wipe them then.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_recovery_codes_t {
    /// How many there are.
    pub count: u32,
    /// The codes, in the order to show them in.
    pub codes: [keyfob_recovery_code_t; KEYFOB_RECOVERY_CODES],
}

impl keyfob_recovery_codes_t {
    const NONE: Self = Self {
        count: 0,
        codes: [keyfob_recovery_code_t {
            text: [0; KEYFOB_RECOVERY_CODE_SIZE],
        }; KEYFOB_RECOVERY_CODES],
    };

    #[cfg(feature = "sha2")]
    fn of(codes: &RecoveryCodes) -> Result<Self> {
        let mut told = Self::NONE;
        for (to, from) in told.codes.iter_mut().zip(codes) {
            to.text = characters(|place| place.write_str(from.as_str()))?;
            told.count = told.count.saturating_add(1);
        }
        Ok(told)
    }
}

#[cfg(feature = "sha2")]
impl Told<RecoveryCodes> for keyfob_recovery_codes_t {
    fn told(codes: RecoveryCodes) -> Result<Self> {
        Self::of(&codes)
    }
}

/// A new token, to be shown to the person once: see `keyfob_uri_write`. Wipe it then.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_enrollment_t {
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// The new token lapses at this moment unless its first code came.
    pub pending_until: u64,
    /// The secret, for the token.
    pub secret: keyfob_secret_t,
    /// What the token and its verifier agree on.
    pub params: keyfob_params_t,
    /// The new recovery codes; none for a replacement, which leaves the codes as they are.
    pub recovery_codes: keyfob_recovery_codes_t,
}

impl Told<Enrollment> for keyfob_enrollment_t {
    fn told(enrollment: Enrollment) -> Result<Self> {
        Ok(Self {
            registration_id: enrollment.registration_id().into(),
            pending_until: enrollment.pending_until().as_seconds(),
            secret: enrollment.secret().into(),
            params: (*enrollment.params()).into(),
            #[cfg(feature = "sha2")]
            recovery_codes: keyfob_recovery_codes_t::of(enrollment.recovery_codes())?,
            #[cfg(not(feature = "sha2"))]
            recovery_codes: keyfob_recovery_codes_t::NONE,
        })
    }
}

/// What came of a code of the token. With `KEYFOB_LOCKED` all but `locked_until` is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_authentication_t {
    /// With `KEYFOB_LOCKED`: no attempt is made before this moment.
    pub locked_until: u64,
    /// The step whose code was accepted; it and all before it are burned.
    pub step: u64,
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// Lets the person change the token, for five minutes.
    pub proof: keyfob_proof_t,
    /// How many steps after the expected one; negative for a token that lags.
    pub offset: i8,
    /// Other than 0 if this was the first code, which confirmed the registration.
    pub activated: u8,
    /// Other than 0 if this was the first code of a replacement, which took over with it.
    pub replaced: u8,
}

impl keyfob_authentication_t {
    const NOTHING: Self = Self {
        locked_until: 0,
        step: 0,
        registration_id: keyfob_registration_id_t {
            bytes: [0; KEYFOB_REGISTRATION_ID_BYTES],
        },
        proof: keyfob_proof_t::NONE,
        offset: 0,
        activated: 0,
        replaced: 0,
    };
}

impl Told<Authenticated> for keyfob_authentication_t {
    fn told(answer: Authenticated) -> Result<Self> {
        Ok(Self {
            step: answer.step().number(),
            registration_id: answer.registration_id().into(),
            offset: answer.offset(),
            activated: u8::from(answer.activated()),
            replaced: u8::from(answer.replaced()),
            proof: Proof::from(answer).into(),
            ..Self::NOTHING
        })
    }

    fn locked(until: UnixTime) -> Option<Self> {
        Some(Self {
            locked_until: until.as_seconds(),
            ..Self::NOTHING
        })
    }
}

/// What came of a recovery code. With `KEYFOB_LOCKED` all but `locked_until` is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_recovery_t {
    /// With `KEYFOB_LOCKED`: no attempt is made before this moment.
    pub locked_until: u64,
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// Lets the person change the token, for five minutes.
    pub proof: keyfob_proof_t,
    /// How many recovery codes are left.
    pub remaining: u32,
}

#[cfg(feature = "sha2")]
impl Told<Recovery> for keyfob_recovery_t {
    fn told(answer: Recovery) -> Result<Self> {
        match answer {
            Recovery::Recovered(recovered) => Self::told(recovered),
            Recovery::Counted(_) => Err(KEYFOB_COUNTED),
        }
    }

    fn locked(until: UnixTime) -> Option<Self> {
        <Self as Told<Recovered>>::locked(until)
    }
}

#[cfg(feature = "sha2")]
impl Told<Recovered> for keyfob_recovery_t {
    fn told(answer: Recovered) -> Result<Self> {
        Ok(Self {
            locked_until: 0,
            registration_id: answer.registration_id().into(),
            remaining: u32::try_from(answer.remaining()).unwrap_or(0),
            proof: Proof::from(answer).into(),
        })
    }

    fn locked(until: UnixTime) -> Option<Self> {
        Some(Self {
            locked_until: until.as_seconds(),
            registration_id: keyfob_authentication_t::NOTHING.registration_id,
            proof: keyfob_proof_t::NONE,
            remaining: 0,
        })
    }
}

/// What came of two consecutive codes. With `KEYFOB_LOCKED` all but `locked_until` is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_resync_t {
    /// With `KEYFOB_LOCKED`: no attempt is made before this moment.
    pub locked_until: u64,
    /// The step of the second code.
    pub step: u64,
    /// How many steps the token's clock is ahead of ours; 0 for a counter.
    pub drift_steps: i16,
}

impl Told<Resynced> for keyfob_resync_t {
    fn told(answer: Resynced) -> Result<Self> {
        Ok(Self {
            locked_until: 0,
            step: answer.step.number(),
            drift_steps: answer.drift_steps,
        })
    }

    fn locked(until: UnixTime) -> Option<Self> {
        Some(Self {
            locked_until: until.as_seconds(),
            step: 0,
            drift_steps: 0,
        })
    }
}

/// For `burned_is_known`: the other system stopped before it was read what it burned, or the token is
/// new and no system ever accepted a code of it. Without that a code could be accepted twice.
pub const KEYFOB_BURNED_IS_ALL: u32 = 2;

/// A token as another system knew it. All zero but the secret and the parameters is right where
/// nothing else is known.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_migration_t {
    /// Its secret; see the policy for secrets below 128 bits.
    pub secret: keyfob_secret_t,
    /// What it and its verifier agree on.
    pub params: keyfob_params_t,
    /// 0 if it isn't known what was burned: a counter is then taken to be 0. For a token that goes by
    /// time, all that the other system may have accepted by now is burned besides, unless this is
    /// `KEYFOB_BURNED_IS_ALL`.
    pub burned_is_known: u32,
    /// The steps that the other system burned; for a counter, all before its next one.
    pub burned: keyfob_burned_t,
    /// How many steps its clock is ahead of ours.
    pub drift_steps: i16,
    /// The person's recovery codes, one a line; NULL means that new ones are minted.
    pub recovery_codes: *const c_char,
    /// How many bytes `recovery_codes` has.
    pub recovery_codes_length: usize,
}

impl keyfob_migration_t {
    /// Reads the migration that C lent, with the text that it points to.
    ///
    /// # Safety
    /// `recovery_codes_length` bytes can be read at `recovery_codes`, while the answer is used.
    pub(crate) unsafe fn read(&self) -> Result<Migration<'_>> {
        // SAFETY: as the caller says.
        let lines = unsafe { lent_text(self.recovery_codes, self.recovery_codes_length) }?;
        Ok(Migration {
            burned: (self.burned_is_known != 0).then_some(self.burned.into()),
            other_system: match self.burned_is_known {
                KEYFOB_BURNED_IS_ALL => OtherSystem::Stopped,
                _ => OtherSystem::Unknown,
            },
            drift_steps: self.drift_steps,
            recovery_codes: ExistingRecoveryCodes::from_lines(lines),
            ..Migration::new(self.secret.read()?, self.params.read()?)
        })
    }
}

/// A token that is handed out, to another system that takes it over.
impl Told<Migration<'_>> for keyfob_migration_t {
    fn told(migration: Migration<'_>) -> Result<Self> {
        Ok(Self {
            secret: (&migration.secret).into(),
            params: migration.params.into(),
            burned_is_known: u32::from(migration.burned.is_some()),
            burned: migration.burned.unwrap_or_default().into(),
            drift_steps: migration.drift_steps,
            recovery_codes: core::ptr::null(),
            recovery_codes_length: 0,
        })
    }
}

/// A token that was taken over and is active.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_migrated_t {
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// The newly minted recovery codes, to be shown once; none if existing ones were taken over.
    pub recovery_codes: keyfob_recovery_codes_t,
}

impl Told<Migrated> for keyfob_migrated_t {
    fn told(migrated: Migrated) -> Result<Self> {
        Ok(Self {
            registration_id: migrated.registration_id().into(),
            #[cfg(feature = "sha2")]
            recovery_codes: keyfob_recovery_codes_t::of(migrated.recovery_codes())?,
            #[cfg(not(feature = "sha2"))]
            recovery_codes: keyfob_recovery_codes_t::NONE,
        })
    }
}

/// Whether a registration is confirmed.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum keyfob_state_t {
    /// It waits for its first code, until `state_time`.
    KEYFOB_STATE_PENDING = 1,
    /// It was not confirmed in time.
    KEYFOB_STATE_LAPSED = 2,
    /// It was confirmed, at `state_time`.
    KEYFOB_STATE_ACTIVE = 3,
}

/// Whether attempts are made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_lock_t {
    /// Not before this moment: 0 if they are made now, `KEYFOB_NEVER` until an operator unlocks it.
    pub locked_until: u64,
    /// Failures in a row; 0 if an operator must unlock it.
    pub failures: u8,
}

impl From<LockState> for keyfob_lock_t {
    fn from(state: LockState) -> Self {
        let (locked_until, failures) = match state {
            LockState::Open { failures } => (0, failures),
            LockState::Locked { failures, wait } => (wait.until.as_seconds(), failures),
            _ => (KEYFOB_NEVER, 0),
        };
        Self {
            locked_until,
            failures,
        }
    }
}

/// What can be told of a registration to its owner or an operator: no secret, no code.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_registration_t {
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// What the token and its verifier agree on.
    pub params: keyfob_params_t,
    /// A `keyfob_state_t`.
    pub state: u32,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// When it was confirmed or lapses.
    pub state_time: u64,
    /// When a code was last accepted; `KEYFOB_NEVER` if none was.
    pub last_use: u64,
    /// Until when a replacement can take over; 0 if none is waiting.
    pub replacement_until: u64,
    /// Whether codes of the token are attempted.
    pub codes: keyfob_lock_t,
    /// Whether recovery codes are attempted.
    pub recovery: keyfob_lock_t,
    /// How many steps the token's clock is ahead of ours, as far as it is followed.
    pub drift_steps: i16,
    /// Other than 0 if the secret has fewer than 128 bits and should be replaced.
    pub legacy_secret: u8,
}

impl Told<Status> for keyfob_registration_t {
    fn told(status: Status) -> Result<Self> {
        let (state, state_time) = match status.state {
            StatusState::Active { since } => (keyfob_state_t::KEYFOB_STATE_ACTIVE, since),
            StatusState::Pending { until } => (keyfob_state_t::KEYFOB_STATE_PENDING, until),
            _ => (keyfob_state_t::KEYFOB_STATE_LAPSED, UnixTime::EPOCH),
        };
        Ok(Self {
            registration_id: status.registration_id.into(),
            params: status.params.into(),
            state: state as u32,
            recovery_codes: u32::try_from(status.recovery_codes).unwrap_or(0),
            state_time: state_time.as_seconds(),
            last_use: status.last_use.map_or(KEYFOB_NEVER, UnixTime::as_seconds),
            replacement_until: status.replacement_until.map_or(0, UnixTime::as_seconds),
            codes: status.codes.into(),
            recovery: status.recovery.into(),
            drift_steps: status.drift_steps,
            legacy_secret: u8::from(status.legacy_secret),
        })
    }
}
