//! The flash of an STM32F405 or F407 by its interface's registers (RM0090, chapter 3), with words written at a
//! time, which asks for 2.7 V and more: a Discovery has 3 V. The chip's HAL writes bytes, and a record is one
//! write.
//!
//! The core stands still where it needs flash that is being erased or written, interrupts with it. Nobody sends
//! anything meanwhile: a computer waits for the reply first.

use stm32f4xx_hal::pac::FLASH;

use super::{Driver, Fault};

/// Where flash begins. Sectors 0 to 4 have the bytes of one of this size together: sector n begins n - 4 times as
/// many on.
const START: usize = 0x0800_0000;

/// What opens the registers (3.6.1).
const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];
/// Of the status, what tells of an error, and is cleared by ones.
const ERRORS: u32 = 0b1111_0010;

/// The flash's interface.
#[derive(Debug, Default)]
pub(super) struct Cells;

impl Driver for Cells {
    // From sector 5 on.
    const PAGE_LEN: usize = 128 << 10;
    const WRITE_LEN: usize = 4;

    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        let flash = open();
        flash.cr().modify(|_, w| w.psize().psize32().pg().set_bit());
        for (i, word) in words.iter().enumerate() {
            // SAFETY: by the caller.
            unsafe { place.add(i).write_volatile(*word) };
            // The word reaches flash by another bus than the status comes.
            cortex_m::asm::dsb();
            wait(&flash);
        }
        close(&flash)
    }

    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        let flash = open();
        let number = 4 + (page.addr() - START) / Self::PAGE_LEN;
        flash.cr().modify(|_, w| {
            // SAFETY: the chip has a sector of this number.
            let w = unsafe { w.snb().bits(number as u8) };
            w.psize().psize32().ser().set_bit()
        });
        flash.cr().modify(|_, w| w.strt().set_bit());
        wait(&flash);
        close(&flash)
    }
}

/// The registers, unlocked, otherwise as [`close`] leaves them, and with no error from before.
fn open() -> FLASH {
    // SAFETY: the HAL sets the flash's wait states when the chip starts, and nothing else uses it.
    let flash = unsafe { FLASH::steal() };
    wait(&flash);
    if flash.cr().read().lock().bit_is_set() {
        for key in KEYS {
            // SAFETY: these are the keys.
            flash.keyr().write(|w| unsafe { w.bits(key) });
        }
    }
    // SAFETY: ones clear bits that are there.
    flash.sr().write(|w| unsafe { w.bits(ERRORS) });
    flash
}

/// Locks the registers, empties the data cache, and tells whether all went well.
fn close(flash: &FLASH) -> Result<(), Fault> {
    let status = flash.sr().read().bits();
    // All else as after a reset.
    flash.cr().write(|w| w.lock().set_bit());
    // What is cached is as it was sent, or as it was before an erasure (3.6.4), and what flash has is to be
    // read back. Only a cache that is off can be emptied.
    flash.acr().modify(|_, w| w.dcen().clear_bit());
    flash.acr().modify(|_, w| w.dcrst().set_bit());
    flash
        .acr()
        .modify(|_, w| w.dcrst().clear_bit().dcen().set_bit());
    match status & ERRORS {
        0 => Ok(()),
        _ => Err(Fault),
    }
}

/// Waits for the flash.
fn wait(flash: &FLASH) {
    while flash.sr().read().bsy().bit_is_set() {}
}
