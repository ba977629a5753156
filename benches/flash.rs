//! How many log-ins a region of flash lasts, and what one reads and writes.
//!
//! Nothing is timed: the chip is in memory, and counts.

#![allow(clippy::unwrap_used)] // what fails here leaves nothing to be counted
#![allow(clippy::cast_precision_loss)] // counts stay far below

#[allow(dead_code)] // no power is cut here
#[path = "../tests/support/chip.rs"]
mod chip;

use chip::{Chip, Fault};
use keyfob::{FlashError, FlashStore, Record, RegistrationStore as _, Revision, Swap};

/// 64 KiB in sectors of 4 KiB, written four bytes at a time.
const SECTORS: usize = 16;
type Region = Chip<1, 4, 4096>;

/// Places for as many registrations as find room with the shortest records here.
type Store = FlashStore<Region, 500>;

/// How often a sector can be erased.
const CYCLES: u64 = 100_000;

/// So many log-ins are made before anything is counted, and then so many are counted.
const LOG_INS: u64 = 10_000;

/// What a secret of 20 bytes takes without recovery codes, and with ten; and the longest record.
const RECORD_BYTES: [usize; 3] = [85, 253, 704];

fn main() {
    println!(
        "| bytes a record | registrations | that log in | log-ins an erase | log-ins a region | reads | bytes read \
         | bytes written |\n|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for bytes in RECORD_BYTES {
        let most = Device::full(bytes).registrations;
        for (registrations, active) in [
            (1, 1),
            (most / 2, most / 2),
            (most / 2, 1),
            (most, most),
            (most, 1),
        ] {
            println!("{}", Device::new(registrations, bytes).wear(active));
        }
    }
}

/// A store, and what logs in there.
struct Device {
    store: Store,
    registrations: u32,
    record_bytes: usize,
    revision: u64,
}

impl Device {
    fn new(registrations: u32, record_bytes: usize) -> Self {
        let mut device = Self::empty(record_bytes);
        while device.registrations < registrations {
            device.register().unwrap();
        }
        device
    }

    /// With as many registrations as the region has room for.
    fn full(record_bytes: usize) -> Self {
        let mut device = Self::empty(record_bytes);
        while device.register() != Err(FlashError::Full) {}
        device
    }

    fn empty(record_bytes: usize) -> Self {
        let chip = Region::blank(SECTORS);
        let region = chip.region();
        Self {
            store: Store::open(chip, region).unwrap(),
            registrations: 0,
            record_bytes,
            revision: 0,
        }
    }

    fn register(&mut self) -> Result<(), FlashError<Fault>> {
        self.write(self.registrations)?;
        self.registrations += 1;
        Ok(())
    }

    /// One of the first so many logs in.
    fn log_in(&mut self, active: u32) {
        let id = self.revision % u64::from(active);
        self.write(u32::try_from(id).unwrap()).unwrap();
    }

    /// What an engine does: it loads the record and swaps it for the next.
    fn write(&mut self, id: u32) -> Result<(), FlashError<Fault>> {
        let expected = self.store.load(&id)?.map(|record| record.revision());
        self.revision += 1;
        let bytes = vec![0x5a; self.record_bytes];
        let next = Record::from_stored(Revision::from_u64(self.revision), &bytes).unwrap();
        let swap = self.store.compare_and_swap(&id, expected, Some(&next))?;
        assert_eq!(swap, Swap::Stored);
        Ok(())
    }

    /// The table's row: what log-ins cost once every sector is in use.
    fn wear(mut self, active: u32) -> String {
        (0..LOG_INS).for_each(|_| self.log_in(active));
        let mut device = self.restarted();
        (0..LOG_INS).for_each(|_| device.log_in(active));
        let Self {
            store,
            record_bytes,
            registrations,
            ..
        } = device;
        let chip = store.into_flash();

        let an_erase = LOG_INS as f64 / chip.erases.iter().sum::<u64>() as f64;
        let lasts = an_erase * (CYCLES * SECTORS as u64) as f64;
        let each = |count: u64| count as f64 / LOG_INS as f64;
        format!(
            "| {record_bytes} | {registrations} | {active} | {an_erase:.1} | {:.1} million | {:.0} | {:.0} | {:.0} |",
            lasts / 1e6,
            each(chip.reads),
            each(chip.bytes_read),
            each(chip.bytes_written),
        )
    }

    /// The same with nothing counted yet.
    fn restarted(self) -> Self {
        let mut chip = self.store.into_flash();
        chip.forget_counts();
        let region = chip.region();
        let store = Store::open(chip, region).unwrap();
        Self { store, ..self }
    }
}
