//! The other side, on a microcontroller as well: a door lock, say, that lets tokens in.

use keyfob::{
    Authenticated, Burned, Code, Engine, Error, FlashError, FlashStore, Migration, OtherSystem,
    Params, Policy, Secret, TotpParams, UnixTime,
};

use crate::chip::{Chip, Misuse, REGION};
use crate::entropy::Predictable;

/// As many tokens as this lock knows.
pub const TOKENS: usize = 2;

/// What goes wrong here.
pub type Fault = Error<FlashError<Misuse>>;

/// An engine over the board's flash. One token is number 0.
pub struct Verifier(Engine<FlashStore<Chip, TOKENS>>);

impl Verifier {
    /// What the chip holds; an erased one is a verifier that knows nobody.
    ///
    /// # Errors
    /// What the store reports.
    #[inline(never)]
    pub fn open(chip: Chip) -> Result<Self, Fault> {
        let store = FlashStore::open(chip, REGION).map_err(Error::Store)?;
        Ok(Self(Engine::new(store, Policy::DEFAULT)))
    }

    /// Whether a token was registered.
    ///
    /// # Errors
    /// What the store reports.
    #[inline(never)]
    pub fn knows_a_token(&mut self) -> Result<bool, Fault> {
        let mut ids = self.0.store().ids().map_err(Error::Store)?;
        Ok(ids.next().is_some())
    }

    /// Registers a token whose secret came from the factory, and of which no code was used yet.
    ///
    /// # Errors
    /// What the store reports, or [`Error::Rejected`] if the number is taken.
    #[inline(never)]
    pub fn register(&mut self, secret: Secret, now: UnixTime) -> Result<(), Fault> {
        let migration = Migration {
            burned: Some(Burned::NOTHING),
            other_system: OtherSystem::Stopped,
            ..Migration::new(secret, Params::Totp(TotpParams::DEFAULT))
        };
        self.0
            .migrate(&0, migration, now, &mut Predictable::new())?;
        Ok(())
    }

    /// Lets a code in, once.
    ///
    /// # Errors
    /// [`Error::Rejected`] for a wrong code or a used one, or what the store reports.
    #[inline(never)]
    pub fn admit(&mut self, code: &Code, now: UnixTime) -> Result<Authenticated, Fault> {
        self.0.authenticate(&0, code, now)
    }

    /// The engine, for all else.
    pub const fn engine(&mut self) -> &mut Engine<FlashStore<Chip, TOKENS>> {
        &mut self.0
    }
}
