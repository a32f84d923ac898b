//! A flash in memory, for tests: it has power for some writes, and sees that flash is written as flash is.

use std::vec;
use std::vec::Vec;

use super::{Flash, Slot};

/// Words that are erased at a time.
const PAGE_WORDS: usize = 64;

/// Two slots and some records; a page that is erased and a word that is written are a write each.
#[derive(Clone, Debug)]
pub struct SimulatedFlash {
    slots: [Vec<u32>; 2],
    pub(super) records: Vec<u32>,
    /// Writes until the power is cut.
    pub left: usize,
    /// Writes so far.
    pub done: usize,
}

/// There is no power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut;

impl SimulatedFlash {
    /// A flash with a file in slot A; the rest is erased.
    pub fn with(file: &[u8], slot_words: usize, record_count: usize) -> Self {
        let slot = vec![u32::MAX; slot_words];
        let mut flash = Self {
            slots: [slot.clone(), slot],
            records: vec![u32::MAX; record_count],
            left: usize::MAX,
            done: 0,
        };
        let written = flash.write_slot(Slot::A, 0, file);
        written.expect("there is power");
        flash.done = 0;
        flash
    }

    fn spend(&mut self) -> Result<(), PowerCut> {
        self.left = self.left.checked_sub(1).ok_or(PowerCut)?;
        self.done += 1;
        Ok(())
    }
}

impl Flash for SimulatedFlash {
    type Error = PowerCut;

    #[allow(unsafe_code, reason = "bytes of words are bytes")]
    fn slot(&self, slot: Slot) -> &[u8] {
        let words = &self.slots[slot as usize];
        // SAFETY: the words are as many times four bytes.
        unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 4 * words.len()) }
    }

    fn records(&self) -> &[u32] {
        &self.records
    }

    /// Page by page, so that a cut leaves it half erased.
    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), PowerCut> {
        for page in 0..len.div_ceil(4 * PAGE_WORDS) {
            self.spend()?;
            let words = &mut self.slots[slot as usize];
            let end = words.len().min((page + 1) * PAGE_WORDS);
            words[page * PAGE_WORDS..end].fill(u32::MAX);
        }
        Ok(())
    }

    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), PowerCut> {
        assert_eq!(offset % 4, 0);
        for (i, chunk) in bytes.chunks(4).enumerate() {
            self.spend()?;
            let mut word = [0xFF; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            let place = &mut self.slots[slot as usize][offset / 4 + i];
            assert_eq!(
                *place,
                u32::MAX,
                "a word is written once after it was erased"
            );
            *place = u32::from_ne_bytes(word);
        }
        Ok(())
    }

    fn write_record(&mut self, index: usize, word: u32) -> Result<(), PowerCut> {
        self.spend()?;
        assert_eq!(self.records[index], u32::MAX, "a record is written once");
        self.records[index] = word;
        Ok(())
    }
}
