//! Tables read from files: numbers, and text where a column holds categories.
//!
//! A CSV file is never held in memory: what a flow is fitted to is read in one pass or two, and of
//! the cells only the numbers that were asked for are kept.

mod cell;
mod collection;
mod dialect;
mod features;
mod filter;
mod matching;
mod npy;
mod problem;
mod rows;
mod selection;
mod source;
mod write;

use std::path::Path;

use ndarray::Array2;

pub use collection::Selected;
pub use problem::{Place, Problem};
pub use selection::Selection;
pub use write::{RowWriter, cell, write_csv};

use crate::Error;
use dialect::{Dialect, Header};
use source::{Format, Source};

/// A table as its file has it, with nothing selected or converted yet.
#[derive(Debug)]
pub struct Table {
    source: Source,
    names: Vec<String>,
    /// Whether the file itself names its columns.
    named: bool,
    cells: Cells,
    drop_missing: bool,
}

#[derive(Debug)]
enum Cells {
    /// Read from the file as often as need be.
    Text(Dialect),
    /// `[n, columns]`
    Numbers(Array2<f64>),
}

impl Table {
    /// Opens a CSV file, or reads an NPY file of shape `[n, columns]`.
    ///
    /// They are told apart by their endings, `.csv` or `.tsv` and `.npy`, or by their first bytes
    /// where they come through a pipe; the path `-` is standard input. The cells of a CSV file may
    /// be parted by commas, semicolons or tabs. Its first line names the columns unless it is data
    /// like the second.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be read, [`Error::Table`] where it is not such a table.
    /// The rows of a CSV file are looked at when they are selected.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let source = Source::new(path)?;
        let (header, cells) = match source.format()? {
            Format::Csv => {
                let dialect = Dialect::detect(&source)?;
                (Header::read(&source, dialect)?, Cells::Text(dialect))
            }
            Format::Npy => {
                let numbers = npy::read(&source)?;
                let header = Header {
                    names: numbered_names(numbers.ncols()),
                    named: false,
                };
                (header, Cells::Numbers(numbers))
            }
        };
        Ok(Self {
            source,
            names: header.names,
            named: header.named,
            cells,
            drop_missing: false,
        })
    }

    /// The table without the rows that miss a value in a column that is asked for, which are an
    /// error else.
    #[must_use]
    pub fn dropping_missing(self) -> Self {
        Self {
            drop_missing: true,
            ..self
        }
    }

    /// The names of the columns: the file's own, or `x0`, `x1` and so on.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is a CSV file that does not name its columns.
    pub fn lacks_header(&self) -> bool {
        !self.named && matches!(self.cells, Cells::Text(_))
    }

    /// The column of that name or, in a file without names, of that index.
    fn column(&self, name: &str) -> Option<usize> {
        let by_name = self.names.iter().position(|known| known == name);
        let by_index = || {
            let index = name.parse().ok()?;
            (!self.named && index < self.names.len()).then_some(index)
        };
        by_name.or_else(by_index)
    }

    fn error(&self, problem: Problem) -> Error {
        self.source.error(problem)
    }
}

/// Names for columns that have none: `x0`, `x1` and so on.
pub fn numbered_names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("x{i}")).collect()
}

/// A table from a file with that name and content, or the message without the folder.
#[cfg(test)]
fn table_of(name: &str, content: impl AsRef<[u8]>) -> Result<Table, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, &content).unwrap();
    let mut table = Table::read(&path).map_err(|error| {
        let message = error.to_string();
        message.replace(&format!("{}/", folder.path().display()), "")
    })?;
    // The folder goes, the table stays.
    table.source = Source::piped(name.into(), &mut content.as_ref()).unwrap();
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[test]
    fn missing_file_is_named_and_the_cause_kept() {
        let error = Table::read(Path::new("/nowhere/imu.csv")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /nowhere/imu.csv");
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("No such file"), "{cause}");
    }

    #[test]
    fn directory_is_told_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let message = Table::read(folder.path()).unwrap_err().to_string();
        assert!(message.ends_with(": this is a directory: give a CSV or NPY file"));
    }

    #[test]
    fn unknown_ending_names_those_known() {
        for name in ["imu.xlsx", "imu"] {
            let message = table_of(name, "x,y\n1,2\n").unwrap_err();
            let expected = "the file's ending is not known: \
                            give a .csv, .tsv or .npy file, or - for standard input";
            assert_eq!(message, format!("{name}: {expected}"));
        }
    }

    #[test]
    fn ending_may_be_in_capitals() {
        assert_eq!(
            table_of("IMU.CSV", "x,y\n1,2\n").unwrap().names(),
            ["x", "y"]
        );
    }
}
