//! The flash region for models, to be written: by the chip's controller or its boot ROM, and on machines that
//! have RAM in the place of flash as flash takes it.
#![allow(unsafe_code, reason = "flash is where the memory map says")]

#[cfg_attr(
    any(feature = "qemu-m0", feature = "nrf52840-dk"),
    path = "flash/nvmc.rs"
)]
#[cfg_attr(feature = "stm32f4-discovery", path = "flash/stm32f4.rs")]
#[cfg_attr(feature = "pico", path = "flash/rp2040.rs")]
#[cfg_attr(feature = "esp32c3", path = "flash/esp32c3.rs")]
#[cfg_attr(all(feature = "qemu", not(feature = "qemu-m0")), path = "flash/ram.rs")]
mod cells;
#[cfg_attr(not(feature = "qemu"), path = "flash/battery.rs")]
mod supply;

use core::ptr;
use core::slice;
use core::sync::atomic::{Ordering, compiler_fence};

use cells::Cells;
use flowlet_protocol::update::{self, Layout, PAGE_LEN, Slot};
use supply::Supply;

use crate::region::take_region;

/// Two slots for models and a page of records, in the region for models.
///
/// In QEMU, what it is told when that starts is a matter of `Supply`: a file to keep what is written in, and
/// when the power is cut.
#[derive(Debug)]
pub struct Flash {
    /// Address of the region.
    start: usize,
    layout: Layout,
    cells: Cells,
    supply: Supply,
}

/// Flash holds something else than what was written, or says itself that it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// What erases and writes a board's flash.
trait Driver: Default {
    /// Bytes that are erased at a time.
    const PAGE_LEN: usize;
    /// Bytes that are written at a time.
    const WRITE_LEN: usize;

    /// Writes words, where bits are cleared, and none is set.
    ///
    /// # Safety
    ///
    /// `place` leads to words of flash that nothing else uses, and that are written at a time.
    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault>;

    /// Sets all bits of a page.
    ///
    /// # Safety
    ///
    /// `page` leads to a page of flash that nothing else uses.
    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault>;
}

impl Flash {
    /// The flash; none where the region is too small, begins amid a page or is lent, see
    /// [`model_region`](crate::model_region).
    pub fn take() -> Option<Self> {
        let (start, len) = take_region()?;
        let layout = Layout::of(len, Cells::PAGE_LEN)?;
        start.is_multiple_of(Cells::PAGE_LEN).then(|| Self {
            start,
            layout,
            cells: Default::default(),
            supply: Supply::new(),
        })
    }

    /// Writes words at `offset` from the region's start, no more than are written at a time.
    fn write(&mut self, offset: usize, words: &[u32]) -> Result<(), Fault> {
        self.supply.spend();
        let place = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: the place is in the region, for the callers checked that, and `self` is the region's only
        // user.
        unsafe { self.cells.write(place, words) }?;
        // The compiler does not know that registers change memory.
        compiler_fence(Ordering::SeqCst);
        self.keep(offset, size_of_val(words))?;
        // SAFETY: as above; it begins on a word boundary.
        let found = unsafe { slice::from_raw_parts(place, words.len()) };
        // Flash keeps zeros that it had before, and what is worn keeps anything.
        match found == words {
            true => Ok(()),
            false => Err(Fault),
        }
    }

    /// Erases the page at `offset` from the region's start.
    fn erase(&mut self, offset: usize) -> Result<(), Fault> {
        self.supply.spend();
        let page = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: as for words; pages of cells divide those of the layout, and the region begins with one.
        unsafe { self.cells.erase(page) }?;
        compiler_fence(Ordering::SeqCst);
        self.keep(offset, Cells::PAGE_LEN)
    }

    /// Keeps what has been written.
    fn keep(&mut self, offset: usize, len: usize) -> Result<(), Fault> {
        // SAFETY: this lies in the region, and nothing writes there while it is borrowed.
        let bytes = unsafe {
            slice::from_raw_parts(ptr::with_exposed_provenance(self.start + offset), len)
        };
        self.supply.keep(offset, bytes).map_err(|_| Fault)
    }
}

impl update::Flash for Flash {
    type Error = Fault;

    fn slot(&self, slot: Slot) -> &[u8] {
        let start = ptr::with_exposed_provenance(self.start + self.layout.start(slot));
        // SAFETY: the slot lies in the region, and nothing writes there while `self` is borrowed.
        unsafe { slice::from_raw_parts(start, self.layout.slot_len) }
    }

    fn records(&self) -> &[u32] {
        let start = ptr::with_exposed_provenance(self.start + self.layout.records_start());
        // SAFETY: as for a slot; the page begins on a word boundary.
        unsafe { slice::from_raw_parts(start, PAGE_LEN / size_of::<u32>()) }
    }

    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), Fault> {
        let pages = (0..len.min(self.layout.slot_len)).step_by(Cells::PAGE_LEN);
        let start = self.layout.start(slot);
        for page in pages {
            self.erase(start + page)?;
        }
        Ok(())
    }

    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        let end = offset.checked_add(bytes.len());
        let is_within =
            offset.is_multiple_of(4) && end.is_some_and(|end| end <= self.layout.slot_len);
        assert!(
            is_within,
            "an updater keeps within a slot, and writes words"
        );
        let mut at = self.layout.start(slot) + offset;
        let mut left = bytes;
        while !left.is_empty() {
            let room = Cells::WRITE_LEN - at % Cells::WRITE_LEN;
            let (part, rest) = left.split_at(room.min(left.len()));
            let mut words = [u32::MAX; Cells::WRITE_LEN / 4];
            for (word, chunk) in words.iter_mut().zip(part.chunks(4)) {
                let mut bytes = [0xFF; 4];
                bytes
                    .iter_mut()
                    .zip(chunk)
                    .for_each(|(to, from)| *to = *from);
                *word = u32::from_ne_bytes(bytes);
            }
            self.write(at, &words[..part.len().div_ceil(4)])?;
            at += part.len();
            left = rest;
        }
        Ok(())
    }

    fn write_record(&mut self, index: usize, word: u32) -> Result<(), Fault> {
        assert!(index < PAGE_LEN / 4, "an updater keeps within the page");
        self.write(self.layout.records_start() + 4 * index, &[word])
    }
}
