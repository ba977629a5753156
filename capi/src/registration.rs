//! What C is told of a registration, once what was decided is stored.

use core::cell::Cell;
use core::ffi::c_char;
#[cfg(feature = "sha2")]
use core::fmt::Write as _;

use keyfob::{
    Authenticated, Enrollment, ExistingRecoveryCodes, LockState, Migrated, Migration, OtherSystem,
    Proof, RegistrationId, Rejection, Resynced, Status, StatusState, UnixTime, Wait,
};
#[cfg(feature = "sha2")]
use keyfob::{Recovered, RecoveryCodes};

#[cfg(feature = "sha2")]
use crate::given::write_text;
use crate::given::{Told, plain};
use crate::keyfob_status_t::{self, *};
use crate::lent::{Result, copied_text, lent, with_room_for_recovery_codes};
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

plain!(
    keyfob_recovery_codes_t,
    keyfob_enrollment_t,
    keyfob_authentication_t,
    keyfob_recovery_t,
    keyfob_resync_t,
    keyfob_migration_t,
    keyfob_migrated_t,
    keyfob_registration_t,
);

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

#[cfg(feature = "sha2")]
impl keyfob_recovery_codes_t {
    /// Copies over zeros.
    fn copy(&mut self, codes: &RecoveryCodes) -> Result<()> {
        for (to, from) in self.codes.iter_mut().zip(codes) {
            write_text(&mut to.text, |place| place.write_str(from.as_str()))?;
            self.count = self.count.saturating_add(1);
        }
        Ok(())
    }
}

#[cfg(feature = "sha2")]
impl Told<RecoveryCodes> for keyfob_recovery_codes_t {
    fn tell(&mut self, codes: RecoveryCodes) -> Result<()> {
        self.copy(&codes)
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
    fn tell(&mut self, enrollment: Enrollment) -> Result<()> {
        self.registration_id = enrollment.registration_id().into();
        self.pending_until = enrollment.pending_until().as_seconds();
        self.secret.copy(enrollment.secret());
        self.params = (*enrollment.params()).into();
        #[cfg(feature = "sha2")]
        self.recovery_codes.copy(enrollment.recovery_codes())?;
        Ok(())
    }
}

/// What came of a code of the token. If it was refused, all but the wait and the failures is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_authentication_t {
    /// With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
    /// moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
    pub locked_until: u64,
    /// How many seconds that is from now.
    pub wait_seconds: u64,
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
    /// With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
    pub failures: u8,
}

impl Told<Authenticated> for keyfob_authentication_t {
    fn tell(&mut self, answer: Authenticated) -> Result<()> {
        self.step = answer.step().number();
        self.registration_id = answer.registration_id().into();
        self.offset = answer.offset();
        self.activated = u8::from(answer.activated());
        self.replaced = u8::from(answer.replaced());
        self.proof = Proof::from(answer).into();
        Ok(())
    }

    fn refuse(&mut self, rejection: &Rejection) {
        let told = Refusal::of(rejection);
        self.locked_until = told.locked_until;
        self.wait_seconds = told.wait_seconds;
        self.failures = told.failures;
    }
}

/// What came of a recovery code. If it was refused, all but the wait and the failures is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_recovery_t {
    /// With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
    /// moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
    pub locked_until: u64,
    /// How many seconds that is from now.
    pub wait_seconds: u64,
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// Lets the person change the token, for five minutes.
    pub proof: keyfob_proof_t,
    /// How many recovery codes are left.
    pub remaining: u32,
    /// With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
    pub failures: u8,
}

#[cfg(feature = "sha2")]
impl Told<Recovered> for keyfob_recovery_t {
    fn tell(&mut self, answer: Recovered) -> Result<()> {
        self.registration_id = answer.registration_id().into();
        self.remaining = u32::try_from(answer.remaining()).unwrap_or(0);
        self.proof = Proof::from(answer).into();
        Ok(())
    }

    fn refuse(&mut self, rejection: &Rejection) {
        let told = Refusal::of(rejection);
        self.locked_until = told.locked_until;
        self.wait_seconds = told.wait_seconds;
        self.failures = told.failures;
    }
}

/// What came of two consecutive codes. If it was refused, all but the wait and the failures is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_resync_t {
    /// With `KEYFOB_LOCKED`, `KEYFOB_TOO_EARLY` and `KEYFOB_MISMATCH`: no attempt succeeds before this
    /// moment; 0 if the next one can be made now, `KEYFOB_NEVER` if an operator must unlock first.
    pub locked_until: u64,
    /// How many seconds that is from now.
    pub wait_seconds: u64,
    /// The step of the second code.
    pub step: u64,
    /// How many steps the token's clock is ahead of ours; 0 for a counter.
    pub drift_steps: i16,
    /// With `KEYFOB_MISMATCH`: failures in a row; 0 if an operator must unlock first.
    pub failures: u8,
}

impl Told<Resynced> for keyfob_resync_t {
    fn tell(&mut self, answer: Resynced) -> Result<()> {
        self.step = answer.step.number();
        self.drift_steps = answer.drift_steps;
        Ok(())
    }

