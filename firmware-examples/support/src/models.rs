//! The models in a board's flash region for them, one after another, each on a word boundary.

use flowlet::format::{Header, MAGIC};
use flowlet::{Error, Model};

/// Gives the models of a region, and their bytes, up to the first word that begins none.
#[derive(Clone, Debug)]
pub struct Models<'a> {
    rest: &'a [u8],
}

impl<'a> Models<'a> {
    /// Those of a region that begins on a word boundary.
    pub const fn new(region: &'a [u8]) -> Self {
        Self { rest: region }
    }

    /// The first.
    ///
    /// # Errors
    ///
    /// What is wrong with it, [`Error::NotAModel`] where there is none.
    pub fn first(mut self) -> Result<(Model<'a>, &'a [u8]), Error> {
        self.next().unwrap_or(Err(Error::NotAModel))
    }
}

impl<'a> Iterator for Models<'a> {
    type Item = Result<(Model<'a>, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let len = file_len(self.rest)?;
        // What is not whole is for `from_bytes` to tell.
        let (file, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest.get(len.wrapping_neg() % 4..).unwrap_or_default();
        Some(Model::from_bytes(file).map(|model| (model, file)))
    }
}

/// Bytes of the model file that begins here, by its own account.
fn file_len(bytes: &[u8]) -> Option<usize> {
    let (header, _) = bytes.split_first_chunk::<{ Header::LENGTH }>()?;
    let (fixed, length) = header.split_last_chunk()?;
    fixed
        .starts_with(&MAGIC)
        .then(|| u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowlet::include_model;
    use std::vec::Vec;

    static MOONS: &[u8] = include_model!("../../../runtime/src/moons.flow");

    /// A region of words, with files in it, and what memory is like where nothing was written.
    fn region(files: &[&[u8]], empty: u8) -> Vec<u32> {
        let mut bytes = Vec::new();
        for file in files {
            bytes.extend(*file);
            bytes.resize(bytes.len().next_multiple_of(4), empty);
        }
        bytes.resize(bytes.len() + 64, empty);
        let words = bytes.chunks_exact(4);
        words
            .map(|b| u32::from_ne_bytes(b.try_into().unwrap()))
            .collect()
    }

    #[allow(unsafe_code, reason = "bytes of words are bytes")]
    fn bytes(words: &[u32]) -> &[u8] {
        // SAFETY: the words are as many times four bytes.
        unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 4 * words.len()) }
    }

    #[test]
    fn all_models_are_found_and_nothing_after_them() {
        for (empty, count) in [(0, 0), (0xFF, 1), (0, 2), (0xFF, 3)] {
            let region = region(&[MOONS, MOONS, MOONS][..count], empty);
            let models = Models::new(bytes(&region));
            let found: Vec<_> = models.map(|model| model.unwrap().1).collect();
            assert_eq!(found, [MOONS, MOONS, MOONS][..count]);
        }
    }

    #[test]
    fn no_model_and_a_damaged_one_are_told() {
        let empty = region(&[], 0xFF);
        let error = |region: &[u32]| Models::new(bytes(region)).first().err();
        assert_eq!(error(&empty), Some(Error::NotAModel));
        assert_eq!(error(&[]), Some(Error::NotAModel));
        let mut damaged = region(&[MOONS], 0);
        damaged[20] ^= 1;
        assert!(matches!(error(&damaged), Some(Error::Checksum { .. })));
        let whole = region(&[MOONS], 0);
        let cut = &whole[..MOONS.len() / 8];
        assert!(matches!(error(cut), Some(Error::Truncated { .. })));
    }
}
