//! What the targets need: words with files in them, and a flash that loses its power.

mod flash;
mod words;

pub use flash::{MemoryFlash, PowerCut, SLOT_LEN};
pub use words::{bytes_of, words_of};
