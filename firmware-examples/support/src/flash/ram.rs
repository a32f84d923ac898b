//! RAM that takes writes as flash does: they clear bits, and only an erased page has all of them set.

use super::Fault;

/// Bytes that are erased at a time.
pub(super) const PAGE_LEN: usize = 4096;
/// Bytes that are written at a time.
pub(super) const WRITE_LEN: usize = 4;

/// The memory.
#[derive(Debug)]
pub(super) struct Cells;

#[allow(
    clippy::unused_self,
    reason = "one of the drivers has something to keep"
)]
impl Cells {
    pub(super) const fn new() -> Self {
        Self
    }

    /// # Safety
    ///
    /// `place` leads to words that nothing else uses.
    pub(super) unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        for (i, word) in words.iter().enumerate() {
            // SAFETY: by the caller.
            unsafe {
                let place = place.add(i);
                place.write_volatile(place.read_volatile() & word);
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// `page` leads to as many bytes as a page has, from a word boundary on, that nothing else uses.
    pub(super) unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        for i in 0..PAGE_LEN / size_of::<u32>() {
            // SAFETY: by the caller.
            unsafe { page.add(i).write_volatile(u32::MAX) };
        }
        Ok(())
    }
}
