//! Records on raw NOR flash, without a heap.

mod checksum;
mod error;
mod first_form;
mod header;
mod index;
mod item;
mod log;
mod recovery;
mod region;
mod sizes;

use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

pub use error::FlashError;

use super::RegistrationStore;
use crate::{Record, Revision, Swap};
use item::{Buffer, Title};
use log::Log;
use region::{Outcome, Region};
use sizes::Sizes;

/// Up to `N` records on raw NOR flash, such as a microcontroller's own or a chip on SPI, without a
/// heap.
///
/// Each write is appended, and sectors are erased in turn, so that they wear alike. A swap has
/// reached the flash, and was read back, when it returns. A power cut at any moment, or several in a
/// row, lose nothing that was stored, whatever an interrupted write or erase leaves behind.
///
/// ```
/// # mod chip {
/// #     use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
/// #     pub struct Chip(Vec<u8>);
/// #     impl Chip { pub fn new() -> Self { Self(vec![0xff; 0x10000]) } }
/// #     impl ErrorType for Chip { type Error = core::convert::Infallible; }
/// #     impl ReadNorFlash for Chip {
/// #         const READ_SIZE: usize = 1;
/// #         fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
/// #             bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
/// #             Ok(())
/// #         }
/// #         fn capacity(&self) -> usize { self.0.len() }
/// #     }
/// #     impl NorFlash for Chip {
/// #         const WRITE_SIZE: usize = 4;
/// #         const ERASE_SIZE: usize = 0x1000;
/// #         fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
/// #             self.0[from as usize..to as usize].fill(0xff);
/// #             Ok(())
/// #         }
/// #         fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
/// #             self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes);
/// #             Ok(())
/// #         }
/// #     }
/// # }
/// # let mut chip = chip::Chip::new();
/// use keyfob::{Engine, FlashStore, Migration, Params, Policy, Secret, SystemEntropy, TotpParams, UnixTime};
///
/// // `chip` implements `embedded_storage::nor_flash::NorFlash`; the last 16 KiB of it are for this.
/// let store = FlashStore::<_, 4>::open(&mut chip, 0xc000..0x10000)?;
/// let mut engine = Engine::new(store, Policy::DEFAULT);
///
/// let secret = Secret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
/// let migration = Migration::new(secret, Params::Totp(TotpParams::DEFAULT));
/// let now = UnixTime::from_seconds(1_800_000_000);
/// engine.migrate(&0, &migration, now, &mut SystemEntropy)?;
///
/// let mut engine = Engine::new(FlashStore::<_, 4>::open(&mut chip, 0xc000..0x10000)?, Policy::DEFAULT);
/// assert!(engine.status(&0, now).is_ok());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Supported flash
/// Words of 1 to 32 bytes, sectors of 1 KiB or more, and three sectors at least, with room for the
/// longest record; what can't work fails to compile or is [`FlashError::Region`]. No word is written
/// twice between two erases, so flash that corrects errors (ECC) is supported too: a word that can't
/// be read counts as damaged, where one that can't be written the store goes on in the next sector,
/// and a sector is always erased before it is filled, even if it reads blank.
///
/// A sector that can't be erased or written is passed over, as long as the others have room for
/// one sector less; then swaps fail. Reading never erases or writes.
///
/// # What else may lie there
/// Every sector in use begins with a header that names its region. Before there is one, nothing is
/// erased: a region that isn't blank is [`FlashError::Foreign`]. The sectors of another region are
/// [`FlashError::OtherRegion`]. Both leave the flash as it is; only [`format`](Self::format) erases
/// whatever it finds.
///
/// Regions that earlier versions wrote, as maps of sequential-storage, are read as they are, and pass
/// to the present form sector by sector as they are written. Nothing need be done.
/// [`erase_deleted`](Self::erase_deleted) makes the whole region pass. Before the first write it has no
/// header, so another region over it isn't told; and in sectors of the former form a decayed record
/// isn't told from a torn one.
///
/// # Ids
/// Number your registrations as you like. A place among the `N` takes 24 bytes of memory, beside 40
/// for the store itself, and is free again when its registration is deleted.
///
/// # How much fits in
/// A record takes up 18 bytes more than it has, in whole words, and one word. The live ones may take
/// up so much of the region that log-ins never fail for want of room; beyond that, whatever would
/// make them more or longer is [`FlashError::Full`]. In 16 sectors of 4096 bytes that is 174 records of
/// 253 bytes.
///
/// # Duties of the embedder
/// - **Give the region to nothing else**, and only one store at a time.
/// - **Protect the chip as you would the secrets**: its records hold them in the clear unless they
///   are sealed. What was deleted or superseded stays readable until its sector is erased: see
///   [`erase_deleted`](Self::erase_deleted).
/// - **Hold the supply up while flash is written**, as far as its data sheet asks for it. A cell
///   that a power cut left between 0 and 1, and that reads one way today and the other tomorrow, is
///   beyond any store.
/// - **[`salvage`](Self::salvage) after [`FlashError::Damaged`]**, and [`fence`](crate::Engine::fence)
///   what you took over: a record that decayed, and can't be read, may have been the latest.
/// - **Watch the wear**, which grows as the region fills up; BENCHMARKS.md tells how many log-ins
///   one outlasts.
pub struct FlashStore<F, const N: usize> {
    log: Log<F, N>,
    condition: Condition,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// The flash has to be looked at.
    Unknown,
    /// What is in memory is as the flash is.
    Settled,
    /// It's as much as could be read, and isn't to be written to.
    Salvaged,
}

