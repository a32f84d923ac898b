//! What firmware logs by defmt, decoded with the ELF file that has its texts.
//!
//! By the wire format 4 of [defmt](https://defmt.ferrous-systems.com), in frames of rzCOBS. The crate `defmt-decoder`
//! would bring 43 packages, have all numbers in JSON written otherwise (by serde_json's `arbitrary_precision`), and
//! ask for as much memory as a damaged frame claims to hold.

mod file;
mod frame;
mod places;
mod rzcobs;
mod texts;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub(super) use file::LogFile;

use super::BoardError;
use crate::error::Error;
use texts::Texts;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Why a program ends.
    Error,
    /// And what it refuses.
    Warn,
    /// And what it does.
    Info,
    /// And what it is asked for.
    Debug,
    /// And all else.
    Trace,
}

impl Level {
    /// From the least to the most.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    /// Its name, as `DEFMT_LOG` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What becomes of a program's log.
#[derive(Clone)]
pub struct Log {
    /// What is shown; a program that is built logs no more.
    pub level: Level,
    /// Takes each line as it comes, perhaps on a thread of its own.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// A log whose lines go to `tell`.
    pub fn new(level: Level, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            level,
            tell: Arc::new(tell),
        }
    }

    /// Passes on a line that begins with its level, unless it is of a level beyond the log's.
    pub(super) fn show(&self, line: &str) {
        let start = line.split(' ').next().unwrap_or_default();
        let is_of = |level: &Level| level.name().eq_ignore_ascii_case(start);
        let level = Level::ALL.into_iter().find(is_of);
        if level.is_none_or(|level| level <= self.level) {
            (self.tell)(line);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Log {
    fn eq(&self, other: &Self) -> bool {
        self.level == other.level && Arc::ptr_eq(&self.tell, &other.tell)
    }
}

/// Bytes of a frame, at most: what is longer has lost its end.
const MOST_UNENDED: usize = 4096;

/// Makes lines of a program's log, such as `INFO  sampled 3 (support/src/sampling.rs:29)`.
#[derive(Debug)]
pub(super) struct Decoder {
    texts: Texts,
    /// Where in the source each text is, by its index.
    places: BTreeMap<u16, String>,
    unended: Vec<u8>,
    /// Whether this is the rest of a frame that has been told as too long.
    is_skipping: bool,
}

impl Decoder {
    /// For the log of this program.
    ///
    /// # Errors
    ///
    /// [`BoardError::NoLog`] and [`BoardError::ForeignLog`], [`Error::Io`] where there is no file.
    pub(super) fn of(program: &Path) -> Result<Self, Error> {
        let (bytes, texts) = read(program)?;
        let places = places::find(&bytes, &texts);
        Ok(Self {
            texts,
            places,
            unended: vec![],
            is_skipping: false,
        })
    }

    /// Whether there can be one for the log of this program, without the time that its places take.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub(super) fn check(program: &Path) -> Result<(), Error> {
        read(program).map(drop)
    }

    /// Takes in bytes, and gives the lines that they end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = vec![];
        for &byte in bytes {
            match byte {
                0 if self.is_skipping => self.is_skipping = false,
                _ if self.is_skipping => {}
                0 if self.unended.is_empty() => {}
                0 => {
                    lines.push(self.line(&self.unended));
                    self.unended.clear();
                }
                byte => self.unended.push(byte),
            }
            if self.unended.len() > MOST_UNENDED {
                lines.push(format!(
                    "?     a damaged frame of more than {MOST_UNENDED} bytes"
                ));
                self.unended.clear();
                self.is_skipping = true;
            }
        }
        lines
    }

    /// What is left at the end of all bytes, which nothing has ended.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.unended);
        (!rest.is_empty()).then(|| damaged(&rest))
    }

    fn line(&self, frame: &[u8]) -> String {
        let Some(said) = frame::decode(&self.texts, frame) else {
            return damaged(frame);
        };
        let level = said.level.map_or("", Level::name).to_uppercase();
        let place = self.places.get(&said.index);
        let place = place.map_or(String::new(), |place| format!(" ({place})"));
        // A message may have line breaks of its own.
        let message = said.message.trim_end().replace('\n', "\n      ");
        format!("{level:5} {message}{place}")
    }
}

/// A program and its texts.
fn read(program: &Path) -> Result<(Vec<u8>, Texts), Error> {
    let bytes = std::fs::read(program).map_err(|source| Error::cannot_read(program, source))?;
    let path = program.into();
    match Texts::parse(&bytes) {
        Ok(Some(texts)) => Ok((bytes, texts)),
        Ok(None) => Err(BoardError::NoLog { path }.into()),
        Err(problem) => Err(BoardError::ForeignLog { path, problem }.into()),
    }
}

fn damaged(frame: &[u8]) -> String {
    format!("?     a damaged frame of {} bytes", frame.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use frame::tests::texts;
    use rzcobs::tests::encode;

    fn decoder() -> Decoder {
        Decoder {
            texts: texts(),
            places: BTreeMap::from([(1, "main.rs:7".into())]),
            unended: vec![],
            is_skipping: false,
        }
    }

    #[test]
    fn a_log_shows_its_level_and_what_has_none() {
        let (sender, shown) = std::sync::mpsc::channel();
        let log = Log::new(Level::Info, move |line| {
            sender.send(line.to_owned()).unwrap()
        });
        let lines = [
            "ERROR the end",
            "INFO  sampled 5",
            "DEBUG asked: sample 5",
            "TRACE 5 (main.rs:7)",
            "      DEBUG is a level",
            "?     a damaged frame of 3 bytes",
        ];
        lines.iter().for_each(|line| log.show(line));
        drop(log);
        let shown: Vec<String> = shown.iter().collect();
        assert_eq!(shown, [lines[0], lines[1], lines[4], lines[5]]);
    }

    #[test]
    fn lines_have_their_level_and_their_place() {
        let mut decoder = decoder();
        let frames = [encode(&[1, 0, 5]), encode(&[2, 0])].concat();
        assert_eq!(
            decoder.push(&frames),
            ["INFO  sampled 5 (main.rs:7)", "ERROR the end"]
        );
        assert_eq!(decoder.rest(), None);
    }

    #[test]
    fn a_damaged_frame_is_told_and_the_next_is_read() {
        let mut decoder = decoder();
        let (mut broken, whole) = (encode(&[1, 0, 5]), encode(&[2, 0]));
        broken.drain(1..3);
        let lines = decoder.push(&[&broken[..], &whole].concat());
        let told = format!("?     a damaged frame of {} bytes", broken.len() - 1);
        assert_eq!(lines, [&told, "ERROR the end"]);
        // Cut off at the end of all, as by a lockup.
        assert!(decoder.push(&whole[..whole.len() - 1]).is_empty());
        assert!(decoder.rest().unwrap().contains("damaged frame of"));
    }

    #[test]
    fn bytes_without_an_end_are_told_once_they_are_too_many() {
        let mut decoder = decoder();
        assert_eq!(decoder.push(&[0x55; MOST_UNENDED]), [""; 0]);
        let told = format!("?     a damaged frame of more than {MOST_UNENDED} bytes");
        assert_eq!(decoder.push(&[0x55]), [told]);
        // Its rest is no other frame, however long.
        assert_eq!(decoder.push(&[0x55; 2 * MOST_UNENDED]), [""; 0]);
        assert_eq!(decoder.push(&encode(&[2, 0])), [""; 0]);
        assert_eq!(decoder.push(&encode(&[2, 0])), ["ERROR the end"]);
    }
}
