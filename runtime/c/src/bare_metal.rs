//! What a library without Rust's `std` has to bring.

use core::hint::spin_loop;
use core::panic::PanicInfo;

/// Nothing in the runtime panics.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        spin_loop();
    }
}
