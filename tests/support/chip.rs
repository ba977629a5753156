//! A NOR flash chip in memory, as unforgiving as a real one, whose power can go at any byte.

use std::cell::Cell;
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

/// What an erase leaves behind when the power goes in the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Whole bytes are blank, from the first one on.
    Forward,
    /// The same from the last one on.
    Backward,
    /// Everything is first made zero, as much flash does, and then blank.
    Zeros,
    /// Bits are turned here and there.
    Scattered,
    /// What was there is gone, and any bits are left.
    Random,
}

/// What becomes of a word that was being written, or of words that were being erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    /// It has some of its bytes.
    Bytes,
    /// It has some of its bits.
    Bits,
    /// It can't be read, as its error correction finds too many errors.
    Unreadable,
    /// It reads blank, but can't be written before it is erased.
    SeemsBlank,
}

/// What is wrong with a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// It can't be erased.
    Erase,
    /// Nothing can be written to it.
    Write,
}

/// How many more bytes can be written or erased; a handle to the same supply as the chip's.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    left: Rc<Cell<u64>>,
    /// A weak battery: only erases use it up.
    is_weak: Rc<Cell<bool>>,
}

impl Power {
    fn mains() -> Self {
        Self {
            left: Rc::new(Cell::new(u64::MAX)),
            is_weak: Rc::default(),
        }
    }

    pub(crate) fn cut_after(&self, bytes: u64) {
        self.left.set(bytes);
        self.is_weak.set(false);
    }

    /// The battery holds out for writes, but for no more than so many bytes that are erased.
    #[allow(dead_code)] // the benchmark has mains
    pub(crate) fn cut_erasing_after(&self, bytes: u64) {
        self.left.set(bytes);
        self.is_weak.set(true);
    }

    pub(crate) fn is_off(&self) -> bool {
        self.left.get() == 0
    }

    /// As many of `bytes` as there is power to write.
    fn take_to_write(&self, bytes: usize) -> usize {
        if self.is_weak.get() && !self.is_off() {
            return bytes;
        }
        self.take(bytes)
    }

    /// As many of `bytes` as there is power for.
    fn take(&self, bytes: usize) -> usize {
        let taken = self.left.get().min(bytes as u64);
        self.left.set(self.left.get() - taken);
        usize::try_from(taken).unwrap()
    }
}

/// `WORD` bytes are written at once, and only once until they are erased; `SECTOR` bytes are erased
/// at once.
#[derive(Debug)]
pub(crate) struct Chip<const READ: usize, const WORD: usize, const SECTOR: usize> {
    pub(crate) bytes: Vec<u8>,
    is_written: Vec<bool>,
    is_unreadable: Vec<bool>,
    pub(crate) cut: Cut,
    pub(crate) torn: Torn,
    pub(crate) defects: Vec<Option<Defect>>,
    random: u64,
    power: Power,
    pub(crate) erases: Vec<u64>,
    pub(crate) reads: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
}

