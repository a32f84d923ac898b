//! The flash region for models, between the symbols of the board's memory map.
#![allow(unsafe_code, reason = "only an address leads to what no program has")]

use core::hint::black_box;
use core::ptr;

unsafe extern "C" {
    static _model_start: u32;
    static _model_end: u32;
}

/// The whole region, word-aligned.
pub fn model_region() -> &'static [u8] {
    // The compiler must not take what a program is linked with for what is there when it runs.
    let start = black_box(&raw const _model_start).addr();
    let end = (&raw const _model_end).addr();
    // SAFETY: the map says that this is flash, and the linker that the program leaves it alone, so
    // nothing writes to it while the program runs.
    unsafe { core::slice::from_raw_parts(ptr::with_exposed_provenance(start), end - start) }
}
