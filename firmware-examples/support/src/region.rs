//! The flash region for models, between the symbols of the board's memory map.
#![allow(unsafe_code, reason = "only an address leads to what no program has")]

use core::hint::black_box;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

unsafe extern "C" {
    static _model_start: u32;
    static _model_end: u32;
}

/// Whether the region is lent, to readers or to one writer.
static IS_LENT: AtomicBool = AtomicBool::new(false);
/// Whether it is lent to a writer.
static IS_WRITTEN: AtomicBool = AtomicBool::new(false);

/// The whole region, word-aligned, to read; empty where it is lent to be written.
pub fn model_region() -> &'static [u8] {
    if IS_WRITTEN.load(Ordering::Relaxed) {
        return &[];
    }
    IS_LENT.store(true, Ordering::Relaxed);
    let (start, len) = bounds();
    // SAFETY: the map says that this is flash, and the linker that the program leaves it alone; from
    // now on it is lent to readers alone.
    unsafe { core::slice::from_raw_parts(ptr::with_exposed_provenance(start), len) }
}

/// Address and length of the region, for the one that may write it; none where it is lent already.
///
/// There is one core, and interrupts of the examples ask for no region: nothing comes in between what
/// is read here and written.
pub(crate) fn take_region() -> Option<(usize, usize)> {
    if IS_LENT.load(Ordering::Relaxed) {
        return None;
    }
    IS_LENT.store(true, Ordering::Relaxed);
    IS_WRITTEN.store(true, Ordering::Relaxed);
    Some(bounds())
}

/// Address of the first byte, and how many there are.
fn bounds() -> (usize, usize) {
    #[cfg(feature = "esp32c3")]
    crate::silicon::window::open();
    // The compiler must not take what a program is linked with for what is there when it runs.
    let start = black_box(&raw const _model_start).addr();
    let end = (&raw const _model_end).addr();
    (start, end - start)
}
