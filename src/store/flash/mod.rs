//! Records on raw NOR flash, without a heap.

mod error;
mod index;
mod item;
mod recovery;
mod sectors;
mod sizes;
mod view;

use core::ops::Range;
use core::{fmt, mem};

use embedded_storage::nor_flash::NorFlash;
use sequential_storage::Error as MapError;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

pub use error::FlashError;

use super::RegistrationStore;
use crate::{Record, Revision, Swap};
use index::Index;
use item::{Buffer, Content, Key};
use sectors::{Sectors, State};
use sizes::Sizes;
use view::{Access, Shown, View, finish};

/// Where the map found what it read or wrote last.
///
/// It knows neither the states of the sectors nor their ends: they need a place a sector, and save
/// many short reads but few bytes.
type Places<const N: usize> = Cache<Uncached, Uncached, ArrayKeyPointers<Key, N>, Key>;

type Map<'a, F, const N: usize> = MapStorage<Key, View<'a, F>, Places<N>>;

fn no_places<const N: usize>() -> Places<N> {
    Cache::new(Uncached, Uncached, ArrayKeyPointers::new())
}

/// Up to `N` records on raw NOR flash, such as a microcontroller's own or a chip on SPI, without a
/// heap.
///
/// Each write is appended, and sectors are erased in turn, so that they wear alike. A swap has
/// reached the flash, and was read back, when it returns. A power cut at any moment loses nothing
/// that was stored.
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
/// # Ids
/// Number your registrations, best from 0, and use the numbers of deleted ones again: an id keeps
/// its place among the `N`, and 16 bytes or two words of flash, until the region is formatted. A
/// place takes 36 bytes of memory, beside 32 for the store itself.
///
/// # How much fits in
/// A record takes up 21 bytes more than it has, in whole words. The live ones may take up so much
/// of the region that log-ins never fail for want of room; beyond that, whatever would make them
/// more or longer is [`FlashError::Full`]. In 16 sectors of 4096 bytes that is 170 records of 253
/// bytes. There must be three sectors at least, and room for the longest record.
///
/// # Duties of the embedder
/// - **Give the region to nothing else**, and only one store at a time.
/// - **Protect the chip as you would the secrets**: its records hold them in the clear unless they
///   are sealed. What was deleted or superseded stays readable until its sector is erased: see
///   [`erase_deleted`](Self::erase_deleted).
/// - **Hold the supply up while flash is written**, as far as its data sheet asks for it. A cell
///   that a power cut left between 0 and 1, and that reads one way today and the other tomorrow, is
///   beyond any store.
/// - **[`fence`](crate::Engine::fence) after [`FlashError::Damaged`]**: a record that decays is
///   refused as long as the store is open, and after a restart the one before it is found.
/// - **Watch the wear**, which grows as the region fills up; BENCHMARKS.md tells how many log-ins
///   one outlasts.
pub struct FlashStore<F, const N: usize> {
    flash: F,
    region: Range<u32>,
    places: Places<N>,
    /// Where the map erased last.
    last_erased: Option<u32>,
    index: Index<N>,
    /// Whether all of the above is as the flash is.
    is_settled: bool,
    /// Whether nothing was appended since.
    is_untried: bool,
}

impl<F: NorFlash, const N: usize> FlashStore<F, N> {
    /// The store in `region`, given as addresses of the flash. Erased flash is an empty store.
    ///
    /// What a power cut interrupted is brought to an end here. To keep the flash, lend it: `&mut F`
    /// is flash too.
    ///
    /// # Errors
    /// [`FlashError::Region`] for a region that can't be used, [`FlashError::NoPlace`] if there are
    /// more than `N` ids in it, [`FlashError::Foreign`] or [`FlashError::Damaged`] for what this
    /// store can't have written, and what the flash reports.
    pub fn open(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let mut store = Self::over(flash, region)?;
        store.settle()?;
        Ok(store)
    }

    /// Erases `region`, whatever it holds, and makes an empty store there.
    ///
    /// # Errors
    /// [`FlashError::Region`], and what the flash reports.
    pub fn format(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        let mut store = Self::over(flash, region)?;
        let mut sectors = store.sectors();
        for sector in sectors.all() {
            sectors.erase(sector)?;
        }
        store.settle()?;
        Ok(store)
    }

    fn over(flash: F, region: Range<u32>) -> Result<Self, FlashError<F::Error>> {
        const {
            assert!(N > 0, "a store needs a place at least");
            Sizes::<F>::check();
        };
        if !Sizes::<F>::fit(&region, flash.capacity()) {
            return Err(FlashError::Region);
        }
        Ok(Self {
            flash,
            region,
            places: no_places(),
            last_erased: None,
            index: Index::new(),
            is_settled: false,
            is_untried: true,
        })
    }

    /// Gives the flash back.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// The ids of all registrations, in no order.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), after an error.
    pub fn ids(&mut self) -> Result<impl Iterator<Item = u32>, FlashError<F::Error>> {
        self.settle()?;
        Ok(self.index.ids())
    }

    /// Erases every deleted and superseded record: all secrets that aren't in use any more.
    ///
    /// It appends padding until each sector that holds anything was erased once, as log-ins would in
    /// time; what is live is moved on. Nothing is lost if the power is cut, but then old copies may
    /// be left: call it again. Where records are sealed it isn't needed: forget
    /// the key instead.
    ///
    /// It takes as long as erasing the whole region, so call it after a deletion or a replacement
    /// rather than after each log-in.
    ///
    /// # Errors
    /// What the flash reports, and what it holds wrong. Old copies may be left then.
    pub fn erase_deleted(&mut self) -> Result<(), FlashError<F::Error>> {
        self.settle()?;
        self.append(&Key::Padding, Content::Padding(0))?;
        let newest = self.sector_being_filled()?;
        self.last_erased = None;
        while self.last_erased != Some(newest) {
            let padding = Content::Padding(Sizes::<F>::PADDING);
            self.append(&Key::Padding, padding)?;
        }
        self.append(&Key::Padding, Content::Padding(0))
    }

