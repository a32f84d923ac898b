//! The flash region for models, between the symbols of the board's memory map.
#![allow(unsafe_code, reason = "only an address leads to what no program has")]

use core::ptr;

unsafe extern "C" {
    static _model_start: u32;
    static _model_end: u32;
}

/// The whole region, word-aligned.
pub fn model_region() -> &'static [u8] {
    let start = (&raw const _model_start).addr();
    let end = (&raw const _model_end).addr();
    // SAFETY: the map says that this is flash, and the linker that the program leaves it alone, so
    // nothing writes to it while the program runs.
    unsafe { core::slice::from_raw_parts(ptr::with_exposed_provenance(start), end - start) }
}