    fn refuse(&mut self, rejection: &Rejection) {
        let told = Refusal::of(rejection);
        self.locked_until = told.locked_until;
        self.wait_seconds = told.wait_seconds;
        self.failures = told.failures;
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
    /// The person's recovery codes, one a line; NULL means that new ones are minted. Needs the
    /// feature `sha2`.
    pub recovery_codes: *const c_char,
    /// How many bytes `recovery_codes` has, at most `KEYFOB_RECOVERY_TEXT_BYTES`.
    pub recovery_codes_length: usize,
}

impl keyfob_migration_t {
    /// Reads the migration that C lent, for work that needs it; the text that it points to is copied.
    ///
    /// # Safety
    /// Unless it is null, `recovery_codes_length` bytes can be read at `recovery_codes`.
    pub(crate) unsafe fn with(
        migration: Option<&Cell<Self>>,
        mut work: impl FnMut(Result<Migration<'_>>) -> keyfob_status_t,
    ) -> keyfob_status_t {
        let has_codes = lent(migration, |it| Ok(it.recovery_codes_length > 0));
        with_room_for_recovery_codes(has_codes == Ok(true), &mut |room| {
            // SAFETY: as the caller says.
            work(lent(migration, |it| unsafe { it.read(room) }))
        })
    }

    /// # Safety
    /// As for [`with`](Self::with).
    unsafe fn read<'a>(&self, room: &'a mut [u8]) -> Result<Migration<'a>> {
        if !cfg!(feature = "sha2") && self.recovery_codes_length > 0 {
            return Err(KEYFOB_FEATURE_OFF);
        }
        // SAFETY: as the caller says.
        let lines = unsafe { copied_text(room, self.recovery_codes, self.recovery_codes_length) }?;
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
    fn tell(&mut self, migration: Migration<'_>) -> Result<()> {
        self.secret.copy(&migration.secret);
        self.params = migration.params.into();
        self.burned_is_known = u32::from(migration.burned.is_some());
        self.burned.copy(migration.burned.unwrap_or_default());
        self.drift_steps = migration.drift_steps;
        Ok(())
    }
}

/// A token that was taken over and is active.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct keyfob_migrated_t {
    /// The registration's own name.
    pub registration_id: keyfob_registration_id_t,
    /// How many of the existing recovery codes were not taken over: given twice, after the first 16, or
    /// unusable. They never work: tell the person.
    pub skipped_recovery_codes: u32,
    /// The newly minted recovery codes, to be shown once; none if existing ones were taken over.
    pub recovery_codes: keyfob_recovery_codes_t,
}

impl Told<Migrated> for keyfob_migrated_t {
    fn tell(&mut self, migrated: Migrated) -> Result<()> {
        self.registration_id = migrated.registration_id().into();
        #[cfg(feature = "sha2")]
        {
            let skipped = migrated.skipped_recovery_codes().total();
            self.skipped_recovery_codes = u32::try_from(skipped).unwrap_or(u32::MAX);
            self.recovery_codes.copy(migrated.recovery_codes())?;
        }
        Ok(())
    }
}

/// What is told of a refusal besides its status.
#[derive(Default)]
struct Refusal {
    locked_until: u64,
    wait_seconds: u64,
    failures: u8,
}

impl Refusal {
    fn of(rejection: &Rejection) -> Self {
        match *rejection {
            Rejection::Locked(wait) | Rejection::TooEarly(wait) => Self::waiting(wait, 0),
            Rejection::Mismatch { lock } => Self::locked(lock),
            _ => Self::default(),
        }
    }

    fn locked(lock: LockState) -> Self {
        match lock {
            LockState::Open { failures } => Self {
                failures,
                ..Self::default()
            },
            LockState::Locked { failures, wait } => Self::waiting(wait, failures),
            _ => Self {
                locked_until: KEYFOB_NEVER,
                wait_seconds: KEYFOB_NEVER,
                failures: 0,
            },
        }
    }

    const fn waiting(wait: Wait, failures: u8) -> Self {
        Self {
            locked_until: wait.until.as_seconds(),
            wait_seconds: wait.seconds,
            failures,
        }
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

impl keyfob_lock_t {
    /// Copies over zeros.
    fn copy(&mut self, state: LockState) {
        match state {
            LockState::Open { failures } => self.failures = failures,
            LockState::Locked { failures, wait } => {
                self.locked_until = wait.until.as_seconds();
                self.failures = failures;
            }
            _ => self.locked_until = KEYFOB_NEVER,
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
    /// Until when right codes are `KEYFOB_TOO_EARLY`, after a fence or a log-in while a clock was ahead;
    /// 0 if they are accepted. `keyfob_forget_future_steps` helps.
    pub refused_until: u64,
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
    fn tell(&mut self, status: Status) -> Result<()> {
        let (state, state_time) = match status.state {
            StatusState::Active { since } => (keyfob_state_t::KEYFOB_STATE_ACTIVE, since),
            StatusState::Pending { until } => (keyfob_state_t::KEYFOB_STATE_PENDING, until),
            _ => (keyfob_state_t::KEYFOB_STATE_LAPSED, UnixTime::EPOCH),
        };
        self.registration_id = status.registration_id.into();
        self.params = status.params.into();
        self.state = state as u32;
        self.recovery_codes = u32::try_from(status.recovery_codes).unwrap_or(0);
        self.state_time = state_time.as_seconds();
        self.last_use = status.last_use.map_or(KEYFOB_NEVER, UnixTime::as_seconds);
        self.replacement_until = status.replacement_until.map_or(0, UnixTime::as_seconds);
        self.refused_until = status.refused_until.map_or(0, UnixTime::as_seconds);
        self.codes.copy(status.codes);
        self.recovery.copy(status.recovery);
        self.drift_steps = status.drift_steps;
        self.legacy_secret = u8::from(status.legacy_secret);
        Ok(())
    }
}
