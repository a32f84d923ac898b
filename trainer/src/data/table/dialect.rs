//! How a CSV file is written: what parts its cells, and whether its first line names the columns.

use std::collections::HashSet;
use std::io::Read;

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Trim};

use super::cell::Cell;
use super::source::Source;
use super::{Problem, numbered_names};
use crate::Error;

/// Bytes at the start of a file that tell how it is written.
const HEAD: usize = 1 << 20;

/// Records that a delimiter has to part alike.
const RECORDS: usize = 20;

/// Rarer in text comes first: a comma may stand in the cells of the others.
const DELIMITERS: [u8; 3] = [b'\t', b';', b','];

/// What parts the cells of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
}

impl Dialect {
    /// The delimiter that parts all of the first records into as many cells, two or more; else the
    /// one that parts the first of them; else the comma, as in a file of one column.
    pub(super) fn detect(source: &Source) -> Result<Self, Error> {
        let head = source.head(HEAD)?;
        let counts = DELIMITERS.map(|delimiter| Self { delimiter }.cell_counts(&head));
        let parts_alike =
            |counts: &Vec<usize>| counts[0] > 1 && counts.iter().all(|n| *n == counts[0]);
        let parts_first = |counts: &Vec<usize>| counts[0] > 1;
        let found = counts.iter().position(parts_alike);
        let found = found.or_else(|| counts.iter().position(parts_first));
        Ok(Self {
            delimiter: found.map_or(b',', |i| DELIMITERS[i]),
        })
    }

    /// Cells of each of the first records, of which there is at least one.
    fn cell_counts(self, head: &[u8]) -> Vec<usize> {
        let mut reader = self.reader(head);
        let mut record = ByteRecord::new();
        let mut counts = Vec::new();
        while counts.len() < RECORDS && reader.read_byte_record(&mut record).unwrap_or(false) {
            counts.push(record.len());
        }
        // The last may be cut off where the head ends.
        if head.len() == HEAD && counts.len() > 1 {
            counts.pop();
        }
        if counts.is_empty() {
            counts.push(0);
        }
        counts
    }

    /// All records, the first among them, whatever their length.
    pub(super) fn reader<R: Read>(self, bytes: R) -> Reader<R> {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(bytes)
    }
}

/// The columns of a CSV file: their names, and whether the file tells them.
pub(super) struct Header {
    pub(super) names: Vec<String>,
    pub(super) named: bool,
}

impl Header {
    /// Reads the first two records.
    pub(super) fn read(source: &Source, dialect: Dialect) -> Result<Self, Error> {
        let mut reader = dialect.reader(source.open()?);
        let mut records = [StringRecord::new(), StringRecord::new()];
        let [first, second] = &mut records;
        if !source.read_record(&mut reader, first)? {
            return Err(source.error(Problem::Empty));
        }
        let has_second = source.read_record(&mut reader, second)?;
        let named = names_columns(first, second);
        if named && !has_second {
            return Err(source.error(Problem::NoRows));
        }
        let names = match named {
            true => names(first).map_err(|problem| source.error(problem))?,
            false => numbered_names(first.len()),
        };
        Ok(Self { names, named })
    }
}

/// Whether the first record names columns: it has no number, or is text where the second has one.
fn names_columns(first: &StringRecord, second: &StringRecord) -> bool {
    let is_number = |text: &str| Cell::Text(text).is_number();
    let is_text = |(column, text): (usize, &str)| match text {
        // An index that was written along has no name.
        "" => column == 0,
        _ => !is_number(text) && !Cell::Text(text).is_missing(),
    };
    let mut pairs = first.iter().enumerate().zip(second);
    !first.iter().any(is_number) || pairs.any(|(name, cell)| is_text(name) && is_number(cell))
}

fn names(header: &StringRecord) -> Result<Vec<String>, Problem> {
    if let Some(index) = header.iter().position(str::is_empty) {
        return Err(Problem::UnnamedColumn { number: index + 1 });
    }
    let mut seen = HashSet::new();
    match header.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(Problem::RepeatedName { name: name.into() }),
        None => Ok(header.iter().map(String::from).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Selection, table_of};
    use ndarray::{Array2, array};

    fn names_of(text: &str) -> Vec<String> {
        table_of("imu.csv", text).unwrap().names().to_vec()
    }

    fn points(text: &str) -> Array2<f32> {
        let table = table_of("imu.csv", text).unwrap();
        table.dataset(&Selection::default()).unwrap().points
    }

    #[test]
    fn delimiter_is_the_one_that_parts_all_records_alike() {
        for (text, expected) in [
            ("a;b\n1;2\n", vec!["a", "b"]),
            ("a\tb\n1\t2\n", vec!["a", "b"]),
            ("speed;m/s,b\n1,2\n", vec!["speed;m/s", "b"]),
            ("\"a,b\";c\n1;2\n", vec!["a,b", "c"]),
            ("a,b;c\n1;2\n", vec!["a,b", "c"]),
            ("a\n1\n", vec!["a"]),
            ("\"a;b\"\n1\n", vec!["a;b"]),
        ] {
            assert_eq!(names_of(text), expected, "{text:?}");
        }
        let message = table_of("imu.csv", "a;b\n1;2\n3\n")
            .unwrap()
            .dataset(&Selection::default());
        let message = message.unwrap_err().to_string();
        assert!(
            message.contains("line 3 has 1 cells where line 1 has 2"),
            "{message}"
        );
    }

    #[test]
    fn first_line_like_the_second_is_data() {
        for text in [
            "1,2\n3,4\n",
            "1;2\n3;4\n",
            "1,NA\n3,4\n",
            "1,\n3,4\n",
            "1,walking\n3,sitting\n",
            "1,2\n",
        ] {
            let table = table_of("imu.csv", text).unwrap();
            assert!(table.lacks_header(), "{text:?}");
            assert_eq!(table.names(), ["x0", "x1"], "{text:?}");
        }
        assert_eq!(points("1,2\n3,4\n"), array![[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn first_line_unlike_the_second_is_a_header() {
        for text in [
            "x,y\n1,2\n",
            "kind,y\nwalking,2\n",
            "x,1\n2,3\n",
            "NaN,y\n1,2\n",
            "kind,level\na,b\n",
        ] {
            assert!(
                !table_of("imu.csv", text).unwrap().lacks_header(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn columns_without_names_go_by_their_index() {
        let selection = Selection {
            columns: vec!["2".into(), "0".into()],
            ..Selection::default()
        };
        let table = table_of("imu.csv", "1,2,3\n4,5,6\n").unwrap();
        let data = table.dataset(&selection).unwrap();
        assert_eq!(data.points, array![[3.0, 1.0], [6.0, 4.0]]);
        assert_eq!(data.labels, ["x2", "x0"]);
    }
}
