//! A pass over the rows of a table: none is kept.

use std::io::Read;

use csv::{ErrorKind, Reader, StringRecord};
use ndarray::ArrayView1;

use super::cell::{Cell, Reading};
use super::source::Source;
use super::{Cells, Place, Problem, Table};
use crate::Error;

/// A row under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    table: &'a Table,
    /// From 0.
    pub(super) index: usize,
    cells: RowCells<'a>,
}

#[derive(Clone, Copy, Debug)]
enum RowCells<'a> {
    Text(&'a StringRecord),
    Numbers(ArrayView1<'a, f64>),
}

impl Table {
    /// Shows `visit` each row in order, up to its first error.
    pub(super) fn for_each_row(
        &self,
        mut visit: impl FnMut(Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &self.cells {
            Cells::Numbers(numbers) => {
                let mut rows = numbers.rows().into_iter().enumerate();
                rows.try_for_each(|(index, numbers)| {
                    visit(self.row(index, RowCells::Numbers(numbers)))
                })
            }
            Cells::Text(dialect) => {
                let mut reader = dialect.reader(self.source.open()?);
                let mut record = StringRecord::new();
                if self.named {
                    self.source.read_record(&mut reader, &mut record)?;
                }
                let mut index = 0;
                while self.source.read_record(&mut reader, &mut record)? {
                    self.check_length(&record)?;
                    visit(self.row(index, RowCells::Text(&record)))?;
                    index += 1;
                }
                Ok(())
            }
        }
    }

    fn row<'a>(&'a self, index: usize, cells: RowCells<'a>) -> Row<'a> {
        Row {
            table: self,
            index,
            cells,
        }
    }

    fn check_length(&self, record: &StringRecord) -> Result<(), Error> {
        if record.len() == self.names.len() {
            return Ok(());
        }
        Err(self.error(Problem::Ragged {
            line: self.source.line_of(record)?,
            found: record.len(),
            first: self.source.line_at(0)?,
            expected: self.names.len(),
        }))
    }
}

impl Source {
    /// Reads the next record, if there is one.
    pub(super) fn read_record<R: Read>(
        &self,
        reader: &mut Reader<R>,
        record: &mut StringRecord,
    ) -> Result<bool, Error> {
        let error = match reader.read_record(record) {
            Ok(more) => return Ok(more),
            Err(error) => error,
        };
        match error.into_kind() {
            ErrorKind::Io(source) => Err(self.cannot_read(source)),
            // Records may have any length, so only their encoding is left to be wrong.
            kind => {
                let start = match kind {
                    ErrorKind::Utf8 { pos: Some(pos), .. } => pos.byte(),
                    _ => 0,
                };
                let line = self.line_at(start)?;
                Err(self.error(Problem::NotUtf8 { line }))
            }
        }
    }

    /// The line that a record starts in, from 1.
    fn line_of(&self, record: &StringRecord) -> Result<usize, Error> {
        self.line_at(record.position().map_or(0, |position| position.byte()))
    }
}

impl<'a> Row<'a> {
    pub(super) fn cell(&self, column: usize) -> Cell<'a> {
        match self.cells {
            RowCells::Text(record) => Cell::Text(&record[column]),
            RowCells::Numbers(numbers) => Cell::Number(numbers[column]),
        }
    }

    /// Where a cell stands in the file.
    pub(super) fn place(&self, column: usize) -> Result<Place, Error> {
        let (unit, number) = match self.cells {
            RowCells::Text(record) => ("line", self.table.source.line_of(record)?),
            RowCells::Numbers(_) => ("row", self.index),
        };
        Ok(Place {
            unit,
            number,
            column: self.table.names[column].clone(),
        })
    }

    /// A cell as a number; `text` says what is wrong where it is neither a number nor missing.
    pub(super) fn number(
        &self,
        column: usize,
        text: fn(Place, String) -> Problem,
    ) -> Result<f32, Error> {
        match self.cell(column).reading() {
            Reading::Finite(number) => Ok(number),
            Reading::Text => Err(self.error(column, text)),
            other => Err(self.unusable(column, other)),
        }
    }

    /// What is wrong with a cell that is neither a finite number nor text.
    pub(super) fn unusable(&self, column: usize, reading: Reading) -> Error {
        self.error(
            column,
            match reading {
                Reading::Missing => |place, cell| Problem::Missing { place, cell },
                Reading::OutOfRange => |place, cell| Problem::OutOfRange { place, cell },
                Reading::DecimalComma => |place, cell| Problem::DecimalComma { place, cell },
                _ => |place, cell| Problem::NotFinite { place, cell },
            },
        )
    }

    /// A problem with a cell; or why the line cannot be told.
    pub(super) fn error(&self, column: usize, problem: fn(Place, String) -> Problem) -> Error {
        match self.place(column) {
            Ok(place) => self.table.error(problem(place, self.cell(column).shown())),
            Err(error) => error,
        }
    }

    /// Whether there is no value in one of the columns.
    pub(super) fn misses(&self, columns: &[usize]) -> bool {
        columns.iter().any(|column| self.cell(*column).is_missing())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Selection, table_of};
    use ndarray::{Array2, array};

    fn points(text: impl AsRef<[u8]>) -> Result<Array2<f32>, String> {
        let data = table_of("imu.csv", text)?.dataset(&Selection::default());
        Ok(data.map_err(|error| error.to_string())?.points)
    }

    #[test]
    fn quotes_spaces_byte_order_mark_and_line_ends_are_no_matter() {
        let expected = array![[1.0, 2.0], [3.0, 4.0]];
        for text in [
            "x,y\n1,2\n3,4\n",
            "x,y\r\n1,2\r\n3,4",
            "\u{feff}x,y\n1,2\n3,4\n",
            " x , y \n 1, 2 \n\"3\",\"4\"\n",
            "\nx,y\n\n1,2\n\n3,4\n\n",
        ] {
            let table = table_of("imu.csv", text).unwrap();
            assert_eq!(table.names(), ["x", "y"], "{text:?}");
            assert_eq!(points(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        for (text, line) in [
            ("x,y\n1,a\n", 2),
            ("x,y\r\n1,2\r\n1,a\r\n", 3),
            ("x,y\n\n\n1,2\n\n1,a\n", 6),
            ("\r\nx,y\r\n\r\n1,2\r\n\r\n1,a\r\n", 6),
            ("\u{feff}x,y\n\"1\n\",2\n1,a\n", 4),
        ] {
            let message = points(text).unwrap_err();
            let start = format!("imu.csv: line {line}, column y: \"a\" is not a number");
            assert!(message.starts_with(&start), "{text:?}: {message}");
        }
    }

    #[test]
    fn what_is_no_table_is_refused_with_a_way_out() {
        let cases: [(&[u8], &str); 9] = [
            (
                b"",
                "the file is empty: give a line of column names and then rows of numbers",
            ),
            (
                b"\n\n",
                "the file is empty: give a line of column names and then rows of numbers",
            ),
            (
                b"x,y\n",
                "there are columns, but no rows: give one row a point",
            ),
            (
                b"x,y\n1,2\n3,4,5\n",
                "line 3 has 3 cells where line 1 has 2: give one a column, and write decimals with a point",
            ),
            (
                b"x,y\n1,2\n3\n",
                "line 3 has 1 cells where line 1 has 2: give one a column, and write decimals with a point",
            ),
            (
                b"x,y\n1,2\n3,\xff\n",
                "line 3 is not UTF-8 text: save the table as UTF-8",
            ),
            (
                b"\xff\xfex\0,\0y\0",
                "line 1 is not UTF-8 text: save the table as UTF-8",
            ),
            (
                b",x,y\n0,1,2\n",
                "column 1 has no name: name it, or write the table without its index",
            ),
            (b"x,y,x\n1,2,3\n", "two columns are called x: rename one"),
        ];
        for (text, expected) in cases {
            let message = points(text).unwrap_err();
            assert_eq!(message, format!("imu.csv: {expected}"));
        }
    }
}
