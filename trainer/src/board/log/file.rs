//! A log that a program in QEMU writes into a file, read as it grows.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::{Decoder, Log};
use crate::error::Error;

/// The file in its folder; a short name, for a board takes few characters of all names.
const NAME: &str = "log.bin";

/// How often there may be more.
const MOMENT: Duration = Duration::from_millis(20);

/// A log under way; at its end, all that was written is told.
#[derive(Debug)]
pub(in crate::board) struct LogFile {
    folder: PathBuf,
    is_over: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    /// Goes after the reader.
    _temporary: Option<TempDir>,
}

impl LogFile {
    /// Reads what `program` will log, if there is a log, in a folder that goes with it.
    pub(in crate::board) fn of(log: Option<&Log>, program: &Path) -> Result<Option<Self>, Error> {
        log.map(|log| Self::new(log, program)).transpose()
    }

    fn new(log: &Log, program: &Path) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(io("create", &std::env::temp_dir()))?;
        let mut file = Self::in_folder(log, program, folder.path())?;
        file._temporary = Some(folder);
        Ok(file)
    }

    /// Reads what `program` will log in `folder`.
    pub(in crate::board) fn in_folder(
        log: &Log,
        program: &Path,
        folder: &Path,
    ) -> Result<Self, Error> {
        let mut decoder = Decoder::of(program)?;
        let path = folder.join(NAME);
        fs::write(&path, []).map_err(io("create", &path))?;
        let mut file = File::open(&path).map_err(io("open", &path))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (log, stop) = (log.clone(), Arc::clone(&is_over));
        let reader = thread::spawn(move || {
            let mut bytes = vec![];
            loop {
                // Asked before the rest is read, of which nothing may be missed.
                let is_last = stop.load(Ordering::Acquire);
                bytes.clear();
                let read = file.read_to_end(&mut bytes);
                for line in decoder.push(&bytes) {
                    log.show(&line);
                }
                if is_last || read.is_err() {
                    break;
                }
                thread::sleep(MOMENT);
            }
            if let Some(line) = decoder.rest() {
                log.show(&line);
            }
        });
        Ok(Self {
            folder: folder.into(),
            is_over,
            reader: Some(reader),
            _temporary: None,
        })
    }

    /// Where the program runs, so that it finds the file by its name.
    pub(in crate::board) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The argument that tells a program of the file.
    pub(in crate::board) fn argument() -> String {
        format!("log={NAME}")
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            // Whoever took the lines has told of a panic.
            let _ = reader.join();
        }
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io {
        action,
        path: path.into(),
        source,
    }
}
