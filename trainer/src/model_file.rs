//! Model files on the host.

use std::path::{Path, PathBuf};

use flowlet::Model;

use crate::error::Error;
use crate::output::write_whole;

/// The bytes of a model file, on a word boundary as the runtime needs them.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// Where the file lies, or the model's name: for messages.
    path: PathBuf,
    buffer: AlignedBuffer,
}

impl ModelFile {
    /// Takes the bytes of a model file from `path`.
    pub fn from_bytes(path: impl Into<PathBuf>, bytes: &[u8]) -> Self {
        Self {
            path: path.into(),
            buffer: AlignedBuffer::new(bytes),
        }
    }

    /// Reads a model file; [`model`](Self::model) checks it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
        Ok(Self::from_bytes(path, &bytes))
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write_whole(path, |file| file.write_all(self.bytes()))
    }

    /// The model.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with what the runtime has against the file.
    pub fn model(&self) -> Result<Model<'_>, Error> {
        Model::from_bytes(self.bytes()).map_err(|source| Error::Model {
            path: self.path.clone(),
            source,
        })
    }

    /// Where the file lies, or the model's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.bytes()
    }
}

/// Bytes that begin on a word boundary wherever the allocator puts them.
#[derive(Debug)]
struct AlignedBuffer {
    buffer: Vec<u8>,
    start: usize,
    length: usize,
}

impl AlignedBuffer {
    fn new(bytes: &[u8]) -> Self {
        let mut buffer = vec![0; bytes.len() + 3];
        let start = buffer.as_ptr().align_offset(align_of::<u32>());
        buffer[start..start + bytes.len()].copy_from_slice(bytes);
        Self {
            buffer,
            start,
            length: bytes.len(),
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.start + self.length]
    }
}

impl Clone for AlignedBuffer {
    fn clone(&self) -> Self {
        Self::new(self.bytes())
    }
}
