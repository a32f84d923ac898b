//! A flash in memory, whose power lasts for some writes.

use flowlet_protocol::update::{Flash, Slot};

use crate::words::{bytes_of, words_of};

/// Bytes of a slot.
pub const SLOT_LEN: usize = 1024;
/// Words that are erased at a time.
const PAGE_WORDS: usize = 32;
const RECORD_COUNT: usize = 6;

/// Two slots and some records.
#[derive(Debug)]
pub struct MemoryFlash {
    slots: [Vec<u32>; 2],
    records: [u32; RECORD_COUNT],
    /// Writes until the power is cut.
    pub left: usize,
}

/// There is no power.
#[derive(Debug)]
pub struct PowerCut;

impl MemoryFlash {
    /// A flash with a file in slot A.
    pub fn with(file: &[u8]) -> Self {
        let mut first = words_of(file);
        first.resize(SLOT_LEN / 4, u32::MAX);
        Self {
            slots: [first, vec![u32::MAX; SLOT_LEN / 4]],
            records: [u32::MAX; RECORD_COUNT],
            left: usize::MAX,
        }
    }

    fn spend(&mut self) -> Result<(), PowerCut> {
        self.left = self.left.checked_sub(1).ok_or(PowerCut)?;
        Ok(())
    }
}

impl Flash for MemoryFlash {
    type Error = PowerCut;

    fn slot(&self, slot: Slot) -> &[u8] {
        bytes_of(&self.slots[slot as usize])
    }

    fn records(&self) -> &[u32] {
        &self.records
    }

    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), PowerCut> {
        for page in 0..len.div_ceil(4 * PAGE_WORDS) {
            self.spend()?;
            self.slots[slot as usize][page * PAGE_WORDS..][..PAGE_WORDS].fill(u32::MAX);
        }
        Ok(())
    }

    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), PowerCut> {
        assert_eq!(offset % 4, 0);
        for (i, word) in words_of(bytes).into_iter().enumerate() {
            self.spend()?;
            let place = &mut self.slots[slot as usize][offset / 4 + i];
            assert_eq!(
                *place,
                u32::MAX,
                "a word is written once after it was erased"
            );
            *place = word;
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
