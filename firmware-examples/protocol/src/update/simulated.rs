//! Flash of a board, simulated, for tests: its layout, what it is erased and written by, and a power that may be cut.

use std::vec;
use std::vec::Vec;

use super::{Flash, Layout, PAGE_LEN, Slot};

/// What there is of flash, and how it works.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Whose it is.
    pub board: &'static str,
    /// Bytes of the region for models.
    pub region_len: usize,
    /// Bytes that are erased at a time.
    pub erased_len: usize,
    /// Bytes that are written at a time, from a boundary of so many on.
    pub written_len: usize,
}

/// Little flash, of small pages.
pub const LITTLE: Geometry = Geometry {
    board: "none",
    region_len: 28 << 10,
    erased_len: 256,
    written_len: 4,
};

/// Those that the drivers of boards have.
pub const GEOMETRIES: [Geometry; 6] = [
    LITTLE,
    Geometry {
        board: "qemu-m0",
        region_len: 176 << 10,
        erased_len: 1024,
        written_len: 4,
    },
    Geometry {
        board: "stm32f4-discovery",
        region_len: 768 << 10,
        erased_len: 128 << 10,
        written_len: 4,
    },
    Geometry {
        board: "nrf52840-dk",
        region_len: 768 << 10,
        erased_len: 4096,
        written_len: 4,
    },
    Geometry {
        board: "pico",
        region_len: 1792 << 10,
        erased_len: 4096,
        written_len: 256,
    },
    Geometry {
        board: "esp32c3",
        region_len: 2048 << 10,
        erased_len: 4096,
        written_len: 256,
    },
];

/// Flash whose power is cut in the middle of an erasure or a write, after some.
#[derive(Clone, Debug)]
pub struct SimulatedFlash {
    geometry: Geometry,
    layout: Layout,
    words: Vec<u32>,
    /// Erasures and writes until the power is cut.
    pub left: usize,
    /// Erasures and writes so far.
    pub done: usize,
}

/// There is no power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut;

impl SimulatedFlash {
    /// Erased, with a model in slot A.
    pub fn new(geometry: Geometry, first: &[u8]) -> Self {
        let layout = Layout::of(geometry.region_len, geometry.erased_len);
        let layout = layout.expect("a region has room for its parts");
        let mut flash = Self {
            geometry,
            layout,
            words: vec![u32::MAX; geometry.region_len / 4],
            left: usize::MAX,
            done: 0,
        };
        let written = flash.write_slot(Slot::A, 0, first);
        written.expect("there is power");
        flash.done = 0;
        flash
    }

    /// Bytes of a slot.
    pub fn slot_len(&self) -> usize {
        self.layout.slot_len
    }

    /// Makes `slot` the active one in all records but the last `free`.
    pub fn fill_records(&mut self, slot: Slot, free: usize) {
        let records = self.records_mut();
        let used = records.len() - free;
        records[..used].fill(slot.word());
    }

    /// The page of records, to be written as no flash is.
    pub(super) fn records_mut(&mut self) -> &mut [u32] {
        let start = self.layout.records_start() / 4;
        &mut self.words[start..][..PAGE_LEN / 4]
    }

    /// What of an operation on so many parts the power lasts for: all, or half where it is cut.
    fn spend(&mut self, count: usize) -> (usize, Result<(), PowerCut>) {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.done += 1;
                (count, Ok(()))
            }
            None => (count / 2, Err(PowerCut)),
        }
    }

    /// Writes words at once, one after another; a cut leaves half of the zeros of one.
    fn write(&mut self, start: usize, words: &[u32]) -> Result<(), PowerCut> {
        let (count, outcome) = self.spend(words.len());
        let torn = words.get(count).map(|word| word | 0xFFFF_0000);
        for (i, word) in words[..count].iter().copied().chain(torn).enumerate() {
            let place = &mut self.words[start / 4 + i];
            let is_erased = *place == u32::MAX;
            assert!(is_erased, "a word is written once after it was erased");
            *place = word;
        }
        outcome
    }
}

impl Flash for SimulatedFlash {
    type Error = PowerCut;

    #[allow(unsafe_code, reason = "bytes of words are bytes")]
    fn slot(&self, slot: Slot) -> &[u8] {
        let words = &self.words[self.layout.start(slot) / 4..][..self.layout.slot_len / 4];
        // SAFETY: the words are as many times four bytes.
        unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 4 * words.len()) }
    }

    fn records(&self) -> &[u32] {
        &self.words[self.layout.records_start() / 4..][..PAGE_LEN / 4]
    }

    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), PowerCut> {
        let page_len = self.geometry.erased_len;
        for offset in (0..len).step_by(page_len) {
            assert!(offset + page_len <= self.layout.slot_len, "beyond the slot");
            let at = self.layout.start(slot) + offset;
            assert!(at.is_multiple_of(page_len), "pages have their places");
            let start = at / 4;
            let (count, outcome) = self.spend(page_len / 4);
            self.words[start..][..count].fill(u32::MAX);
            outcome?;
        }
        Ok(())
    }

    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), PowerCut> {
        assert_eq!(offset % 4, 0);
        assert!(offset + bytes.len() <= self.layout.slot_len);
        let mut at = self.layout.start(slot) + offset;
        let mut left = bytes;
        while !left.is_empty() {
            let room = self.geometry.written_len - at % self.geometry.written_len;
            let (part, rest) = left.split_at(room.min(left.len()));
            let words = part.chunks(4).map(|chunk| {
                let mut word = [0xFF; 4];
                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_ne_bytes(word)
            });
            self.write(at, &words.collect::<Vec<_>>())?;
            at += part.len();
            left = rest;
        }
        Ok(())
    }

    fn write_record(&mut self, index: usize, word: u32) -> Result<(), PowerCut> {
        assert!(index < PAGE_LEN / 4);
        self.write(self.layout.records_start() + 4 * index, &[word])
    }
}