impl<F: NorFlash, const N: usize> FlashStore<F, N> {
    /// The store in `region`, given as addresses of the flash. Erased flash is an empty store.
    ///
    /// Nothing is written before the first swap. To keep the flash, lend it: `&mut F` is flash too.
    ///
    /// # Errors
    /// [`FlashError::Region`] for a region that can't be used, [`FlashError::NoPlace`] if there are
    /// more than `N` registrations in it, [`FlashError::Foreign`] and [`FlashError::OtherRegion`] for
    /// what isn't this store's, [`FlashError::Damaged`] if something that was stored can't be read, and
    /// what the flash reports.
    pub fn open(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let mut store = Self::over(flash, &region)?;
        store.settle()?;
        Ok(store)
    }

    /// What can still be read in a region that is [`FlashError::Damaged`], for a store that can be
    /// read only.
    ///
    /// A record may be missing, or be an older one, in which a code is good that was used already. So
    /// load the records, [`format`](Self::format) the region or take another one, store them there, and
    /// [`fence`](crate::Engine::fence) each, for as long as codes may have been used since.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), but for single sectors and records that can't be read. Swaps
    /// and [`erase_deleted`](Self::erase_deleted) are [`FlashError::Damaged`].
    pub fn salvage(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let mut store = Self::over(flash, &region)?;
        let found = recovery::recover(&mut store.log.region, true)?;
        (store.log.head, store.log.index) = found;
        store.condition = Condition::Salvaged;
        Ok(store)
    }

    /// Erases `region`, **whatever it holds**, and makes an empty store there. It isn't empty before
    /// this returns: if the power is cut, format it again.
    ///
    /// A sector that can't be erased is left out, with what it holds.
    ///
    /// # Errors
    /// [`FlashError::Region`], and what the flash reports if there is no sector to begin with.
    pub fn format(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let mut store = Self::over(flash, &region)?;
        store.log.erase_all()?;
        store.condition = Condition::Settled;
        Ok(store)
    }

    fn over(flash: F, region: &Range<u32>) -> Outcome<Self, F> {
        const {
            assert!(N > 0, "a store needs a place at least");
            Sizes::<F>::check();
        };
        let region = Region::new(flash, region).ok_or(FlashError::Region)?;
        Ok(Self {
            log: Log::new(region),
            condition: Condition::Unknown,
        })
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.log.region.flash
    }

