//! The flash region for models, to be written: on chips of Nordic by their controller, on machines that
//! have RAM in the place of flash as flash takes it.
#![allow(unsafe_code, reason = "flash is where the memory map says")]

#[cfg_attr(
    any(feature = "qemu-m0", feature = "nrf52840-dk"),
    path = "flash/nvmc.rs"
)]
#[cfg_attr(
    not(any(feature = "qemu-m0", feature = "nrf52840-dk")),
    path = "flash/ram.rs"
)]
mod cells;
#[cfg_attr(not(feature = "qemu"), path = "flash/battery.rs")]
mod supply;

use core::ptr;
use core::slice;

use flowlet_protocol::update::{self, Layout, PAGE_LEN, Slot};
use supply::{Error, Supply};

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
    supply: Supply,
}

impl Flash {
    /// The flash; none where the region is too small or lent, see [`model_region`](crate::model_region).
    pub fn take() -> Option<Self> {
        let (start, len) = take_region()?;
        Some(Self {
            start,
            layout: Layout::of(len, cells::PAGE_LEN)?,
            supply: Supply::new(),
        })
    }

    /// Writes a word at `offset` from the region's start.
    fn write(&mut self, offset: usize, word: u32) -> Result<(), Error> {
        self.supply.spend();
        let place = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: the place is a word of the region, for the callers checked that, and `self` is the
        // region's only user.
        unsafe { cells::write(place, word) };
        self.keep(offset, size_of::<u32>())
    }

    /// Erases the page at `offset` from the region's start.
    fn erase(&mut self, offset: usize) -> Result<(), Error> {
        self.supply.spend();
        let page = ptr::with_exposed_provenance_mut(self.start + offset);
        // SAFETY: as for a word; pages of cells divide those of the layout.
        unsafe { cells::erase(page) };
        self.keep(offset, cells::PAGE_LEN)
    }

    /// Keeps what has been written.
    fn keep(&mut self, offset: usize, len: usize) -> Result<(), Error> {
        // SAFETY: this lies in the region, and nothing writes there while it is borrowed.
        let bytes = unsafe {
            slice::from_raw_parts(ptr::with_exposed_provenance(self.start + offset), len)
        };
        self.supply.keep(offset, bytes)
    }
}

impl update::Flash for Flash {
    type Error = Error;

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

    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), Error> {
        let pages = (0..len.min(self.layout.slot_len)).step_by(cells::PAGE_LEN);
        let start = self.layout.start(slot);
        pages
            .into_iter()
            .try_for_each(|page| self.erase(start + page))
    }

    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Error> {
        let is_within = offset.is_multiple_of(4) && bytes.len() <= self.layout.slot_len - offset;
        assert!(
            is_within,
            "an updater keeps within a slot, and writes words"
        );
        let start = self.layout.start(slot) + offset;
        for (i, chunk) in bytes.chunks(4).enumerate() {
            let mut word = [0xFF; 4];
            word.iter_mut()
                .zip(chunk)
                .for_each(|(to, from)| *to = *from);
            self.write(start + 4 * i, u32::from_ne_bytes(word))?;
        }
        Ok(())
    }

    fn write_record(&mut self, index: usize, word: u32) -> Result<(), Error> {
        assert!(index < PAGE_LEN / 4, "an updater keeps within the page");
        self.write(self.layout.records_start() + 4 * index, word)
    }
}
