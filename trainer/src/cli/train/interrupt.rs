//! Ctrl-C, and other signals to end, while a model is trained.

#[cfg(unix)]
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// What a shell gives a command that Ctrl-C has ended.
pub(in crate::cli) const INTERRUPTED: u8 = 130;

/// A run that ended before its time, though with a model.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(in crate::cli) struct Interrupted;

/// Does some work with a flag that Ctrl-C sets, or another signal to end; the second ends the program at once,
/// and so does any after the work.
pub(in crate::cli) fn stoppable<T>(work: impl FnOnce(&AtomicBool) -> T) -> anyhow::Result<T> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in signals() {
        // In this order: the first signal finds the flag unset.
        register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&stop))
            .and_then(|_| register(signal, Arc::clone(&stop)))
            .context("cannot listen to Ctrl-C")?;
    }
    let done = work(&stop);
    stop.store(true, Ordering::Relaxed);
    Ok(done)
}

/// What a terminal, a service manager and, where a terminal closes, the system ask a program to end by.
fn signals() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    // Whoever is to outlive the terminal, by `nohup` for instance, has none.
    #[cfg(unix)]
    if io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal() {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}
