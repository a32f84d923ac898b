//! What is counted.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

// There is one core and so one thread: nothing here need be changed in one go.

/// Added to by the code that QEMU makes for the core.
pub(crate) static INSTRUCTIONS: AtomicU64 = AtomicU64::new(0);
static LOADS: AtomicU64 = AtomicU64::new(0);
static STORES: AtomicU64 = AtomicU64::new(0);

/// The lowest address that the stack can have.
static FLOOR: AtomicU64 = AtomicU64::new(0);
/// Where the last store went.
static LAST_STORE: AtomicU64 = AtomicU64::new(0);
/// The stack at the begin marker; 0 before the first.
static TOP: AtomicU64 = AtomicU64::new(0);
/// The lowest store to the stack since.
static DEEPEST: AtomicU64 = AtomicU64::new(0);

pub(crate) fn set_floor(address: u64) {
    FLOOR.store(address, Relaxed);
}

pub(crate) fn load() {
    LOADS.store(LOADS.load(Relaxed) + 1, Relaxed);
}

pub(crate) fn store(address: u64) {
    STORES.store(STORES.load(Relaxed) + 1, Relaxed);
    LAST_STORE.store(address, Relaxed);
    if (FLOOR.load(Relaxed)..DEEPEST.load(Relaxed)).contains(&address) {
        DEEPEST.store(address, Relaxed);
    }
}

pub(crate) fn begin() {
    let top = LAST_STORE.load(Relaxed) + 4;
    TOP.store(top, Relaxed);
    DEEPEST.store(top, Relaxed);
    for count in [&INSTRUCTIONS, &LOADS, &STORES] {
        count.store(0, Relaxed);
    }
}

pub(crate) fn end() {
    let [instructions, loads, stores] =
        [&INSTRUCTIONS, &LOADS, &STORES].map(|count| count.load(Relaxed));
    let stack = TOP.load(Relaxed) - DEEPEST.load(Relaxed);
    let mut out = io::stdout().lock();
    // Flushed, so that it keeps its place among the lines that the program writes.
    let written = writeln!(
        out,
        "count instructions {instructions} loads {loads} stores {stores} stack {stack}"
    );
    // Whoever reads misses the line where it cannot be written.
    let _ = written.and_then(|()| out.flush());
}
