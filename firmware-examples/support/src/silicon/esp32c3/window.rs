//! The window through which the core sees the flash that models lie in.
//!
//! The boot loader shows the core those pages of flash that the program has, and no others. More are shown by
//! entries in the table of the flash's MMU, one for 64 KB, which data and code share. The program's are the
//! first 64, for it is linked for 4 MB at most, and ESP-IDF's boot loader uses the last itself; the window
//! has 32 from entry 64 on, counted from 0. They are set as ESP-IDF does it (`s_do_mapping` in `esp_mmu_map.c`): by code in
//! RAM, while the cache rests.

use esp_hal::peripherals::MMU_TABLE;

unsafe extern "C" {
    // The board's map: only their addresses count.
    static _model_start: u32;
    static _model_end: u32;
    static _model_flash_start: u32;
    // In the boot ROM, where esp-rom-sys tells the linker.
    fn Cache_Suspend_ICache() -> u32;
    fn Cache_Resume_ICache(autoload: u32);
    fn Cache_Invalidate_Addr(address: u32, len: u32);
}

/// Bytes that an entry shows.
const PAGE_LEN: u32 = 64 << 10;
/// Where the core sees what the first entry shows.
const FIRST: u32 = 0x3C00_0000;

/// Opens the window; again does no harm.
pub(crate) fn open() {
    let start = (&raw const _model_start).addr() as u32;
    let len = (&raw const _model_end).addr() as u32 - start;
    let table = MMU_TABLE::ptr().cast::<u32>().cast_mut();
    let entry = table.wrapping_add(((start - FIRST) / PAGE_LEN) as usize);
    let page = flash_offset(start as usize) / PAGE_LEN;
    // SAFETY: the table has 128 entries, and nothing that runs lies behind these.
    critical_section::with(|_| unsafe { show(entry, page, start, len) });
}

/// Where in flash that lies which the core sees at this address.
pub(crate) fn flash_offset(address: usize) -> u32 {
    let offset = address - (&raw const _model_start).addr();
    ((&raw const _model_flash_start).addr() + offset) as u32
}

/// Drops what the cache holds of flash that has been written.
pub(crate) fn forget(address: usize, len: usize) {
    let start = address as u32 / PAGE_LEN * PAGE_LEN;
    let end = ((address + len) as u32).next_multiple_of(PAGE_LEN);
    // SAFETY: the cache only reads, so whatever it drops is in flash.
    critical_section::with(|_| unsafe { invalidate(start, end - start) });
}

/// # Safety
///
/// `entry` leads to the first of the window's entries, and no interrupt is served.
#[esp_hal::ram]
#[unsafe(export_name = "_window_show")]
unsafe fn show(entry: *mut u32, page: u32, start: u32, len: u32) {
    // SAFETY: by the caller; from here until the cache is back, this neither calls nor reads what is in flash.
    unsafe {
        let autoload = Cache_Suspend_ICache();
        let mut i = 0;
        while i < len / PAGE_LEN {
            // The bit above the page's number stays clear: the entry is valid.
            entry.add(i as usize).write_volatile(page + i);
            i += 1;
        }
        Cache_Invalidate_Addr(start, len);
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
