//! The window through which the core sees the flash that models lie in.
//!
//! The boot loader shows the core those pages of flash that the program has, and no others. More are shown by
//! entries in the table of the flash's MMU, one for 64 KB, which data and code share. The program's are the
//! first 64, for it is linked for 4 MB at most, and ESP-IDF's boot loader uses the last itself; the window
//! has 32 from the 64th on. They are set as ESP-IDF does it (`s_do_mapping` in `esp_mmu_map.c`): by code in
//! RAM, while the cache rests.

use esp_hal::peripherals::MMU_TABLE;

unsafe extern "C" {
    // In the boot ROM, where esp-rom-sys tells the linker.
    fn Cache_Suspend_ICache() -> u32;
    fn Cache_Resume_ICache(autoload: u32);
    fn Cache_Invalidate_Addr(address: u32, len: u32);
}

/// Where the flash for models begins, and its window.
pub(crate) const FLASH_START: u32 = 2 << 20;
const START: u32 = 0x3C40_0000;
const LEN: u32 = 2 << 20;

/// Bytes that an entry shows.
const PAGE_LEN: u32 = 64 << 10;
/// Where the core sees what the first entry shows.
const FIRST: u32 = 0x3C00_0000;

/// Opens the window; again does no harm.
pub(crate) fn open() {
    let entry = MMU_TABLE::regs().entry(((START - FIRST) / PAGE_LEN) as usize);
    // SAFETY: the table has 128 entries, and nothing that runs lies behind these.
    critical_section::with(|_| unsafe { show(entry.as_ptr()) });
}

/// Where in flash that lies which the core sees at this address.
pub(crate) const fn flash_offset(address: usize) -> u32 {
    address as u32 - START + FLASH_START
}

/// Drops what the cache holds of flash that has been written.
pub(crate) fn forget(address: usize, len: usize) {
    let start = address as u32 / PAGE_LEN * PAGE_LEN;
    let end = (address + len).next_multiple_of(PAGE_LEN as usize) as u32;
    // SAFETY: the cache only reads, so whatever it drops is in flash.
    critical_section::with(|_| unsafe { invalidate(start, end - start) });
}

/// # Safety
///
/// `entry` leads to the first of the window's entries, and no interrupt is served.
#[esp_hal::ram]
#[unsafe(export_name = "_window_show")]
unsafe fn show(entry: *mut u32) {
    // SAFETY: by the caller; from here until the cache is back, this neither calls nor reads what is in flash.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        let mut i = 0;
        while i < LEN / PAGE_LEN {
            // The bit above the page's number stays clear: the entry is valid.
            entry
                .add(i as usize)
                .write_volatile(FLASH_START / PAGE_LEN + i);
            i += 1;
        }
        Cache_Invalidate_Addr(START, LEN);
        Cache_Resume_ICache(autoload);
    }
}

/// # Safety
///
/// No interrupt is served.
#[esp_hal::ram]
#[unsafe(export_name = "_window_invalidate")]
unsafe fn invalidate(start: u32, len: u32) {
    // SAFETY: as for the entries.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        Cache_Invalidate_Addr(start, len);
        Cache_Resume_ICache(autoload);
    }
}
