//! The flash of an STM32F405 or F407 by its interface's registers (RM0090, chapter 3), with words written at a
//! time, which asks for 2.7 V and more: a Discovery has 3 V. The chip's HAL writes bytes, and a record is one
//! write.
//!
//! The core stands still where it needs flash that is being erased or written, interrupts with it. Nobody sends
//! anything meanwhile: a computer waits for the reply first.

use stm32f4xx_hal::pac::FLASH;

use super::Fault;

/// Bytes that are erased at a time, from the fifth sector on.
pub(super) const PAGE_LEN: usize = 128 << 10;
/// Bytes that are written at a time.
pub(super) const WRITE_LEN: usize = 4;

/// Where the sector of this size lies that would have the number 4.
const FOURTH: usize = 0x0800_0000;

/// What opens the registers (3.6.1).
const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];
/// Of the status, what tells of an error, and is cleared by ones.
const ERRORS: u32 = 0b1111_0010;

/// # Safety
///
/// `place` leads to words of flash that nothing else uses.
pub(super) unsafe fn write(place: *mut u32, words: &[u32]) -> Result<(), Fault> {
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

/// # Safety
///
/// `page` leads to a sector of flash that nothing else uses.
pub(super) unsafe fn erase(page: *mut u32) -> Result<(), Fault> {
    let flash = open();
    let number = 4 + (page.addr() - FOURTH) / PAGE_LEN;
    flash.cr().modify(|_, w| {
        // SAFETY: the chip has a sector of this number.
        let w = unsafe { w.snb().bits(number as u8) };
        w.psize().psize32().ser().set_bit()
    });
    flash.cr().modify(|_, w| w.strt().set_bit());
    wait(&flash);
    // Writes reach what is cached, erasure does not (3.6.4); only a cache that is off can be emptied.
    flash.acr().modify(|_, w| w.dcen().clear_bit());
    flash.acr().modify(|_, w| w.dcrst().set_bit());
    flash
        .acr()
        .modify(|_, w| w.dcrst().clear_bit().dcen().set_bit());
    close(&flash)
}

/// The registers, unlocked, with no operation chosen and no error from before.
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

/// Locks the registers, and tells whether all went well.
fn close(flash: &FLASH) -> Result<(), Fault> {
    let status = flash.sr().read().bits();
    // All else as after a reset.
    flash.cr().write(|w| w.lock().set_bit());
    match status & ERRORS {
        0 => Ok(()),
        _ => Err(Fault),
    }
}

/// Waits for the flash.
fn wait(flash: &FLASH) {
    while flash.sr().read().bsy().bit_is_set() {}
}
