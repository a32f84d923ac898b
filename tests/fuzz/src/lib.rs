//! What the targets need: words with files in them.

mod words;

pub use words::{bytes_of, words_of};
