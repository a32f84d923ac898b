//! What examples log: by defmt with the feature of that name, and else nothing.
//!
//! The log has a way of its own, beside the console: RTT on chips, a file of the computer in QEMU. By
//! `collapse_debuginfo` a line of the log has the place where its macro is used, not the one here.

#[cfg(feature = "defmt")]
pub use defmt::Format as Logged;

/// What may be logged: anything, where nothing is.
#[cfg(not(feature = "defmt"))]
pub trait Logged {}

#[cfg(not(feature = "defmt"))]
impl<T: ?Sized> Logged for T {}

/// Logs why a program ends.
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! error {
    ($($argument:tt)*) => { $crate::log!(error, $($argument)*) };
}

/// Logs what is refused.
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! warn {
    ($($argument:tt)*) => { $crate::log!(warn, $($argument)*) };
}

/// Logs what is done.
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! info {
    ($($argument:tt)*) => { $crate::log!(info, $($argument)*) };
}

/// Logs what is asked for.
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! debug {
    ($($argument:tt)*) => { $crate::log!(debug, $($argument)*) };
}

#[cfg(feature = "defmt")]
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! log {
    ($level:ident, $($argument:tt)*) => {{
        use $crate::defmt;
        defmt::$level!($($argument)*)
    }};
}

#[cfg(not(feature = "defmt"))]
#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! log {
    ($level:ident, $format:literal $(, $argument:expr)* $(,)?) => {
        if false {
            let _ = ($(&$argument,)*);
        }
    };
}

/// Logs what has no form of defmt's own, once: a panic while something is logged would come back here.
#[cfg(all(feature = "defmt", any(feature = "qemu", feature = "silicon")))]
pub(crate) fn last_words(message: &dyn core::fmt::Display) {
    use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

    static IS_LOGGED: AtomicBool = AtomicBool::new(false);
    if !IS_LOGGED.load(Relaxed) {
        IS_LOGGED.store(true, Relaxed);
        error!("{}", defmt::Display2Format(message));
    }
}

#[cfg(all(not(feature = "defmt"), any(feature = "qemu", feature = "silicon")))]
pub(crate) const fn last_words(_: &dyn core::fmt::Display) {}
