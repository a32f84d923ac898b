//! The flash of an ESP32-C3, written by the functions in its boot ROM, which esp-storage calls, and read through
//! the window that the program opens.

use core::slice;

use esp_hal::peripherals::FLASH;
use esp_storage::FlashStorage;

use super::Fault;
use crate::silicon::window;

/// Bytes that are erased at a time.
pub(super) const PAGE_LEN: usize = FlashStorage::ERASE_SIZE;
/// Bytes that are written at a time.
pub(super) const WRITE_LEN: usize = 256;

/// # Safety
///
/// `place` leads to words of flash that nothing else uses.
pub(super) unsafe fn write(place: *mut u32, words: &[u32]) -> Result<(), Fault> {
    let len = size_of_val(words);
    // SAFETY: the bytes of words are bytes.
    let bytes = unsafe { slice::from_raw_parts(words.as_ptr().cast(), len) };
    // SAFETY: by the caller.
    let written = unsafe { storage() }.write_nor(window::flash_offset(place.addr()), bytes);
    window::forget(place.addr(), len);
    written.map_err(|_| Fault)
}

/// # Safety
///
/// `page` leads to a page of flash that nothing else uses.
pub(super) unsafe fn erase(page: *mut u32) -> Result<(), Fault> {
    let start = window::flash_offset(page.addr());
    // SAFETY: by the caller.
    let erased = unsafe { storage() }.erase(start, start + PAGE_LEN as u32);
    window::forget(page.addr(), PAGE_LEN);
    erased.map_err(|_| Fault)
}

/// # Safety
///
/// Nothing else writes to flash while this is used.
unsafe fn storage() -> FlashStorage<'static> {
    // SAFETY: by the caller.
    FlashStorage::new(unsafe { FLASH::steal() })
}
