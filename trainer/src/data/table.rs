//! Tables read from files: numbers, and text where a column holds categories.

mod csv;
mod features;
mod matching;
mod npy;
mod problem;
mod selection;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ::csv::StringRecord;
use ndarray::Array2;

pub use csv::write_csv;
pub use problem::{Place, Problem};
pub use selection::Selection;

use crate::Error;

/// A table as its file has it, with nothing selected or converted yet.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    names: Vec<String>,
    /// Whether the file itself names its columns.
    named: bool,
    cells: Cells,
}

#[derive(Clone, Debug)]
enum Cells {
    /// One row each, and the line it starts in.
    Text(Vec<(usize, StringRecord)>),
    Numbers(Array2<f64>),
}

#[derive(Clone, Copy, Debug)]
enum Cell<'a> {
    Text(&'a str),
    Number(f64),
}

/// What a cell is as a number.
enum Reading {
    Finite(f32),
    /// Empty, NaN or infinite.
    NotFinite,
    /// Finite, but not in `f32`.
    OutOfRange,
    Text,
}

impl Table {
    /// Reads a CSV file whose first line names the columns, or an NPY file of shape
    /// `[n, columns]`, told apart by their endings.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where the file cannot be read, [`Error::Table`] where it is not such a table.
    pub fn read(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Err(Error::table(path, Problem::Directory));
        }
        let bytes = std::fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let table = match ending.to_ascii_lowercase().as_str() {
            "csv" => csv::read(&bytes),
            "npy" => npy::read(&bytes),
            _ => Err(Problem::UnknownEnding),
        };
        let (names, cells) = table.map_err(|problem| Error::table(path, problem))?;
        Ok(Self {
            path: path.into(),
            named: names.is_some(),
            names: names.unwrap_or_else(|| numbered_names(cells.column_count())),
            cells,
        })
    }

    /// The names of the columns: the file's own, or `x0`, `x1` and so on.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        match &self.cells {
            Cells::Text(rows) => rows.len(),
            Cells::Numbers(numbers) => numbers.nrows(),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        match &self.cells {
            Cells::Text(rows) => Cell::Text(&rows[row].1[column]),
            Cells::Numbers(numbers) => Cell::Number(numbers[[row, column]]),
        }
    }

    /// Where a cell stands in the file.
    fn place(&self, row: usize, column: usize) -> Place {
        let (unit, number) = match &self.cells {
            Cells::Text(rows) => ("line", rows[row].0),
            Cells::Numbers(_) => ("row", row),
        };
        Place {
            unit,
            number,
            column: self.names[column].clone(),
        }
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

    /// A cell as a number; `text` says what is wrong where it is neither a number nor empty.
    fn number(
        &self,
        row: usize,
        column: usize,
        text: fn(Place, String) -> Problem,
    ) -> Result<f32, Problem> {
        let cell = self.cell(row, column);
        let problem = match cell.reading() {
            Reading::Finite(number) => return Ok(number),
            Reading::NotFinite => |place, cell| Problem::NotFinite { place, cell },
            Reading::OutOfRange => |place, cell| Problem::OutOfRange { place, cell },
            Reading::Text => text,
        };
        Err(problem(self.place(row, column), cell.shown()))
    }

    fn error(&self, problem: Problem) -> Error {
        Error::table(&self.path, problem)
    }
}

impl Cells {
    fn column_count(&self) -> usize {
        match self {
            Self::Text(rows) => rows.first().map_or(0, |(_, cells)| cells.len()),
            Self::Numbers(numbers) => numbers.ncols(),
        }
    }
}

impl<'a> Cell<'a> {
    fn reading(self) -> Reading {
        let number = match self {
            Self::Text(text) if is_missing(text) => return Reading::NotFinite,
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(number as f32),
        };
        match number {
            None => Reading::Text,
            Some(number) if number.is_finite() => Reading::Finite(number),
            Some(_) if self.is_finite() => Reading::OutOfRange,
            Some(_) => Reading::NotFinite,
        }
    }

    /// Whether the cell names a finite number, in range of `f32` or not.
    fn is_finite(self) -> bool {
        match self {
            Self::Text(text) => text.contains(|c: char| c.is_ascii_digit()),
            Self::Number(number) => number.is_finite(),
        }
    }

    /// Whether the cell is `value`, as text or as a number.
    fn equals(self, value: &str) -> bool {
        let number = value.parse::<f64>().ok();
        match self {
            Self::Text(text) => {
                text == value || number.is_some() && text.parse::<f64>().ok() == number
            }
            Self::Number(cell) => number == Some(cell),
        }
    }

    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
        }
    }

    /// The cell for a message: short, however long it is.
    fn shown(self) -> String {
        const LONGEST: usize = 40;
        let text = self.text();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.into_owned(),
        }
    }
}

/// What people and programs write where there is no value.
fn is_missing(text: &str) -> bool {
    ["", "na", "n/a", "nan", "null"].contains(&text.to_ascii_lowercase().as_str())
}

/// Names for columns that have none: `x0`, `x1` and so on.
fn numbered_names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("x{i}")).collect()
}

/// A table from a file with that name and content, or the message without the folder.
#[cfg(test)]
fn table_of(name: &str, content: impl AsRef<[u8]>) -> Result<Table, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut table = Table::read(&path).map_err(|error| {
        let message = error.to_string();
        message.replace(&format!("{}/", folder.path().display()), "")
    })?;
    table.path = name.into();
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
                            give a .csv file with a header or an .npy file";
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

    #[test]
    fn cells_read_as_what_they_are() {
        let reading = |text: &str| match Cell::Text(text).reading() {
            Reading::Finite(number) => number.to_string(),
            Reading::NotFinite => "not finite".into(),
            Reading::OutOfRange => "out of range".into(),
            Reading::Text => "text".into(),
        };
        for (text, expected) in [
            ("1.5", "1.5"),
            ("-.5e1", "-5"),
            ("1e-60", "0"),
            ("", "not finite"),
            ("NaN", "not finite"),
            ("NA", "not finite"),
            ("-inf", "not finite"),
            ("1e39", "out of range"),
            ("1,5", "text"),
            ("walking", "text"),
        ] {
            assert_eq!(reading(text), expected, "{text:?}");
        }
        assert!(matches!(Cell::Number(1e39).reading(), Reading::OutOfRange));
        assert!(matches!(
            Cell::Number(f64::NAN).reading(),
            Reading::NotFinite
        ));
        assert!(matches!(
            Cell::Number(f64::INFINITY).reading(),
            Reading::NotFinite
        ));
    }

    #[test]
    fn long_cell_is_shown_short() {
        let long = "é".repeat(1000);
        assert_eq!(Cell::Text(&long).shown(), format!("{}…", "é".repeat(40)));
    }
}