    /// The ids of all registrations, in no order.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), after an error.
    pub fn ids(&mut self) -> Result<impl Iterator<Item = u32>, FlashError<F::Error>> {
        self.settle()?;
        Ok(self.log.index.entries().map(|entry| entry.id))
    }

    /// Erases every deleted and superseded record: all secrets that aren't in use any more.
    ///
    /// It moves what is live, and erases every other sector that holds anything. Nothing is lost if the
    /// power is cut, but then old copies may be left: call it again. Where records are sealed it isn't
    /// needed: forget the key instead.
    ///
    /// It takes as long as erasing the whole region, so call it after a deletion or a replacement
    /// rather than after each log-in.
    ///
    /// # Errors
    /// What the flash reports, and what it holds wrong. Old copies may be left then.
    pub fn erase_deleted(&mut self) -> Result<(), FlashError<F::Error>> {
        self.begin_writing()?;
        self.log.erase_deleted()?;
        self.condition = Condition::Settled;
        Ok(())
    }

    /// Looks at the flash, unless what is in memory is known to agree with it.
    fn settle(&mut self) -> Outcome<(), F> {
        if self.condition == Condition::Unknown {
            self.log.recover()?;
            self.condition = Condition::Settled;
        }
        Ok(())
    }

    /// Unless writing succeeds, the flash has to be looked at anew.
    fn begin_writing(&mut self) -> Outcome<(), F> {
        self.settle()?;
        if self.condition == Condition::Salvaged {
            return Err(FlashError::Damaged);
        }
        self.condition = Condition::Unknown;
        Ok(())
    }

    fn revision(&self, id: u32) -> Option<Revision> {
        self.log.index.entry(id).map(|entry| entry.revision)
    }

    /// Whether so much more can be stored. What doesn't grow always can.
    fn require_room(&self, title: &Title) -> Outcome<(), F> {
        let index = &self.log.index;
        let before = match index.entry(title.id) {
            Some(entry) => Sizes::<F>::item(entry.title().bytes()),
            None if index.is_full() => return Err(FlashError::NoPlace),
            None => 0,
        };
        let after = Sizes::<F>::item(title.bytes());
        let live = self.log.live_bytes();
        let live = live.saturating_sub(before).saturating_add(after);
        if after <= before || live <= Sizes::<F>::room(self.log.region.count()) {
            return Ok(());
        }
        Err(FlashError::Full)
    }
}

impl<F: NorFlash, const N: usize> RegistrationStore for FlashStore<F, N> {
    type Id = u32;
    type Error = FlashError<F::Error>;

    fn load(&mut self, id: &u32) -> Result<Option<Record>, FlashError<F::Error>> {
        self.settle()?;
        let Some(entry) = self.log.index.entry(*id) else {
            return Ok(None);
        };
        let mut buffer = Buffer::new();
        self.log.read(entry, &mut buffer)?;
        match Record::from_stored(entry.revision, buffer.record(&entry.title())) {
            Ok(record) => Ok(Some(record)),
            Err(error) => Err(FlashError::Corrupt(error)),
        }
    }

    fn compare_and_swap(
        &mut self,
        id: &u32,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, FlashError<F::Error>> {
        self.settle()?;
        if self.revision(*id) != expected {
            return Ok(Swap::Conflict);
        }
        if expected.is_none() && next.is_none() {
            return Ok(Swap::Stored);
        }
        let title = Title::of(*id, next);
        self.require_room(&title)?;
        self.begin_writing()?;
        let record = next.map(Record::as_bytes).unwrap_or_default();
        self.log.append(&title, record)?;
        self.condition = Condition::Settled;
        Ok(Swap::Stored)
    }
}

/// Tells where it is, and nothing of its records.
impl<F: NorFlash, const N: usize> fmt::Debug for FlashStore<F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashStore")
            .field("region", &self.log.region.range())
            .finish_non_exhaustive()
    }
}
