//! The flash of an nRF51 or nRF52 by its non-volatile memory controller, NVMC (nRF51 Series Reference Manual
//! 3.0, chapter 6; nRF52840 Product Specification 1.7, chapter 4.3).

use core::sync::atomic::{Ordering, fence};

use super::{Driver, Fault};

const READY: *const u32 = 0x4001_E400_u32 as _;
const CONFIG: *mut u32 = 0x4001_E504_u32 as _;
const ERASE_PAGE: *mut u32 = 0x4001_E508_u32 as _;

const READ: u32 = 0;
const WRITE: u32 = 1;
const ERASE: u32 = 2;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct Cells;

impl Driver for Cells {
    const PAGE_LEN: usize = if cfg!(feature = "qemu-m0") {
        1024
    } else {
        4096
    };
    const WRITE_LEN: usize = 4;

    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        for (i, word) in words.iter().enumerate() {
            // SAFETY: by the caller; the registers are there, and nothing else uses them.
            unsafe {
                CONFIG.write_volatile(WRITE);
                place.add(i).write_volatile(*word);
                // The word reaches flash by another bus than the registers are on.
                fence(Ordering::SeqCst);
                wait();
                CONFIG.write_volatile(READ);
            }
        }
        Ok(())
    }

    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        // SAFETY: by the caller; as for a word.
        unsafe {
            CONFIG.write_volatile(ERASE);
            ERASE_PAGE.write_volatile(page.addr() as u32);
            wait();
            CONFIG.write_volatile(READ);
        }
        Ok(())
    }
}

/// Waits for the controller.
fn wait() {
    // SAFETY: reading the register changes nothing.
    while unsafe { READY.read_volatile() } & 1 == 0 {}
}
