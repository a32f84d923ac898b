//! RAM that takes writes as flash does: they clear bits, and only an erased page has all of them set.

use super::{Driver, Fault};

/// The memory.
#[derive(Debug, Default)]
pub(super) struct Cells;

impl Driver for Cells {
    const PAGE_LEN: usize = 4096;
    const WRITE_LEN: usize = 4;

    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        for (i, word) in words.iter().enumerate() {
            // SAFETY: by the caller.
            unsafe {
                let place = place.add(i);
                place.write_volatile(place.read_volatile() & word);
            }
        }
        Ok(())
    }

    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        for i in 0..Self::PAGE_LEN / size_of::<u32>() {
            // SAFETY: by the caller.
            unsafe { page.add(i).write_volatile(u32::MAX) };
        }
        Ok(())
    }
}
