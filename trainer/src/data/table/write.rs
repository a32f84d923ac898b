//! Tables written as CSV.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{ErrorKind, Writer};
use ndarray::ArrayView2;

use super::{Table, numbered_names};

/// Writes rows of numbers under a line of names, each number with the fewest digits that read
/// back as the same bits.
///
/// Without `labels` the columns are called `x0`, `x1` and so on.
///
/// # Shapes
///
/// `labels`: one a column of `rows`, or none.
pub fn write_csv(
    output: &mut dyn Write,
    labels: &[String],
    rows: ArrayView2<f32>,
) -> io::Result<()> {
    let names = match labels {
        [] => &numbered_names(rows.ncols()),
        labels => labels,
    };
    let mut writer = RowWriter::new(output, names)?;
    writer.write(rows)?;
    writer.finish()
}

/// A number with the fewest digits that read back as the same bits.
pub fn cell(number: f32) -> String {
    format!("{number:?}")
}

/// Writes rows as they come, as [`write_csv`] does all at once.
pub struct RowWriter<'a> {
    writer: Writer<&'a mut dyn Write>,
}

impl<'a> RowWriter<'a> {
    /// Writes the line of names.
    pub fn new(output: &'a mut dyn Write, labels: &[String]) -> io::Result<Self> {
        let mut writer = Writer::from_writer(output);
        writer.write_record(labels).map_err(cause)?;
        Ok(Self { writer })
    }

    /// Writes some rows.
    ///
    /// # Shapes
    ///
    /// `rows`: `[n, labels]`.
    pub fn write(&mut self, rows: ArrayView2<f32>) -> io::Result<()> {
        for row in rows.rows() {
            let cells = row.iter().map(|number| cell(*number));
            self.writer.write_record(cells).map_err(cause)?;
        }
        Ok(())
    }

    /// Writes a row that does not consist of such numbers alone: a cell for each label.
    pub fn write_cells(&mut self, cells: &[String]) -> io::Result<()> {
        self.writer.write_record(cells).map_err(cause)
    }

    /// Writes what is buffered, before more rows come.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Writes what is still buffered.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl std::fmt::Debug for RowWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowWriter").finish_non_exhaustive()
    }
}

/// What the system said, in its own words: csv's conversion hides its kind.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Table {
    /// Writes the table with more columns as CSV, without the rows of `dropped`; columns that are
    /// called like one of `added` already give way.
    ///
    /// # Shapes
    ///
    /// `cells`: of a row that is left, by its place among them, one for each name of `added`;
    /// `dropped`: indices in ascending order.
    ///
    /// # Errors
    ///
    /// What writing, or reading the table again, says.
    pub fn write_with(
        &self,
        output: &mut dyn Write,
        added: &[&str],
        cells: &dyn Fn(usize) -> Vec<String>,
        dropped: &[usize],
    ) -> io::Result<()> {
        let kept: Vec<usize> = (0..self.names.len())
            .filter(|&column| !added.contains(&self.names[column].as_str()))
            .collect();
        let mut writer = Writer::from_writer(output);
        let names = kept.iter().map(|&column| self.names[column].as_str());
        let names = names.chain(added.iter().copied());
        writer.write_record(names).map_err(cause)?;
        let mut places = 0..;
        let mut outcome = Ok(());
        let read = self.for_each_row(|row| {
            if outcome.is_err() || dropped.binary_search(&row.index).is_ok() {
                return Ok(());
            }
            let old = kept.iter().map(|&column| row.cell(column).text());
            let new = places.next().map(cells).unwrap_or_default();
            let record = old.map(Cow::into_owned).chain(new);
            outcome = writer.write_record(record).map_err(cause);
            Ok(())
        });
        outcome?;
        read.map_err(io::Error::other)?;
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Selection, Table, table_of};
    use super::*;
    use ndarray::{Array2, array};

    fn read_text(text: impl AsRef<[u8]>) -> Result<Table, String> {
        table_of("imu.csv", text)
    }

    fn points(text: &str) -> Result<Array2<f32>, String> {
        let data = read_text(text)?.dataset(&Selection::default());
        Ok(data.map_err(|error| error.to_string())?.points)
    }

    /// A reader that has gone.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn failure_to_write_keeps_its_kind() {
        let rows = Array2::zeros((10_000, 2));
        let error = write_csv(&mut Closed, &[], rows.view()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn written_numbers_read_back_as_the_same_bits() {
        let numbers = array![
            [0.1, -0.0, f32::MIN_POSITIVE],
            [f32::MAX, 1.0 / 3.0, 1e-45],
            [16_777_217.0, -2.5e-7, f32::MIN],
        ];
        let mut text = Vec::new();
        write_csv(&mut text, &[], numbers.view()).unwrap();
        let read = points(std::str::from_utf8(&text).unwrap()).unwrap();
        assert_eq!(read.mapv(f32::to_bits), numbers.mapv(f32::to_bits));
    }

    #[test]
    fn written_labels_read_back_whatever_they_hold() {
        let labels = ["a,b".to_string(), "say \"x\"".into(), "kind=é".into()];
        let mut text = Vec::new();
        write_csv(&mut text, &labels, array![[1.0, 2.0, 3.0]].view()).unwrap();
        assert_eq!(read_text(&text).unwrap().names(), labels);
    }
}
