//! RAM that takes writes as flash does: they clear bits, and only an erased page has all of them set.

/// Bytes that are erased at a time.
pub(super) const PAGE_LEN: usize = 4096;

/// # Safety
///
/// `place` leads to a word that nothing else uses.
pub(super) unsafe fn write(place: *mut u32, word: u32) {
    // SAFETY: by the caller.
    unsafe { place.write_volatile(place.read_volatile() & word) };
}

/// # Safety
///
/// `page` leads to as many bytes as a page has, from a word boundary on, that nothing else uses.
pub(super) unsafe fn erase(page: *mut u32) {
    for i in 0..PAGE_LEN / size_of::<u32>() {
        // SAFETY: by the caller.
        unsafe { page.add(i).write_volatile(u32::MAX) };
    }
}
