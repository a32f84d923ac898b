//! The flash beside an RP2040, by the functions in the chip's boot ROM (RP2040 datasheet, 2.8.3.1.3).
//!
//! While it is erased or written, no program can be read from it: what runs then lies in RAM, no interrupt is
//! served, and the other core never left the boot ROM. Then the second boot loader sets the flash up for reading
//! again, as it did at the start.

use rp2040_hal::rom_data;

use super::{Driver, Fault};

/// Where the core sees the flash, which begins with the second boot loader.
const START: usize = 0x1000_0000;
const BOOT2_LEN: usize = 256;

/// Bytes that the command erases which the boot ROM prefers where so many are to go, and the command.
const BLOCK_LEN: u32 = 64 << 10;
const BLOCK_ERASE: u8 = 0xD8;

/// What is called while flash cannot be read, found before that.
struct Functions {
    connect: unsafe extern "C" fn(),
    leave: unsafe extern "C" fn(),
    erase: unsafe extern "C" fn(u32, usize, u32, u8),
    program: unsafe extern "C" fn(u32, *const u8, usize),
    flush: unsafe extern "C" fn(),
    /// The second boot loader's copy in RAM.
    enter: unsafe extern "C" fn(),
}

/// The flash, by the boot ROM.
#[derive(Debug, Default)]
pub(super) struct Cells;

impl Driver for Cells {
    const PAGE_LEN: usize = 4096;
    // Written whole.
    const WRITE_LEN: usize = 256;

    unsafe fn write(&mut self, place: *mut u32, words: &[u32]) -> Result<(), Fault> {
        let offset = place.addr() - START;
        let within = offset % Self::WRITE_LEN;
        // Ones change nothing.
        let mut page = [u32::MAX; Self::WRITE_LEN / 4];
        let part = page.iter_mut().skip(within / 4);
        part.zip(words).for_each(|(to, from)| *to = *from);
        with_functions(|functions| {
            // SAFETY: by the caller; no interrupt is served.
            unsafe { program((offset - within) as u32, page.as_ptr().cast(), functions) };
        });
        Ok(())
    }

    unsafe fn erase(&mut self, page: *mut u32) -> Result<(), Fault> {
        let offset = (page.addr() - START) as u32;
        // SAFETY: by the caller; no interrupt is served.
        with_functions(|functions| unsafe { erase_page(offset, functions) });
        Ok(())
    }
}

/// Does `work` while no interrupt is served.
fn with_functions(work: impl FnOnce(&Functions)) {
    let mut boot2 = [0_u32; BOOT2_LEN / 4];
    let source = core::ptr::with_exposed_provenance::<u32>(START);
    for (i, word) in boot2.iter_mut().enumerate() {
        // SAFETY: the second boot loader is as long.
        *word = unsafe { source.add(i).read_volatile() };
    }
    let enter = boot2.as_ptr().expose_provenance() | 1;
    let functions = Functions {
        connect: rom_data::connect_internal_flash::ptr(),
        leave: rom_data::flash_exit_xip::ptr(),
        erase: rom_data::flash_range_erase::ptr(),
        program: rom_data::flash_range_program::ptr(),
        flush: rom_data::flash_flush_cache::ptr(),
        // SAFETY: its first word is its first instruction, of Thumb as the lowest bit says, and it returns to
        // whoever calls it.
        enter: unsafe {
            core::mem::transmute::<*const (), unsafe extern "C" fn()>(
                core::ptr::with_exposed_provenance(enter),
            )
        },
    };
    critical_section::with(|_| work(&functions));
    // It is called until here.
    core::hint::black_box(&boot2);
}

/// # Safety
///
/// `offset` is that of a page, no interrupt is served, and nothing reads flash.
#[unsafe(export_name = "_flash_erase_page")]
#[unsafe(link_section = ".data.flash")]
#[inline(never)]
unsafe extern "C" fn erase_page(offset: u32, functions: &Functions) {
    // SAFETY: by the caller, in the order of the datasheet.
    unsafe {
        (functions.connect)();
        (functions.leave)();
        (functions.erase)(offset, Cells::PAGE_LEN, BLOCK_LEN, BLOCK_ERASE);
        (functions.flush)();
        (functions.enter)();
    }
}

/// # Safety
///
/// As for erasing; `bytes` leads to [`Cells::WRITE_LEN`] bytes in RAM.
#[unsafe(export_name = "_flash_program_page")]
#[unsafe(link_section = ".data.flash")]
#[inline(never)]
unsafe extern "C" fn program(offset: u32, bytes: *const u8, functions: &Functions) {
    // SAFETY: by the caller, in the order of the datasheet.
    unsafe {
        (functions.connect)();
        (functions.leave)();
        (functions.program)(offset, bytes, Cells::WRITE_LEN);
        (functions.flush)();
        (functions.enter)();
    }
}
