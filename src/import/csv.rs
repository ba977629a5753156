//! Comma-separated values, row by row.

use core::str;
use std::string::String;
use std::vec;
use std::vec::Vec;

use csv_core::{ReadRecordResult, Reader};
use zeroize::Zeroizing;

use super::import::Reading;
use super::{ImportError, Place};

/// Most cells of a row. No table of logins or tokens has a tenth of them.
const MOST_CELLS: usize = 256;

/// A row of a table.
pub(super) struct Row<'r> {
    /// The cells, one right after the other.
    text: &'r str,
    /// Where each of them ends.
    ends: &'r [usize],
}

impl<'r> Row<'r> {
    /// The cell in a column, counted from 0, without the spaces around it; empty where the row has
    /// fewer.
    pub(super) fn cell(&self, column: usize) -> &'r str {
        let start = match column.checked_sub(1) {
            None => Some(&0),
            Some(before) => self.ends.get(before),
        };
        start
            .zip(self.ends.get(column))
            .and_then(|(start, end)| self.text.get(*start..*end))
            .unwrap_or_default()
            .trim_ascii()
    }

    /// Its cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &'r str> {
        (0..self.ends.len()).map(|column| self.cell(column))
    }
}

/// Calls `each` with every row that has anything in it, and its line. Rows that start with `#` are
/// comments.
pub(super) fn read_rows(
    text: &str,
    reading: &mut Reading<'_>,
    mut each: impl FnMut(Place, &Row<'_>, &mut Reading<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut rows = Rows::of(text);
    while let Some((line, row)) = rows.next(reading)? {
        if !row.cell(0).starts_with('#') {
            each(Place::Line(line), &row, reading)?;
        }
    }
    Ok(())
}

/// The rows of a table that are still to be read, and room for one of them, which is wiped.
struct Rows<'t> {
    reader: Reader,
    rest: &'t [u8],
    text: Zeroizing<Vec<u8>>,
    ends: [usize; MOST_CELLS],
}

impl<'t> Rows<'t> {
    fn of(text: &'t str) -> Self {
        Self {
            reader: Reader::new(),
            rest: text.as_bytes(),
            text: Zeroizing::new(vec![0; 1024]),
            ends: [0; MOST_CELLS],
        }
    }

    /// The next row and the line that it begins in.
    fn next(&mut self, reading: &Reading<'_>) -> Result<Option<(u64, Row<'_>)>, ImportError> {
        self.skip_empty_lines();
        let line = self.reader.line();
        let (mut length, mut cells) = (0_usize, 0_usize);
        loop {
            let room = self.text.get_mut(length..).unwrap_or_default();
            let ends = self.ends.get_mut(cells..).unwrap_or_default();
            let (result, read, written, ended) = self.reader.read_record(self.rest, room, ends);
            self.rest = self.rest.get(read..).unwrap_or_default();
            length = length.saturating_add(written);
            cells = cells.saturating_add(ended);
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow(),
                ReadRecordResult::OutputEndsFull => {
                    return Err(reading.malformed(line.try_into().unwrap_or_default()));
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
            }
        }
        let ends = self.ends.get(..cells).unwrap_or_default();
        let text = self.text.get(..length).unwrap_or_default();
        // The whole file is UTF-8, and cells begin and end at ASCII.
        let text = str::from_utf8(text).unwrap_or_default();
        Ok(Some((line, Row { text, ends })))
    }

    fn skip_empty_lines(&mut self) {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let content = self.rest.iter().position(|byte| !is_end(byte));
        let (empty, rest) = self.rest.split_at(content.unwrap_or(self.rest.len()));
        let lines = empty.split(|byte| *byte == b'\n').skip(1).count();
        let lines = u64::try_from(lines).unwrap_or_default();
        self.reader
            .set_line(self.reader.line().saturating_add(lines));
        self.rest = rest;
    }

    /// Makes room for a longer row, and leaves no copy where it was.
    fn grow(&mut self) {
        let mut larger = Zeroizing::new(vec![0; self.text.len().saturating_mul(2)]);
        if let Some(start) = larger.get_mut(..self.text.len()) {
            start.copy_from_slice(&self.text);
        }
        self.text = larger;
    }
}

/// Calls `each` with every row below the header, the file's first row.
pub(super) fn read_table(
    text: &str,
    reading: &mut Reading<'_>,
    mut each: impl FnMut(Place, &Header, &Row<'_>, &mut Reading<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut header = None;
    read_rows(text, reading, |place, row, reading| {
        if let Some(header) = &header {
            return each(place, header, row, reading);
        }
        header = Some(Header(row.cells().map(String::from).collect()));
        Ok(())
    })
}

/// The names of a table's columns.
pub(super) struct Header(Vec<String>);

impl Header {
    /// The row's cell in the column of that name, in whatever case; `None` without such a column.
    pub(super) fn cell<'r>(&self, row: &Row<'r>, name: &str) -> Option<&'r str> {
        let mut names = self.0.iter();
        let column = names.position(|known| known.eq_ignore_ascii_case(name))?;
        Some(row.cell(column))
    }
}
