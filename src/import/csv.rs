//! Comma-separated values, row by row.

use core::str;
use std::string::String;
use std::vec::Vec;

use ::csv::{ByteRecord, Position, ReaderBuilder};

use super::import::Reading;
use super::{ImportError, Place};

/// A row of a table.
pub(super) struct Row<'r>(&'r ByteRecord);

impl<'r> Row<'r> {
    /// The cell in a column, counted from 0, without the spaces around it; empty where the row has
    /// fewer.
    pub(super) fn cell(&self, column: usize) -> &'r str {
        let cell = self.0.get(column).unwrap_or_default().trim_ascii();
        // The whole file is UTF-8, and cells begin and end at ASCII.
        str::from_utf8(cell).unwrap_or_default()
    }

    /// Its cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &'r str> {
        (0..self.0.len()).map(|column| self.cell(column))
    }
}

/// Calls `each` with every row that has anything in it, and its line. Rows that start with `#` are
/// comments.
pub(super) fn read_rows(
    text: &str,
    reading: &mut Reading<'_>,
    mut each: impl FnMut(Place, &Row<'_>, &mut Reading<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut rows = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut record = ByteRecord::new();
    let mut next = |record: &mut _| rows.read_byte_record(record).unwrap_or(false);
    while next(&mut record) {
        let row = Row(&record);
        if !row.cell(0).starts_with('#') {
            each(Place::Line(line(text, record.position())), &row, reading)?;
        }
    }
    Ok(())
}

/// The line that a row begins in. The reader's position is where the row before it ended, which
/// empty lines may follow.
fn line(text: &str, position: Option<&Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).unwrap_or_default().iter();
    let ends = rest.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let empty_lines = ends.filter(|byte| **byte == b'\n').count();
    u64::try_from(empty_lines).map_or(0, |lines| position.line().saturating_add(lines))
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
