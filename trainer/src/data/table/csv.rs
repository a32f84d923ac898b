//! CSV files: a line of names, then rows of cells.

use std::collections::HashSet;
use std::io::{self, Write};

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim, Writer};
use ndarray::ArrayView2;

use super::{Cell, Cells, Problem, Reading, Table, numbered_names};

/// The names and the cells of a CSV file.
pub(super) fn read(bytes: &[u8]) -> Result<(Option<Vec<String>>, Cells), Problem> {
    let text = utf8(bytes)?;
    let mut records = records(text)?.into_iter();
    let (line, header) = records.next().ok_or(Problem::Empty)?;
    let names = names(line, &header)?;
    let rows: Vec<_> = records.collect();
    if rows.is_empty() {
        return Err(Problem::NoRows);
    }
    if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != names.len()) {
        return Err(Problem::Ragged {
            line: *line,
            found: row.len(),
            expected: names.len(),
        });
    }
    Ok((Some(names), Cells::Text(rows)))
}

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
    write_rows(output, labels, rows).map_err(cause)
}

fn write_rows(output: &mut dyn Write, labels: &[String], rows: ArrayView2<f32>) -> csv::Result<()> {
    let mut writer = Writer::from_writer(output);
    if labels.is_empty() {
        writer.write_record(numbered_names(rows.ncols()))?;
    } else {
        writer.write_record(labels)?;
    }
    for row in rows.rows() {
        writer.write_record(row.iter().map(|number| format!("{number:?}")))?;
    }
    Ok(writer.flush()?)
}

/// What the system said, in its own words: csv's conversion hides its kind.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Table {
    /// Writes the table with one more column as CSV; a column that is called `name` already gives
    /// way.
    ///
    /// # Shapes
    ///
    /// `values`: one a row.
    pub fn write_with(&self, output: &mut dyn Write, name: &str, values: &[f32]) -> io::Result<()> {
        self.write_rows_with(output, name, values).map_err(cause)
    }

    fn write_rows_with(
        &self,
        output: &mut dyn Write,
        name: &str,
        values: &[f32],
    ) -> csv::Result<()> {
        let kept: Vec<usize> = (0..self.names.len())
            .filter(|&column| self.names[column] != name)
            .collect();
        let mut writer = Writer::from_writer(output);
        let names = kept.iter().map(|&column| self.names[column].as_str());
        writer.write_record(names.chain([name]))?;
        for (row, value) in values.iter().enumerate() {
            for &column in &kept {
                writer.write_field(&*self.cell(row, column).text())?;
            }
            writer.write_field(format!("{value:?}"))?;
            writer.write_record(None::<&[u8]>)?;
        }
        Ok(writer.flush()?)
    }
}

/// The text without a byte order mark.
fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| Problem::NotUtf8 {
        line: 1 + newlines(&bytes[..error.valid_up_to()]),
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// All records, each with the line it starts in.
fn records(text: &str) -> Result<Vec<(usize, StringRecord)>, Problem> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    let (mut line, mut counted) = (1, 0);
    loop {
        let start = start_of_record(text, reader.position().byte() as usize);
        let mut record = StringRecord::new();
        let more = reader.read_record(&mut record);
        if !more.expect("text in memory can always be read") {
            return Ok(records);
        }
        line += newlines(&text.as_bytes()[counted..start]);
        counted = start;
        records.push((line, record));
    }
}

/// The reader's own count of lines stops before the blank lines that it skips.
fn start_of_record(text: &str, position: usize) -> usize {
    let rest = &text[position..];
    position + rest.len() - rest.trim_start_matches(['\r', '\n']).len()
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn names(line: usize, header: &StringRecord) -> Result<Vec<String>, Problem> {
    if let Some(separator) = other_separator(header) {
        return Err(Problem::Separator { line, separator });
    }
    if header.iter().all(is_number) {
        return Err(Problem::NoHeader {
            line,
            suggestion: numbered_names(header.len()).join(","),
        });
    }
    if let Some(index) = header.iter().position(str::is_empty) {
        return Err(Problem::UnnamedColumn { number: index + 1 });
    }
    let mut seen = HashSet::new();
    match header.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(Problem::RepeatedName { name: name.into() }),
        None => Ok(header.iter().map(String::from).collect()),
    }
}

/// What keeps the names apart in a header without a comma.
fn other_separator(header: &StringRecord) -> Option<char> {
    let is_separator = |c: &char| [';', '\t'].contains(c);
    let only = (header.len() == 1).then(|| &header[0])?;
    only.chars().find(is_separator)
}

fn is_number(text: &str) -> bool {
    matches!(Cell::Text(text).reading(), Reading::Finite(_))
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
    fn quotes_spaces_byte_order_mark_and_line_ends_are_no_matter() {
        let expected = array![[1.0, 2.0], [3.0, 4.0]];
        for text in [
            "x,y\n1,2\n3,4\n",
            "x,y\r\n1,2\r\n3,4",
            "\u{feff}x,y\n1,2\n3,4\n",
            " x , y \n 1, 2 \n\"3\",\"4\"\n",
            "\nx,y\n\n1,2\n\n3,4\n\n",
        ] {
            assert_eq!(read_text(text).unwrap().names(), ["x", "y"], "{text:?}");
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
        let cases: [(&[u8], &str); 11] = [
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
                b"1,2\n3,4\n",
                "line 1 holds numbers, not column names: put a line such as x0,x1 before it",
            ),
            (
                b"x,y\n1,2\n3,4,5\n",
                "line 3 has 3 cells where the header has 2: give one a column",
            ),
            (
                b"x,y\n1,2\n3\n",
                "line 3 has 1 cells where the header has 2: give one a column",
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
                b"x;y\n1;2\n",
                "line 1 separates its cells by ';': write the table with commas",
            ),
            (
                b",x,y\n0,1,2\n",
                "column 1 has no name: name it, or write the table without its index",
            ),
            (b"x,y,x\n1,2,3\n", "two columns are called x: rename one"),
        ];
        for (text, expected) in cases {
            let message = read_text(text).unwrap_err();
            assert_eq!(message, format!("imu.csv: {expected}"));
        }
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
