//! The flash of an ESP32-C3, written by the functions in its boot ROM, which esp-storage calls, and read through
//! the window that the program opens.

use core::slice;

use esp_hal::peripherals::FLASH;
use esp_storage::FlashStorage;

use super::{Driver, Fault};
use crate::silicon::window;

/// The driver, kept: a new one would unlock the flash anew before each write, by its status register, which wears
/// as all flash does.
#[derive(Debug)]
pub(super) struct Cells(FlashStorage<'static>);

impl Default for Cells {
    fn default() -> Self {
        // SAFETY: nothing else writes to flash: the region for models is lent once.
        Self(FlashStorage::new(unsafe { FLASH::steal() }))
    }
}

impl Driver for Cells {
    const PAGE_LEN: usize = FlashStorage::ERASE_SIZE;
    const WRITE_LEN: usize = 256;

    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        let len = size_of_val(words);
        // SAFETY: the bytes of words are bytes.
        let bytes = unsafe { slice::from_raw_parts(words.as_ptr().cast(), len) };
        let written = self.0.write_nor(window::flash_offset(place.addr()), bytes);
        window::forget(place.addr(), len);
        written.map_err(|_| Fault)
    }

    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        let start = window::flash_offset(page.addr());
        let erased = self.0.erase(start, start + Self::PAGE_LEN as u32);
        window::forget(page.addr(), Self::PAGE_LEN);
        erased.map_err(|_| Fault)
    }
}
