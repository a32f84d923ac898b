//! Where the bytes of a table lie.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Problem;
use crate::Error;

/// What every NPY file begins with.
const NPY_MAGIC: &[u8] = b"\x93NUMPY";

/// The path that stands for standard input.
const STDIN: &str = "-";

/// A file that can be read as often as need be.
///
/// What comes through a pipe goes to a temporary file first, since a table is passed over more than
/// once and may be larger than memory.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    piped: Option<NamedTempFile>,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Npy,
}

impl Source {
    /// The file at `path`, or standard input where that is `-`.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        if path == Path::new(STDIN) {
            return Self::piped("stdin".into(), &mut io::stdin().lock());
        }
        let cannot_read = |source| Error::cannot_read(path, source);
        let kind = path.metadata().map_err(cannot_read)?.file_type();
        if kind.is_dir() {
            return Err(Error::table(path, Problem::Directory));
        }
        if !kind.is_file() {
            let mut pipe = File::open(path).map_err(cannot_read)?;
            return Self::piped(path.into(), &mut pipe);
        }
        Ok(Self {
            path: path.into(),
            piped: None,
        })
    }

    pub(super) fn piped(path: PathBuf, pipe: &mut dyn Read) -> Result<Self, Error> {
        let copy = |pipe| -> io::Result<NamedTempFile> {
            let mut file = NamedTempFile::new()?;
            io::copy(pipe, &mut file)?;
            Ok(file)
        };
        let file = copy(pipe).map_err(|source| Error::cannot_read(&path, source))?;
        Ok(Self {
            path,
            piped: Some(file),
        })
    }

    /// The file's path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// By the file's ending or, in what came through a pipe, by its first bytes.
    pub(super) fn format(&self) -> Result<Format, Error> {
        if self.piped.is_some() {
            let is_npy = self.head(NPY_MAGIC.len())? == NPY_MAGIC;
            return Ok(if is_npy { Format::Npy } else { Format::Csv });
        }
        let ending = self.path.extension().unwrap_or_default().to_string_lossy();
        match ending.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Ok(Format::Csv),
            "npy" => Ok(Format::Npy),
            _ => Err(self.error(Problem::UnknownEnding)),
        }
    }

    /// The file, from its start.
    pub(super) fn open(&self) -> Result<File, Error> {
        let file = match &self.piped {
            Some(file) => file.reopen(),
            None => File::open(&self.path),
        };
        file.map_err(|source| self.cannot_read(source))
    }

    /// At most the first `length` bytes.
    pub(super) fn head(&self, length: usize) -> Result<Vec<u8>, Error> {
        let mut head = Vec::new();
        let read = self.open()?.take(length as u64).read_to_end(&mut head);
        read.map_err(|source| self.cannot_read(source))?;
        Ok(head)
    }

    /// The line, from 1, of the first byte from `start` on that ends no line.
    ///
    /// Counted anew from the start of the file, which only messages need.
    pub(super) fn line_at(&self, start: u64) -> Result<usize, Error> {
        let mut reader = BufReader::new(self.open()?);
        let count = |reader: &mut BufReader<File>| -> io::Result<usize> {
            let mut line = 1;
            let mut position = 0;
            loop {
                let buffer = reader.fill_buf()?;
                for byte in buffer {
                    if position >= start && !b"\r\n".contains(byte) {
                        return Ok(line);
                    }
                    position += 1;
                    line += usize::from(*byte == b'\n');
                }
                match buffer.len() {
                    0 => return Ok(line),
                    length => reader.consume(length),
                }
            }
        };
        count(&mut reader).map_err(|source| self.cannot_read(source))
    }

    pub(super) fn error(&self, problem: Problem) -> Error {
        Error::table(&self.path, problem)
    }

    pub(super) fn cannot_read(&self, source: io::Error) -> Error {
        Error::cannot_read(&self.path, source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_to_the_record_after_blank_ones() {
        let text = "x,y\n\n\r\n1,2\n3,4";
        let source = Source::piped("stdin".into(), &mut text.as_bytes()).unwrap();
        for (start, line) in [(0, 1), (3, 4), (5, 4), (7, 4), (10, 5), (11, 5), (99, 5)] {
            assert_eq!(source.line_at(start).unwrap(), line, "{start}");
        }
    }

    #[test]
    fn what_is_piped_is_told_apart_by_its_bytes() {
        for (bytes, format) in [
            (&b"x,y\n1,2\n"[..], Format::Csv),
            (b"", Format::Csv),
            (b"\x93NUMPY\x01\x00", Format::Npy),
        ] {
            let source = Source::piped("stdin".into(), &mut &*bytes).unwrap();
            assert_eq!(source.format().unwrap(), format);
        }
    }
}