/// The same contents, with power of its own.
impl<const READ: usize, const WORD: usize, const SECTOR: usize> Clone for Chip<READ, WORD, SECTOR> {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            is_written: self.is_written.clone(),
            is_unreadable: self.is_unreadable.clone(),
            cut: self.cut,
            torn: self.torn,
            defects: self.defects.clone(),
            random: self.random,
            power: Power::mains(),
            erases: self.erases.clone(),
            reads: self.reads,
            bytes_read: self.bytes_read,
            bytes_written: self.bytes_written,
        }
    }
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> Chip<READ, WORD, SECTOR> {
    pub(crate) fn blank(sectors: usize) -> Self {
        Self {
            bytes: vec![0xff; sectors * SECTOR],
            is_written: vec![false; sectors * SECTOR / WORD],
            is_unreadable: vec![false; sectors * SECTOR / WORD],
            cut: Cut::Forward,
            torn: Torn::Bits,
            defects: vec![None; sectors],
            random: 0x2545_f491_4f6c_dd1d,
            power: Power::mains(),
            erases: vec![0; sectors],
            reads: 0,
            bytes_read: 0,
            bytes_written: 0,
        }
    }

    /// A chip that holds `bytes`, whoever wrote them.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        let mut chip = Self::blank(bytes.len() / SECTOR);
        chip.bytes = bytes;
        (0..chip.erases.len()).for_each(|sector| chip.note_blank_words(sector));
        chip
    }

    pub(crate) fn region(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.bytes.len()).unwrap()
    }

    pub(crate) fn power(&self) -> Power {
        self.power.clone()
    }

    /// Turns the power on again.
    pub(crate) fn restart(&mut self) {
        self.power = Power::mains();
    }

    pub(crate) fn contains(&self, needle: &[u8]) -> usize {
        let windows = self.bytes.windows(needle.len());
        windows.filter(|window| *window == needle).count()
    }

    /// Counts from nothing again.
    #[allow(dead_code)] // the tests don't
    pub(crate) fn forget_counts(&mut self) {
        self.erases.fill(0);
        (self.reads, self.bytes_read, self.bytes_written) = (0, 0, 0);
    }

    fn check_power(&self) -> Result<(), Fault> {
        if self.power.is_off() {
            return Err(Fault::NoPower);
        }
        Ok(())
    }

    fn note_blank_words(&mut self, sector: usize) {
        for word in sector * SECTOR / WORD..(sector + 1) * SECTOR / WORD {
            self.note_whether_blank(word);
        }
    }

    /// A word that was cut off in mid erase or in mid write, and reads blank, can be written.
    fn note_whether_blank(&mut self, word: usize) {
        let bytes = &self.bytes[word * WORD..][..WORD];
        self.is_written[word] = bytes.iter().any(|byte| *byte != 0xff);
    }

    fn erase_sector(&mut self, sector: usize) -> Result<(), Fault> {
        if self.defects[sector] == Some(Defect::Erase) {
            return Err(Fault::Worn);
        }
        let zeros_first = self.cut == Cut::Zeros;
        let cost = if zeros_first { 2 * SECTOR } else { SECTOR };
        let done = self.power.take(cost);
        self.is_unreadable[sector * SECTOR / WORD..(sector + 1) * SECTOR / WORD].fill(false);
        if done < cost {
            self.half_erase(sector, done);
            return Err(Fault::NoPower);
        }
        self.bytes[sector * SECTOR..][..SECTOR].fill(0xff);
        self.note_blank_words(sector);
        self.erases[sector] += 1;
        Ok(())
    }

    fn half_erase(&mut self, sector: usize, done: usize) {
        let bytes = &mut self.bytes[sector * SECTOR..][..SECTOR];
        match self.cut {
            Cut::Forward => bytes[..done].fill(0xff),
            Cut::Backward => bytes[SECTOR - done..].fill(0xff),
            Cut::Zeros if done < SECTOR => bytes[..done].fill(0),
            Cut::Zeros => {
                bytes.fill(0);
                bytes[..done - SECTOR].fill(0xff);
            }
            Cut::Scattered => scatter(&mut self.random, bytes, done),
            Cut::Random => bytes
                .iter_mut()
                .for_each(|byte| *byte = random(&mut self.random).to_le_bytes()[3]),
        }
        self.note_blank_words(sector);
        for word in sector * SECTOR / WORD..(sector + 1) * SECTOR / WORD {
            let is_hit = random(&mut self.random).is_multiple_of(2);
            match self.torn {
                Torn::Unreadable if is_hit => self.tear(word),
                Torn::SeemsBlank if self.cut == Cut::Random || is_hit => self.tear(word),
                _ => {}
            }
        }
    }

    /// Makes of a word what error correction makes of it.
    fn tear(&mut self, word: usize) {
        self.is_written[word] = true;
        match self.torn {
            Torn::Unreadable => self.is_unreadable[word] = true,
            Torn::SeemsBlank => self.bytes[word * WORD..][..WORD].fill(0xff),
            Torn::Bytes | Torn::Bits => {}
        }
    }

    /// What is left of a word after so many bytes of it.
    fn half_write(&mut self, offset: usize, byte: u8) {
        let word = offset / WORD;
        match self.torn {
            Torn::Bytes => {}
            Torn::Bits => self.bytes[offset] &= byte | random(&mut self.random).to_le_bytes()[3],
            Torn::Unreadable | Torn::SeemsBlank => return self.tear(word),
        }
        self.note_whether_blank(word);
    }
}

/// xorshift64*, whose upper bits are the better ones.
pub(crate) fn random(state: &mut u64) -> u32 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
}

/// Makes as many in a thousand bytes blank as `done` bytes are in a thousand of all, and turns bits here
/// and there in others.
fn scatter(state: &mut u64, bytes: &mut [u8], done: usize) {
    let all = bytes.len();
    for byte in bytes {
        let number = random(state);
        *byte |= if number as usize % all < done {
            0xff
        } else {
            number.to_le_bytes()[3] & number.to_le_bytes()[2]
        };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoPower,
    /// Not even with the same bytes: chips that correct errors don't allow that.
    WrittenTwice,
    /// A sector has a defect.
    Worn,
    /// The error correction finds more errors than it can correct.
    Unreadable,
    Misused(NorFlashErrorKind),
}

impl From<NorFlashErrorKind> for Fault {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Misused(kind)
    }
}

impl NorFlashError for Fault {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> ErrorType
    for Chip<READ, WORD, SECTOR>
{
    type Error = Fault;
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> ReadNorFlash
    for Chip<READ, WORD, SECTOR>
{
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Fault> {
        self.check_power()?;
        check_read(self, offset, bytes.len())?;
        let words = offset as usize / WORD..(offset as usize + bytes.len()).div_ceil(WORD);
        if self.is_unreadable[words].contains(&true) {
            return Err(Fault::Unreadable);
        }
        self.reads += 1;
        self.bytes_read += bytes.len() as u64;
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WORD: usize, const SECTOR: usize> NorFlash
    for Chip<READ, WORD, SECTOR>
{
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.check_power()?;
        check_erase(self, from, to)?;
        let sectors = from as usize / SECTOR..to as usize / SECTOR;
        sectors
            .into_iter()
            .try_for_each(|sector| self.erase_sector(sector))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.check_power()?;
        check_write(self, offset, bytes.len())?;
        let offset = offset as usize;
        if self.defects[offset / SECTOR] == Some(Defect::Write) {
            return Err(Fault::Worn);
        }
        let words = offset / WORD..(offset + bytes.len()) / WORD;
        if self.is_written[words].contains(&true) {
            return Err(Fault::WrittenTwice);
        }
        let done = self.power.take_to_write(bytes.len());
        self.bytes_written += done as u64;
        self.bytes[offset..][..done].copy_from_slice(&bytes[..done]);
        self.is_written[offset / WORD..(offset + done) / WORD].fill(true);
        if done == bytes.len() {
            return Ok(());
        }
        self.half_write(offset + done, bytes[done]);
        Err(Fault::NoPower)
    }
}