    fn sectors(&mut self) -> Sectors<'_, F> {
        Sectors::new(&mut self.flash, self.region.clone())
    }

    fn sector_being_filled(&mut self) -> Result<u32, FlashError<F::Error>> {
        let mut sectors = self.sectors();
        for sector in sectors.all() {
            if sectors.state(sector)? == State::Partial {
                return Ok(sector);
            }
        }
        Err(FlashError::Damaged)
    }

    /// Looks at the flash, unless what is in memory is known to agree with it.
    fn settle(&mut self) -> Result<(), FlashError<F::Error>> {
        if self.is_settled {
            return Ok(());
        }
        self.places = no_places();
        self.index = recovery::recover(&mut self.flash, &self.region)?;
        (self.is_settled, self.is_untried) = (true, true);
        Ok(())
    }

    /// Whether so much more can be stored under `id`. What doesn't grow always can.
    fn require_room(&self, id: u32, content: Content<'_>) -> Result<(), FlashError<F::Error>> {
        let before = match self.index.item_bytes(id) {
            Some(bytes) => Sizes::<F>::item(bytes),
            None if self.index.is_full() => return Err(FlashError::NoPlace),
            None => 0,
        };
        let after = Sizes::<F>::item(content.item_bytes());
        let live: usize = self.index.lengths().map(Sizes::<F>::item).sum();
        let live = live.saturating_sub(before).saturating_add(after);
        if after <= before || live <= Sizes::<F>::room(&self.region) {
            return Ok(());
        }
        Err(FlashError::Full)
    }

    /// Appends, and reads back what was appended. Unless that succeeds, the flash has to be looked
    /// at anew.
    ///
    /// What is appended first may border on an item that a power cut tore, and complete it to one of
    /// any length, which hides it. So it is searched for, as it will be after a restart.
    fn append(&mut self, key: &Key, content: Content<'_>) -> Result<(), FlashError<F::Error>> {
        self.is_settled = false;
        let mut buffer = Buffer::new();
        self.on_map(Access::Change, |map| {
            finish(map.store_item(buffer.as_mut(), key, &content))
        })?;
        if self.is_untried {
            self.places = no_places();
        }
        if self.fetch(key, &mut buffer)? != Some(content) {
            return Err(FlashError::NotKept);
        }
        (self.is_settled, self.is_untried) = (true, false);
        Ok(())
    }

    /// Reads what was appended last under `key`. It writes nothing, whatever it finds.
    fn fetch<'b>(
        &mut self,
        key: &Key,
        buffer: &'b mut Buffer,
    ) -> Result<Option<Content<'b>>, FlashError<F::Error>> {
        self.on_map(Access::Read(Shown::All), |map| {
            finish(map.fetch_item(buffer.as_mut(), key))
        })
    }

    /// Lets the map act on the flash, with the places that it knows.
    fn on_map<T>(
        &mut self,
        access: Access,
        act: impl FnOnce(&mut Map<'_, F, N>) -> Result<T, MapError<F::Error>>,
    ) -> Result<T, FlashError<F::Error>> {
        let known = mem::replace(&mut self.places, no_places());
        let mut map = map(&mut self.flash, &self.region, access, known)?;
        let outcome = act(&mut map);
        let (view, places) = map.destroy();
        self.last_erased = view.last_erased().or(self.last_erased);
        self.places = places;
        outcome.map_err(FlashError::of_map)
    }
}

fn map<'a, F: NorFlash, const N: usize>(
    flash: &'a mut F,
    region: &Range<u32>,
    access: Access,
    places: Places<N>,
) -> Result<Map<'a, F, N>, FlashError<F::Error>> {
    let config = MapConfig::try_new(region.clone()).map_err(|_| FlashError::Region)?;
    Ok(MapStorage::new(View::new(flash, access), config, places))
}

impl<F: NorFlash, const N: usize> RegistrationStore for FlashStore<F, N> {
    type Id = u32;
    type Error = FlashError<F::Error>;

    fn load(&mut self, id: &u32) -> Result<Option<Record>, FlashError<F::Error>> {
        self.settle()?;
        let Some(revision) = self.index.revision(*id) else {
            return Ok(None);
        };
        let mut buffer = Buffer::new();
        match self.fetch(&Key::Registration(*id), &mut buffer)? {
            Some(Content::Record(found, bytes)) if found == revision => {
                match Record::from_stored(found, bytes) {
                    Ok(record) => Ok(Some(record)),
                    Err(error) => Err(FlashError::Corrupt(error)),
                }
            }
            _ => Err(FlashError::Damaged), // the map passes over what it can't read
        }
    }

    fn compare_and_swap(
        &mut self,
        id: &u32,
        expected: Option<Revision>,
        next: Option<&Record>,
    ) -> Result<Swap, FlashError<F::Error>> {
        self.settle()?;
        if self.index.revision(*id) != expected {
            return Ok(Swap::Conflict);
        }
        if expected.is_none() && next.is_none() {
            return Ok(Swap::Stored);
        }
        let content = Content::of(next);
        self.require_room(*id, content)?;
        self.append(&Key::Registration(*id), content)?;
        let noted = self.index.note(*id, content);
        noted.map_err(|_| FlashError::NoPlace)?;
        Ok(Swap::Stored)
    }
}

/// Tells where it is, and nothing of its records.
impl<F, const N: usize> fmt::Debug for FlashStore<F, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashStore")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
